import { describe, expect, test, vi } from "vitest";
import { RetryAfterError } from "../../../src/base/errors.js";
import { execute, named, type TestExecution, useFakeClock } from "./fake-session.js";

useFakeClock();
/** No retry, so that an item over its limit is told of at once. */
const settings = { timeout: 10_000, retries: 0 };
const errorOf = (run: TestExecution, key: string) => run.outcomeOf(key)?.error;

describe("an item over its time limit", () => {
  test("is told to stop at the limit, once", async () => {
    const run = await execute(["a"], { settings });
    run.worker.begin("a");
    await run.pass(9900);
    expect(run.worker.aborted).toEqual([]);
    await run.pass(400);
    expect(run.worker.aborted).toEqual(["timeout"]);
    await run.pass(1000);
    expect(run.worker.aborted).toEqual(["timeout"]);
    run.dispatcher.stop();
  });

  test("time in a worker's queue does not count", async () => {
    const run = await execute(["a"], { settings });
    await run.pass(60_000);
    expect(run.worker.aborted).toEqual([]);
    run.dispatcher.stop();
  });

  test("has failed 25 ms later, whatever it does then; its worker goes on once it has settled", async () => {
    const run = await execute(["a", "b"], { settings });
    const { worker } = run;
    worker.begin("a");
    await run.pass(10_040);
    const failed = { key: "a", status: "failed", durationMs: 10_025, error: { code: "timeout" } };
    expect(run.outcomes).toMatchObject([failed]);
    expect(errorOf(run, "a")?.message).toBe("the item ran longer than 10000 ms");
    worker.done(["a"]);
    await run.finish();
    expect(run.outcomes).toMatchObject([failed, { key: "b", status: "done" }]);
    expect(run.session.workers).toHaveLength(1);
  });

  test.each([
    ["throws", (run: TestExecution) => run.worker.fail("a", new Error("aborted"))],
    ["asks for patience", (run: TestExecution) => run.worker.fail("a", new RetryAfterError(1))],
    ["crashes", (run: TestExecution) => run.worker.crash()],
    ["leaves with a worker that is lost", (run: TestExecution) => run.worker.lose()],
  ])("has one outcome, even if it %s afterwards", async (_what, happens) => {
    const run = await execute(["a", "b"], { settings });
    run.worker.begin("a");
    await run.pass(10_040);
    happens(run);
    await run.finish();
    expect(run.outcomes).toMatchObject([
      { key: "a", status: "failed" },
      { key: "b", status: "done" },
    ]);
  });

  test("that was done in time is done, though the message comes late", async () => {
    const run = await execute(["a"], { settings });
    run.worker.begin("a");
    await run.pass(10_010);
    run.worker.settle("a", { status: "done", value: 1, durationMs: 9_999 });
    expect(run.outcomes).toMatchObject([{ status: "done", value: 1 }]);
    await run.finish();
  });

  test("is tried again like any other failure", async () => {
    const run = await execute(["a"], { settings: { ...settings, retries: 1 } });
    run.worker.begin("a");
    await run.pass(13_000);
    expect(run.retries).toMatchObject([{ key: "a", attempt: 2, error: { code: "timeout" } }]);
    await run.finish();
  });

  test("that does not settle within two seconds: its worker is killed where nothing else runs in it", async () => {
    const run = await execute(["a", "b"], { settings });
    const { worker } = run;
    worker.begin("a");
    await run.pass(12_000);
    expect([worker.isGone, run.keysOf("failed")]).toEqual([false, ["a"]]);
    await run.pass(800);
    expect([worker.isGone, errorOf(run, "a")?.code]).toEqual([true, "timeout"]);
    await run.finish();
    expect(run.keysOf("done")).toEqual(["b"]);
  });

  test("the others in its worker may settle for ten seconds, and start again uncounted; it takes nothing new", async () => {
    const run = await execute(named(6), { slots: 3, settings: { ...settings, timeout: 60_000 } });
    const { worker } = run;
    worker.begin("i0");
    await run.pass(30_000);
    worker.begin("i1", "i2");
    await run.pass(33_000);
    expect([worker.aborted, worker.types.at(-1)]).toEqual([["timeout"], "drain"]);
    worker.done(["i1"]);
    expect(worker.items).toEqual(["i0", "i2"]);
    await run.pass(9000);
    expect(worker.isGone).toBe(false);
    await run.pass(1000);
    expect([worker.isGone, worker.aborted, run.keysOf("failed")]).toEqual([true, ["timeout"], ["i0"]]);
    expect(run.worker.items).toContain("i2");
    expect(run.worker.attemptOf("i2")).toBe(1);
    await run.finish();
  });

  test("another one whose signal has just fired has two seconds as well", async () => {
    const run = await execute(named(2), { slots: 2, settings });
    const { worker } = run;
    worker.begin("i0");
    await run.pass(5000);
    worker.begin("i1");
    await run.pass(11_500);
    expect([worker.isGone, worker.aborted]).toEqual([false, ["timeout", "timeout"]]);
    worker.fail("i1", new Error("stopped in time"));
    await run.pass(500);
    expect(worker.isGone).toBe(true);
    await run.finish();
  });

  test("what its worker had not begun goes to another, uncounted", async () => {
    const run = await execute(named(3), { slots: 3, settings });
    run.worker.begin("i0");
    await run.pass(13_000);
    const [, fresh] = run.session.workers;
    expect([fresh!.items, fresh!.attemptOf("i1")]).toEqual([["i1", "i2"], 1]);
    await run.finish();
    expect([run.keysOf("done"), run.keysOf("failed")]).toEqual([["i1", "i2"], ["i0"]]);
  });
});

describe("a worker whose loop is blocked", () => {
  test("is killed two seconds after the limit; the item alone in it has failed", async () => {
    const run = await execute(["a"], { settings });
    const { worker } = run;
    worker.isBlocked = true;
    worker.begin("a");
    await run.pass(12_900);
    expect([worker.isGone, errorOf(run, "a")?.code]).toEqual([true, "timeout"]);
    await run.finish();
  });

  test("with several over their limit: each is tried alone, for only one of them blocks", async () => {
    const run = await execute(["a", "b", "c"], { slots: 3, settings });
    const { worker } = run;
    worker.isBlocked = true;
    worker.begin("a", "b");
    await run.pass(13_000);
    expect([worker.isGone, run.outcomes]).toEqual([true, []]);
    expect(run.worker.items).toEqual(["a"]);
    run.worker.done();
    await run.pass();
    expect(run.worker.items).toEqual(["b"]);
    run.worker.isBlocked = true;
    run.worker.begin("b");
    await run.pass(13_000);
    expect(run.keysOf("failed")).toEqual(["b"]);
    await run.finish();
    expect(run.keysOf("done").toSorted()).toEqual(["a", "c"]);
  });

  test("that the backbone cannot kill is left behind, and the user is told", async () => {
    const run = await execute(["a"], { settings, killable: false });
    run.worker.begin("a");
    await run.pass(13_000);
    expect(run.warnings).toEqual([
      "backbone inline cannot stop an item that ignores ctx.signal; the item goes on running in this process",
    ]);
    await run.finish();
  });
});

describe("--stall", () => {
  const stalling = { stall: 60_000 };

  test("stops a run in which nothing settles, with the keys that ran for the longest time", async () => {
    const run = await execute(named(3), { slots: 3, settings: stalling });
    run.worker.begin("i1");
    await run.pass(1000);
    run.worker.begin("i0");
    await run.pass(60_500);
    expect(run.isOver).toBe(false);
    await run.pass(5000);
    expect(run.cause).toMatchObject({ code: "stalled" });
    expect(run.cause?.message).toMatch(/^no item has settled for 1m.*; running longest: i1 \(.*\), i0 \(.*\)$/);
    expect(run.keysOf("cancelled").toSorted()).toEqual(named(3));
  });

  test("what settles, and ctx.progress(), begin its time anew", async () => {
    const run = await execute(named(3), { settings: stalling });
    await run.pass(50_000);
    run.worker.done();
    run.worker.begin("i1");
    await run.pass(50_000);
    run.worker.progress("i1");
    await run.pass(50_000);
    expect(run.isOver).toBe(false);
    await run.finish();
    expect(run.cause).toBeUndefined();
  });

  test("time in which nothing is in flight does not count", async () => {
    const run = await execute(["a"], { settings: { ...stalling, backoff: { minMs: 300_000, maxMs: 300_000 } } });
    run.worker.fail("a");
    await run.pass(300_001);
    expect(run.worker.items).toEqual(["a"]);
    await run.finish();
    expect(run.cause).toBeUndefined();
  });

  test("without it, a run that stands still for half an hour is warned of once, with stacks", async () => {
    const run = await execute(["a"]);
    Object.assign(run.worker, { stack: async () => "at process (task.ts:3)" });
    run.worker.begin("a");
    // The sweep looks four times a second: the clock is put forward instead.
    vi.setSystemTime(Date.now() + 30 * 60_000);
    await run.pass(2000);
    expect(run.warnings).toEqual([
      expect.stringMatching(/^no item has settled for 30m.*\nworker 0 is running:\nat process/),
    ]);
    run.dispatcher.stop();
  });
});
