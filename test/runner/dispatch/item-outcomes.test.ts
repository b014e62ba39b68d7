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
  test("without a scope, only the item waits, and no attempt is used up", async () => {
    const run = await execute(named(3), { settings: { retries: 0 } });
    run.worker.fail("i0", new RetryAfterError(5000));
    await run.pass();
    expect(run.worker.items).toEqual(["i1"]);
    run.worker.done();
    run.worker.done();
    await run.pass(4990);
    expect([run.worker.items, run.dispatcher.snapshot().waiting]).toEqual([[], 1]);
    await run.pass(11);
    expect([run.worker.items, run.worker.attemptOf("i0"), run.retries]).toEqual([["i0"], 1, []]);
    await run.finish();
    expect(run.keysOf("done")).toEqual(["i1", "i2", "i0"]);
  });

  test("an item that asks again and again waits longer each time, up to a second, whatever it asks for", async () => {
    const run = await execute(["a"]);
    const waits: number[] = [];
    for (let i = 0; i < 10; i++) {
      run.worker.fail("a", new RetryAfterError(0));
      let waited = 0;
      for (; run.worker.items.length === 0; waited++) await run.pass(1);
      waits.push(waited);
    }
    expect(waits).toEqual([0, 10, 20, 40, 80, 160, 320, 640, 1000, 1000]);
    await run.finish();
  });

  test("with a scope, its items wait and all others go on", async () => {
    const run = await execute(["a", "b", "c"]);
    run.worker.fail("a", new RetryAfterError(5000, "host"));
    await run.pass(100);
    run.worker.fail("b", new RetryAfterError(20_000, "other"));
    run.worker.done(["c"]);
    expect(run.dispatcher.snapshot().scopes).toEqual([
      { scope: "host", items: 1 },
      { scope: "other", items: 1 },
    ]);
    await run.pass(4900);
    expect(run.worker.items).toEqual(["a"]);
    await run.finish();
    expect(run.keysOf("done")).toEqual(["c", "a", "b"]);
  });

  test("a scope that asks for more holds back all that wait for it", async () => {
    const run = await execute(["a", "b"], { slots: 4 });
    run.worker.fail("a", new RetryAfterError(1000, "host"));
    run.worker.fail("b", new RetryAfterError(9000, "host"));
    await run.pass(1100);
    expect(run.worker.items).toEqual([]);
    await run.pass(9000);
    expect(run.worker.items.toSorted()).toEqual(["a", "b"]);
    await run.finish();
  });

  test("workers give back what they have in advance once a scope asks to wait", async () => {
    const run = await execute(named(400), { slots: 2 });
    for (let i = 0; i < 12; i++) run.worker.done();
    const { worker } = run;
    worker.begin(...worker.items.slice(0, 2));
    expect(worker.items.length).toBeGreaterThan(4);
    worker.fail(worker.running[0]!, new RetryAfterError(1000, "host"));
    await run.pass();
    expect(worker.items).toEqual(worker.running);
    await run.finish();
    expect(run.keysOf("done")).toHaveLength(400);
  });

  test("so many items wait that no more are listed", async () => {
    const pulled = { chunks: 0 };
    const run = await new TestExecution({ slots: 1000 }).run(
      (async function* () {
        for (; pulled.chunks < 1000; pulled.chunks++) yield chunkOf(named(1000, `${pulled.chunks}-`));
      })(),
    );
    for (let i = 0; i < 200; i++) {
      for (const key of run.worker.items)
        run.worker.fail(key, i % 2 === 0 ? new RetryAfterError(1e6) : new Error("no"));
      await run.pass();
    }
    expect(run.dispatcher.snapshot().waiting).toBeGreaterThan(16_000);
    expect(pulled.chunks).toBeLessThan(25);
    run.dispatcher.stop();
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
