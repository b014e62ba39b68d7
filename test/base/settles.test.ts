import { describe, expect, test } from "vitest";
import { eachSettles, settles } from "../../src/base/settles.js";

/** What Node does when its event loop has run empty. */
const runEmpty = (): void => void process.emit("beforeExit", 0);
const never = new Promise<never>(() => {});

describe("settles", () => {
  test("passes on what the promise comes to", async () => {
    expect(await settles("f()", Promise.resolve(1))).toBe(1);
    expect(await settles("f()", 2)).toBe(2);
    await expect(settles("f()", Promise.reject(new Error("no")))).rejects.toThrow("no");
  });

  test("rejects, with its name and place, when nothing is left that could settle it", async () => {
    const first = settles("finalize() of T", never, "t.ts");
    const second = settles("check() of T", never);
    runEmpty();
    await expect(first).rejects.toMatchObject({
      code: "task-ended",
      message: "finalize() of T never ends: it awaits a promise that nothing is left to settle",
      where: "t.ts",
    });
    await expect(second).rejects.toThrow("check() of T never ends");
  });

  test("leaves no listener behind", async () => {
    const before = process.listenerCount("beforeExit");
    const pending = [settles("f()", never), settles("g()", never)];
    expect(process.listenerCount("beforeExit")).toBe(before + 1);
    runEmpty();
    await Promise.allSettled(pending);
    expect(process.listenerCount("beforeExit")).toBe(before);
  });
});

describe("eachSettles", () => {
  async function* stuck(closed: string[]) {
    try {
      yield 1;
      yield 2;
      await never;
    } finally {
      closed.push("closed");
    }
  }

  test("yields what comes before the step that never ends", async () => {
    const got: number[] = [];
    const run = (async () => {
      for await (const one of eachSettles("list()", stuck([]))) got.push(one);
    })();
    await new Promise((resolve) => setImmediate(resolve));
    runEmpty();
    await expect(run).rejects.toThrow("list() never ends");
    expect(got).toEqual([1, 2]);
  });

  test("closes the iteration where its user stops early", async () => {
    const closed: string[] = [];
    for await (const _ of eachSettles("list()", stuck(closed))) break;
    expect(closed).toEqual(["closed"]);
  });
});
