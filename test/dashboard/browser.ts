import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, launch } from "puppeteer-core";

const names = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

function findInPath(): string | undefined {
  const dirs = (process.env.PATH ?? "").split(delimiter);
  return dirs.flatMap((dir) => names.map((name) => join(dir, name))).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A Chromium that is there, or that Debian has; else the reason why there is none. */
export function findChromium(): { readonly path: string } | { readonly reason: string } {
  const path = findInPath() ?? (mayInstall() ? install() : undefined);
  return path === undefined ? { reason: "no chromium in PATH, and none that can be installed here" } : { path };
}

const mayInstall = (): boolean => process.getuid?.() === 0 && existsSync("/etc/debian_version");

function install(): string | undefined {
  const apt = (...words: string[]): void =>
    void spawnSync("apt-get", [...words, "-qq"], {
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
      stdio: "ignore",
      timeout: 300_000,
    });
  apt("update");
  apt("install", "-y", "--no-install-recommends", "chromium");
  return findInPath();
}

export const openBrowser = (executablePath: string): Promise<Browser> =>
  launch({
    executablePath,
    // Chromium's own sandbox refuses root, and containers often lack what it needs.
    args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--lang=en"],
    defaultViewport: { width: 1280, height: 900 },
  });
