import { spawn, spawnSync } from "node:child_process";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { repository } from "./kagurazaka.mjs";
import { makeScratch, removeScratch } from "./process.mjs";

const BIN = join(repository, "src/bin.cjs");

/** The program of a Redis on PATH, or undefined. */
export function redisServer() {
  const found = spawnSync("sh", ["-c", "command -v redis-server || command -v valkey-server"], { encoding: "utf8" });
  return found.stdout.trim() || undefined;
}

/** A Redis of the bench's own, and nodes; all end with `close`. */
export async function openFleet() {
  const dir = makeScratch();
  const port = await freePort();
  const children = [];
  const start = (file, args, options = {}) => {
    const child = spawn(file, args, { cwd: dir, stdio: "ignore", ...options });
    children.push(child);
    return child;
  };
  start(redisServer(), ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
  const url = `redis://127.0.0.1:${port}`;
  const cli = (...words) => spawnSync("redis-cli", ["-p", `${port}`, ...words], { encoding: "utf8" }).stdout.trim();
  for (let tries = 0; cli("ping") !== "PONG"; tries++) {
    if (tries > 200) throw new Error("Redis did not start");
    await sleep(50);
  }
  return {
    url,
    cli,
    /** Resolves once the node waits for runs. */
    async node(words, { cpus } = {}) {
      const pinned = cpus === undefined ? [process.execPath] : ["taskset", "-c", cpus, process.execPath];
      const command = [...pinned, BIN, "worker", ...words, "--redis", url];
      const child = start(command[0], command.slice(1), { stdio: ["ignore", "ignore", "pipe"] });
      await new Promise((resolve, reject) => {
        let said = "";
        child.stderr.on("data", (part) => {
          said += part;
          if (said.includes("waits for runs")) resolve();
        });
        child.once("exit", () => reject(new Error(`a node ended:\n${said}`)));
      });
      // Until it has said in Redis that it is there.
      await sleep(500);
      return {
        async stop() {
          const gone = new Promise((resolve) => child.once("exit", resolve));
          child.removeAllListeners("exit");
          child.once("exit", () => {});
          child.kill("SIGTERM");
          await Promise.race([gone, sleep(5000)]);
          child.kill("SIGKILL");
        },
      };
    },
    async close() {
      for (const child of children) child.kill("SIGKILL");
      await sleep(50);
      removeScratch(dir);
    },
  };
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
