import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { doOnce } from "../../../src/data/hub/download-lock.js";
import { createDirectory } from "../tree.js";

const lockIn = (dir: string): string => join(dir, "locks/a.lock");

test("one does the work, the others wait for it; the lock is gone then", async () => {
  const lock = lockIn(createDirectory());
  let done = 0;
  const one = () =>
    doOnce(
      lock,
      () => done > 0,
      async () => {
        await sleep(150);
        done++;
      },
    );
  await Promise.all([one(), one(), one()]);
  expect(done).toBe(1);
  expect(existsSync(lock)).toBe(false);
});

test("where the one at work fails, the next does it", async () => {
  const lock = lockIn(createDirectory());
  let calls = 0;
  let isDone = false;
  const one = () =>
    doOnce(
      lock,
      () => isDone,
      async () => {
        if (++calls === 1) throw new Error("broken");
        isDone = true;
      },
    );
  const [first, second] = await Promise.allSettled([one(), one()]);
  expect([first?.status, second?.status, calls]).toEqual(["rejected", "fulfilled", 2]);
});

test("a lock that nobody beats is no hindrance; one that is beaten is kept, however long the work", async () => {
  const dir = createDirectory();
  let done = 0;
  const waiting = { beatMs: 50, staleMs: 400 };
  const one = (ms: number) =>
    doOnce(
      lockIn(dir),
      () => done > 0,
      async () => {
        await sleep(ms);
        done++;
      },
      waiting,
    );
  await one(0);
  writeFileSync(lockIn(dir), "");
  done = 0;
  await one(0);
  expect(done).toBe(1);
  done = 0;
  await Promise.all([one(1000), one(0)]);
  expect(done).toBe(1);
});
