import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, expect, test } from "vitest";
import { isRunning, startCommand } from "./harness/command.js";
import { readNotes } from "./harness/disk.js";
import { openWorkplace, type Workplace } from "./harness/workplace.js";

let workplace: Workplace;
beforeAll(() => {
  workplace = openWorkplace("blocked-thread");
});
afterAll(() => workplace[Symbol.dispose]());

test.runIf(process.platform === "linux")(
  "a thread in a native call that never returns costs its item, and the run ends; a program that a thread waits for is killed",
  async () => {
    workplace.write({
      "blocked.ts": `
        import { KagurazakaTask } from "kagurazaka";
        import { execFileSync } from "node:child_process";
        import { openSync } from "node:fs";
        export class Blocked extends KagurazakaTask<{ n: number }> {
          *generateTasks() { for (let n = 0; n < 6; n++) yield { n }; }
          process({ n }: { n: number }) {
            if (n === 0) openSync("pipe", "r");
            if (n === 1) execFileSync("sh", ["-c", "echo $$ >> pids; exec sleep 600"]);
          }
        }`,
    });
    spawnSync("mkfifo", [workplace.path("pipe")]);
    const args = ["blocked.ts", "Blocked", "--num_process", "2", "--timeout", "100ms", "--retries", "0"];
    const { code, stderr } = await startCommand([...args, "--progress", "none"], {
      cwd: workplace.path("."),
      env: { KAGURAZAKA_CACHE_DIR: workplace.path("cache") },
    }).ended;
    // 3: two items have failed. The process has ended although a thread cannot.
    expect(code, stderr).toBe(3);
    expect(stderr).toMatch(/done +4\n/);
    expect(stderr).toContain("1 worker thread, blocked in a native call");
    for (const pid of readNotes(workplace.path("pids")).map(Number)) expect(isRunning(pid)).toBe(false);
  },
);
