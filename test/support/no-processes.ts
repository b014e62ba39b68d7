import childProcess from "node:child_process";
import { syncBuiltinESMExports } from "node:module";
import workerThreads from "node:worker_threads";
import { afterAll, afterEach, expect } from "vitest";

/**
 * Setup file of the unit project: whatever would start a process or a thread throws. The code under test may catch that
 * error, so the test also fails after its end.
 */
const calls: string[] = [];

function forbid(module: object, name: string): void {
  function refuse(): never {
    const { testPath } = expect.getState();
    const message = `a unit test must not start a process or a thread, but ${name} was called in ${testPath}: move the test to a file *.e2e.test.ts`;
    calls.push(message);
    throw new Error(message);
  }
  Object.defineProperty(module, name, { value: refuse });
}

for (const name of ["exec", "execFile", "execFileSync", "execSync", "fork", "spawn", "spawnSync"])
  forbid(childProcess, name);
forbid(workerThreads, "Worker");
syncBuiltinESMExports();

function failOnCalls(): void {
  if (calls.length > 0) throw new Error(calls.splice(0).join("\n"));
}
afterEach(failOnCalls);
afterAll(failOnCalls);
