import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** A real Redis of the test's own, on a free port of loopback. */
export interface TestRedis {
  readonly url: string;
  readonly port: number;
  readonly dir: string;
  readonly pid: number;
  /** Starts it again after a kill, on the same port and files. */
  restart(): Promise<void>;
  kill(signal: NodeJS.Signals): Promise<void>;
  cli(...words: string[]): string;
  close(): Promise<void>;
}

/** The program: `redis-server` or `valkey-server` on PATH, else Debian's package is installed (as root). */
function findServer(): string {
  for (const name of ["redis-server", "valkey-server"]) {
    const found = spawnSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).stdout.trim();
    if (found !== "") return found;
  }
  if (process.getuid?.() === 0 && existsSync("/usr/bin/apt-get")) {
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
    spawnSync("apt-get", ["update", "-qq"], { env, stdio: "ignore" });
    spawnSync("apt-get", ["install", "-y", "-qq", "redis-server"], { env, stdio: "ignore" });
    if (existsSync("/usr/bin/redis-server")) return "/usr/bin/redis-server";
  }
  throw new Error(
    "These tests need Redis: install redis-server (6.2 or later) or valkey-server, so that it is on PATH.",
  );
}

let server: string | undefined;

export async function startRedis(flags: readonly string[] = []): Promise<TestRedis> {
  server ??= findServer();
  const dir = mkdtempSync(join(tmpdir(), "kagurazaka-redis-"));
  const port = await freePort();
  let child: ChildProcess;
  const start = async (): Promise<void> => {
    child = spawn(
      server!,
      [
        "--port",
        `${port}`,
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--dir",
        dir,
        "--daemonize",
        "no",
        "--maxmemory-policy",
        "noeviction",
        ...flags,
      ],
      { stdio: "ignore" },
    );
    for (const deadline = Date.now() + 10_000; ; await sleep(20)) {
      const answer = spawnSync("redis-cli", ["-p", `${port}`, "ping"], { encoding: "utf8", timeout: 2000 });
      if (/PONG|NOAUTH|LOADING/.test(`${answer.stdout}${answer.stderr}`)) return;
      if (Date.now() > deadline || child.exitCode !== null) throw new Error(`Redis on port ${port} did not start`);
    }
  };
  const kill = (signal: NodeJS.Signals): Promise<void> =>
    new Promise((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null) return resolve();
      if (signal === "SIGSTOP" || signal === "SIGCONT") {
        child.kill(signal);
        return resolve();
      }
      child.once("exit", () => resolve());
      child.kill(signal);
    });
  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    dir,
    get pid() {
      return child.pid!;
    },
    restart: start,
    kill,
    cli: (...words) => execFileSync("redis-cli", ["-p", `${port}`, ...words], { encoding: "utf8" }),
    async close() {
      await kill("SIGKILL");
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}
