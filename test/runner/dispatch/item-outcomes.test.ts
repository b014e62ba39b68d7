import { describe, expect, test } from "vitest";
import { PermanentError, RetryAfterError } from "../../../src/base/errors.js";
import { chunkOf, execute, headerOf, named, planOf, TestExecution, useFakeClock } from "./fake-session.js";

useFakeClock();

describe("a failed item", () => {
  test("waits for its backoff, holds no slot meanwhile, and is told which attempt it is", async () => {
    const run = await execute(["a", "b", "c"]);
    run.worker.fail("a", new Error("shaky"));
    expect(run.worker.items).toEqual(["b"]);
    await run.pass(990);
    run.worker.done(["b"]);
    run.worker.done(["c"]);
    expect(run.worker.items).toEqual([]);
    await run.pass(11);
    expect([run.worker.items, run.worker.attemptOf("a")]).toEqual([["a"], 2]);
    expect(run.retries).toMatchObject([{ key: "a", attempt: 2, delayMs: 1000, error: { message: "shaky" } }]);
    run.worker.done();
    await run.finish();
    expect(run.outcomeOf("a")).toMatchObject({ status: "done", attempt: 2 });
  });

  test("goes before what is ready, once its time has come", async () => {
    const run = await execute(["a", "b", "c"]);
    run.worker.fail("a");
    await run.pass(1001);
    run.worker.done(["b"]);
    expect(run.worker.items).toEqual(["a"]);
    await run.finish();
  });

  test("waits twice as long after each attempt, and fails with its last error when its retries are used up", async () => {
    const run = await execute(["a"], { settings: { retries: 3 } });
    for (const delayMs of [1000, 2000, 4000]) {
      run.worker.fail("a", new Error(`before ${delayMs}`));
      await run.pass(delayMs - 10);
      expect(run.worker.items).toEqual([]);
      await run.pass(11);
      expect(run.worker.items).toEqual(["a"]);
    }
    run.worker.fail("a", new Error("the last"));
    expect(run.outcomes).toMatchObject([{ key: "a", attempt: 4, status: "failed", error: { message: "the last" } }]);
    await run.finish();
  });

  test("never waits longer than the backoff at most", async () => {
    const run = await execute(["a"], { settings: { retries: 9, backoff: { minMs: 1000, maxMs: 3000 } } });
    for (let i = 0; i < 5; i++) {
      run.worker.fail("a");
      await run.pass(3001);
    }
    expect(run.retries.map(({ delayMs }) => delayMs)).toEqual([1000, 2000, 3000, 3000, 3000]);
    await run.finish();
  });

  test.each([
    ["a PermanentError", new PermanentError("hopeless")],
    ["a TypeError", new TypeError("x is not a function")],
    ["what the task calls permanent by its text", new Error("HTTP 404 not found")],
    ["what the task calls permanent by a pattern", new Error("code E42")],
  ])("is not tried again after %s", async (_what, error) => {
    const run = await execute(["a"], { permanentErrors: ["404", /E\d+/] });
    run.worker.fail("a", error);
    expect(run.outcomes).toMatchObject([{ status: "failed", attempt: 1, error: { message: error.message } }]);
    await run.finish();
  });

  test("is tried again after a TypeError with a cause: fetch says so that the network failed", async () => {
    const run = await execute(["a"]);
    run.worker.fail("a", new TypeError("fetch failed", { cause: new Error("ECONNRESET") }));
    expect(run.retries).toHaveLength(1);
    await run.finish();
  });
});

describe("RetryAfterError", () => {
  test("without a scope, nothing starts until its time has come, and no attempt is used up", async () => {
    const run = await execute(named(3), { settings: { retries: 0 } });
    for (let i = 0; i < 5; i++) {
      run.worker.fail("i0", new RetryAfterError(5000));
      await run.pass(4990);
      expect(run.worker.items).toEqual([]);
      await run.pass(11);
      expect([run.worker.items, run.worker.attemptOf("i0")]).toEqual([["i0"], 1]);
    }
    expect(run.retries).toEqual([]);
    await run.finish();
    expect(run.keysOf("done")).toHaveLength(3);
  });

  test("with a scope, its items wait and all others go on", async () => {
    const run = await execute(["a", "b", "c"]);
    run.worker.fail("a", new RetryAfterError(5000, "host"));
    await run.pass(100);
    run.worker.fail("b", new RetryAfterError(20_000, "other"));
    run.worker.done(["c"]);
    await run.pass(4900);
    expect(run.worker.items).toEqual(["a"]);
    // The same scope asks for more: an item of it that was waiting waits along.
    await run.finish();
    expect(run.keysOf("done")).toEqual(["c", "a", "b"]);
  });

  test("a scope that is paused once more holds back all that wait for it", async () => {
    const run = await execute(["a", "b"], { slots: 4 });
    run.worker.fail("a", new RetryAfterError(1000, "host"));
    run.worker.fail("b", new RetryAfterError(9000, "host"));
    await run.pass(1100);
    expect(run.worker.items).toEqual([]);
    await run.pass(8000);
    expect(run.worker.items.toSorted()).toEqual(["a", "b"]);
    await run.finish();
  });

  test("halves what runs at once, once per round trip, and each round of successes gives one back", async () => {
    const run = await execute(named(200), { slots: 8 });
    run.worker.fail("i0", new RetryAfterError(100));
    run.worker.fail("i1", new RetryAfterError(100));
    run.worker.done();
    await run.pass(101);
    // Six successes came meanwhile: a round of four.
    expect(run.worker.items).toHaveLength(5);
    run.worker.done();
    expect(run.worker.items).toHaveLength(6);
    await run.finish();
  });
});

test("outcomes of items that are not at the worker are passed over", async () => {
  const run = await execute(["a", "b"]);
  run.worker.post({
    type: "settled",
    plain: Float64Array.of(77, 1, 2, 1),
    rest: [{ seq: 99, status: "done", durationMs: 1 }],
  });
  expect(run.outcomes).toEqual([]);
  await run.finish();
  expect(run.keysOf("done")).toEqual(["a", "b"]);
});

test("items of two shards never share a message, so that each is bound to its own roots", async () => {
  const run = await new TestExecution({ slots: 8 }).run(
    planOf(chunkOf(["a", "b"], headerOf(0)), chunkOf(["c"], headerOf(1))),
  );
  run.worker.leave("by its limit");
  await run.pass(5);
  expect(run.worker.batches).toEqual([["a", "b"], ["c"]]);
  await run.finish();
});
