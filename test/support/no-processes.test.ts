import { exec, spawnSync } from "node:child_process";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import { describe, test } from "vitest";

// Failing is the point: in CI, no second try.
describe("a unit test fails when it starts", { retry: 0 }, () => {
  test.fails("a process", () => void spawnSync("true"));
  test.fails("a process, and catches the error", () => {
    try {
      spawnSync("true");
    } catch {}
  });
  test.fails("a process by a promise", () => promisify(exec)("true").catch(() => {}));
  test.fails("a thread", () => {
    try {
      new Worker("");
    } catch {}
  });
});
