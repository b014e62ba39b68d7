import { execFileSync, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startRedis } from "./support/redis.js";

const root = new URL("..", import.meta.url).pathname;
const readme = readFileSync(join(root, "README.md"), "utf8");

interface Block {
  readonly language: string;
  readonly text: string;
  /** What `<!-- ci: NAME -->` above it says: a command for a checkout, not for a folder of the reader's. */
  readonly marked: string | undefined;
}

const blocks: Block[] = [...readme.matchAll(/(?:<!-- ci: (\w+) -->\s*)?```(\w+)\n([\s\S]*?)```/g)].map(
  ([, marked, language, text]) => ({
    language: language!,
    text: text!,
    marked,
  }),
);

describe("the README", () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "kagurazaka-readme-"));
    writeFileSync(join(folder, "kagurazaka"), `#!/bin/sh\nexec node ${join(root, "src/bin.cjs")} "$@"\n`);
    chmodSync(join(folder, "kagurazaka"), 0o755);
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
    execFileSync("mkdir", ["-p", join(folder, "node_modules")]);
    symlinkSync(root, join(folder, "node_modules/kagurazaka"));
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const environment = (): NodeJS.ProcessEnv => ({
    ...process.env,
    PATH: `${folder}:${process.env.PATH}`,
    KAGURAZAKA_CACHE_DIR: join(folder, "cache"),
  });
  const run = (command: string): string =>
    execFileSync("bash", ["-euo", "pipefail", "-c", command], {
      cwd: folder,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      env: environment(),
    });

  // In the order of the page: files are written as they come, commands see what came before.
  for (const { language, text, marked } of blocks) {
    const file = /^(?:\/\/|#) (\S+\.\w+)\n/.exec(text)?.[1];
    if (file !== undefined) {
      it(`has ${file} as it stands there`, () => {
        writeFileSync(join(folder, file), text);
        if (file.endsWith(".mjs")) expect(run(`node ${file}`)).toContain(/\/\/ → (.+)$/m.exec(text)![1]);
      });
    } else if (marked === undefined && language === "sh") {
      for (const command of text.trim().split("\n")) it(`runs: ${command}`, () => void run(command));
    }
  }

  it("has the two commands of a checkout, which CI and this suite run", () => {
    const [first, second] = ["run", "test"].map((name) => blocks.find(({ marked }) => marked === name)?.text.trim());
    expect(second).toBe("npm ci && npm test");
    const [install, main] = first!.split(" && ");
    expect(install).toBe("npm ci");
    const result = execFileSync("bash", ["-c", `${main!.replace("out/words", join(folder, "words"))} --json`], {
      cwd: root,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
    expect(JSON.parse(result).counts.done).toBeGreaterThan(1000);
  });

  it("has two terminals for a fleet, a worker and a run", async () => {
    const redis = await startRedis();
    const [worker, coordinator] = ["worker", "coordinator"].map((name) =>
      blocks
        .find(({ marked }) => marked === name)!
        .text.trim()
        .replace(/redis:\/\/\S+/, redis.url),
    );
    // The last command takes the place of the shell, which would not pass the signal on.
    const words = worker!.replace(/\n(?!.*\n)/, "\nexec ");
    const terminal = spawn("bash", ["-c", words], { cwd: folder, env: environment(), stdio: "ignore" });
    try {
      const output = run(coordinator!);
      expect(output).toMatch(/MyTask {2}ended \(0\)/);
      expect(output).toMatch(/MyTask {2}idle/);
      expect(existsSync(join(folder, "fleet-out/sub/b.txt.json"))).toBe(true);
    } finally {
      const gone = new Promise((resolve) => terminal.once("exit", resolve));
      terminal.kill("SIGTERM");
      await gone;
      await redis.close();
    }
  });

  it("runs every block it does not leave to CI", () => {
    const left = blocks.filter(
      ({ language, text, marked }) => marked === undefined && language !== "sh" && !/^(?:\/\/|#) \S+\.\w+\n/.test(text),
    );
    expect(left).toEqual([]);
  });
});
