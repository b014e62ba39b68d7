import { describe, expect, test, vi } from "vitest";
import { KagurazakaError } from "../../../src/base/errors.js";
import type { Chunk } from "../../../src/contracts/chunk.js";
import type { FromWorker } from "../../../src/contracts/wire.js";
import { chunkOf, execute, headerOf, named, openPlanOf, planOf, TestExecution, useFakeClock } from "./fake-session.js";

useFakeClock();
const halt = new KagurazakaError("failure-budget", "enough");

describe("from the first item to the last", () => {
  test("items go out in the order of the plan", async () => {
    const run = await new TestExecution().run(planOf(chunkOf(["a", "b"]), chunkOf(["c"]), chunkOf(["d", "e"])));
    const { worker } = run;
    await run.finish();
    expect(worker.batches.flat()).toEqual(["a", "b", "c", "d", "e"]);
    expect(run.keysOf("done")).toEqual(["a", "b", "c", "d", "e"]);
    expect(run.cause).toBeUndefined();
  });

  test("an empty plan ends at once, and its worker is told to close", async () => {
    const run = await new TestExecution({ workers: 2 }).run(planOf());
    await run.pass(5);
    expect(run.session.workers.map(({ types }) => types)).toEqual([["close"]]);
    expect(run.isOver).toBe(true);
  });

  test("the run is over when the last worker has closed; one that does not is killed after the grace", async () => {
    const run = await execute(["a"], { settings: { grace: 5000 } });
    run.worker.hangs = true;
    run.worker.done();
    await run.pass(4900);
    expect([run.isOver, run.worker.isGone]).toEqual([false, false]);
    await run.pass(200);
    expect([run.isOver, run.workers.length]).toEqual([true, 0]);
  });

  test("an item is reported with the outcome that the worker sent", async () => {
    const run = await execute(["a", "b"], { slots: 2 });
    run.worker.settle("a", { status: "filtered", reason: "empty", durationMs: 3 });
    run.worker.settle("b", { status: "done", value: { x: 1 }, durationMs: 4 });
    expect(run.outcomes).toEqual([
      { key: "a", attempt: 1, status: "filtered", reason: "empty", durationMs: 3 },
      { key: "b", attempt: 1, status: "done", value: { x: 1 }, durationMs: 4 },
    ]);
  });

  test("the end of a message of outcomes is reported once", async () => {
    const run = await execute(named(4), { slots: 4 });
    const before = run.messagesDone;
    run.worker.done(["i0", "i1"]);
    expect([run.outcomes.length, run.messagesDone - before]).toEqual([2, 1]);
    run.worker.begin("i2");
    run.worker.lose();
    expect(run.messagesDone - before).toBe(2);
    await run.finish();
  });

  test("prints and logs of a task are passed on, even after the end", async () => {
    const run = await execute(["a"]);
    const print: FromWorker = { type: "print", key: "a", text: "hello" };
    const { worker } = run;
    worker.post(print);
    run.dispatcher.stop();
    worker.post(print);
    expect(run.messages).toEqual([print, print]);
  });

  test("says how much is in flight and waits, and which item runs for the longest time", async () => {
    const run = await execute(named(5), { workers: 2 });
    const [first, second] = run.workers;
    second!.begin(second!.items[0]!);
    await run.pass(100);
    first!.begin(first!.items[0]!);
    await run.pass(50);
    const { inFlight, waiting, oldest } = run.dispatcher.snapshot();
    expect([inFlight, waiting, oldest?.key]).toEqual([2, 3, second!.items[0]]);
    expect(oldest?.sinceMs).toBeCloseTo(150);
  });
});

describe("a plan that fails", () => {
  test("is the cause, and items listed before are finished", async () => {
    const run = await new TestExecution().run(
      (async function* () {
        yield chunkOf(["a", "b", "c"]);
        throw new KagurazakaError("generate-tasks", "the list broke off");
      })(),
    );
    await run.finish();
    expect(run.keysOf("done")).toEqual(["a", "b", "c"]);
    expect(run.cause).toMatchObject({ code: "generate-tasks" });
  });

  test("with an error that has no name is a defect", async () => {
    const run = await new TestExecution().run(
      // biome-ignore lint/correctness/useYield: it fails before it yields.
      (async function* (): AsyncGenerator<Chunk> {
        throw new Error("oh");
      })(),
    );
    await run.finish();
    expect(run.cause).toMatchObject({ code: "internal", message: "the plan failed: oh" });
  });
});

describe("drain", () => {
  test("cancels what waits, and lets what runs settle", async () => {
    const run = await execute(named(5), { slots: 2 });
    run.worker.begin("i0", "i1");
    run.dispatcher.drain(10_000, halt);
    expect(run.keysOf("cancelled")).toEqual(["i2", "i3", "i4"]);
    await run.pass(5000);
    expect(run.isOver).toBe(false);
    run.worker.done();
    await run.pass(10);
    expect([run.keysOf("done"), run.isOver, run.cause]).toEqual([["i0", "i1"], true, halt]);
  });

  test("cancels items that workers had not started", async () => {
    const run = await execute(named(2), { slots: 2 });
    run.worker.begin("i0");
    run.dispatcher.drain(10_000);
    await run.pass();
    expect(run.worker.types).toEqual(["items", "drain"]);
    expect(run.keysOf("cancelled")).toEqual(["i1"]);
  });

  test("cancels what runs once its time is over, and kills the workers", async () => {
    const run = await execute(["a"]);
    run.worker.begin("a");
    run.dispatcher.drain(1000);
    await run.pass(999);
    expect(run.outcomes).toEqual([]);
    await run.pass(1);
    expect([run.keysOf("cancelled"), run.isOver, run.workers.length]).toEqual([["a"], true, 0]);
  });

  test("does not try a failed item again", async () => {
    const run = await execute(["a"]);
    run.worker.begin("a");
    run.dispatcher.drain(1000);
    run.worker.fail("a");
    expect([run.keysOf("cancelled"), run.retries]).toEqual([["a"], []]);
  });

  test("cancels what the plan brings meanwhile", async () => {
    let bring: (chunk: Chunk) => void = () => {};
    const coming = new Promise<Chunk>((resolve) => (bring = resolve));
    const run = await new TestExecution().run(
      (async function* () {
        yield chunkOf(["a"]);
        yield coming;
      })(),
    );
    run.worker.begin("a");
    run.dispatcher.drain(1000);
    bring(chunkOf(["b", "c"]));
    await run.pass();
    expect(run.keysOf("cancelled")).toEqual(["b", "c"]);
  });
});

describe("stop", () => {
  test("cancels everything, tells what runs, kills every worker and asks the plan for nothing more", async () => {
    const returned = vi.fn(async () => ({ done: true as const, value: undefined }));
    const run = await new TestExecution({ workers: 2 }).run({ ...iterate(chunkOf(named(5))), return: returned });
    const [first] = run.workers;
    first!.begin("i0");
    run.dispatcher.stop(halt);
    await run.pass();
    expect(run.keysOf("cancelled").toSorted()).toEqual(named(5));
    expect(first!.aborted).toEqual(["cancelled"]);
    expect([run.isOver, run.cause, run.workers.length]).toEqual([true, halt, 0]);
    expect(returned).toHaveBeenCalledOnce();
  });

  test("before the run begins starts no worker", async () => {
    const run = new TestExecution();
    run.dispatcher.stop(halt);
    await run.run(planOf(chunkOf(["a"])));
    expect([run.session.workers.length, run.outcomes, run.cause]).toEqual([0, [], halt]);
  });

  test("keeps the first cause", async () => {
    const run = await execute(["a"]);
    run.dispatcher.drain(1000, halt);
    run.dispatcher.stop(new KagurazakaError("internal", "another"));
    await run.pass();
    expect(run.cause).toBe(halt);
  });

  test("nothing is told of items once the run is over", async () => {
    let bring: (chunk: Chunk) => void = () => {};
    const coming = new Promise<Chunk>((resolve) => (bring = resolve));
    const run = await new TestExecution().run(
      (async function* () {
        yield chunkOf(["a"]);
        yield coming;
      })(),
    );
    const { worker } = run;
    run.dispatcher.stop();
    await run.pass();
    worker.post({ type: "settled", plain: Float64Array.of(1, 1), rest: [] });
    bring(chunkOf(["b"]));
    await run.pass();
    expect(run.outcomes.map(({ key, status }) => `${key} ${status}`)).toEqual(["a cancelled"]);
  });
});

describe("stopShard", () => {
  const twoShards = () => planOf(chunkOf(named(3, "a"), headerOf(0)), chunkOf(named(3, "b"), headerOf(1)));

  test("cancels what waits of that shard alone; what runs of it may settle", async () => {
    const run = await new TestExecution().run(twoShards());
    run.worker.begin("a0");
    run.dispatcher.stopShard(0);
    expect(run.keysOf("cancelled")).toEqual(["a1", "a2"]);
    await run.finish();
    expect(run.keysOf("done")).toEqual(["a0", "b0", "b1", "b2"]);
  });

  test("cancels what the plan still brings of it", async () => {
    const run = new TestExecution();
    run.dispatcher.stopShard(1);
    await run.run(twoShards());
    await run.finish();
    expect([run.keysOf("done"), run.keysOf("cancelled")]).toEqual([named(3, "a"), named(3, "b")]);
  });

  test("nothing of it is tried again: no failed item, none given back, no suspect of a crash", async () => {
    const run = await execute(named(4), { slots: 4 });
    const { worker } = run;
    worker.begin("i0", "i1", "i2");
    run.dispatcher.stopShard(0);
    worker.fail("i0");
    worker.crash();
    await run.pass();
    expect(run.keysOf("cancelled").toSorted()).toEqual(named(4));
    expect([run.isOver, run.session.workers.length]).toEqual([true, 1]);
  });
});

describe("what waits besides what is ready is cancelled as well: items that back off, and suspects of a crash", () => {
  test.each([
    ["drain", (run: TestExecution) => run.dispatcher.drain(1000)],
    ["stop", (run: TestExecution) => run.dispatcher.stop()],
    ["stopShard", (run: TestExecution) => run.dispatcher.stopShard(0)],
  ])("by %s", async (_how, end) => {
    const run = await execute(named(4), { slots: 4 });
    run.worker.fail("i0");
    run.worker.begin("i1", "i2", "i3");
    run.worker.crash();
    await run.pass();
    expect(run.worker.items).toEqual(["i1"]);
    end(run);
    expect(run.keysOf("cancelled")).toEqual(expect.arrayContaining(["i0", "i2", "i3"]));
    run.dispatcher.stop();
  });
});

describe("workers that are no good", () => {
  test("one that cannot be set up stops the run with what it said", async () => {
    const run = await execute(named(3), { workers: 2, makesReady: false });
    run.worker.post({ type: "unfit", error: { name: "Error", message: "no model here" } });
    await run.pass();
    expect(run.cause).toMatchObject({
      code: "environment",
      message: "a worker could not be set up: Error: no model here",
    });
    expect([run.keysOf("cancelled").length, run.workers.length]).toEqual([3, 0]);
  });

  test("one that speaks of processes by their numbers has none of them killed", async () => {
    const kill = vi.spyOn(process, "kill").mockReturnValue(true);
    const run = await execute(["a", "b"]);
    run.worker.begin("a");
    run.worker.post({ type: "spawned", seq: 1, pid: process.pid } as unknown as FromWorker);
    run.worker.crash();
    await run.finish();
    expect(run.keysOf("done").toSorted()).toEqual(["a", "b"]);
    expect(kill).not.toHaveBeenCalled();
  });
});

test("shards fail by what their items say of the disk", async () => {
  const run = await execute(["a", "b"]);
  run.worker.fail("a", Object.assign(new Error("write failed"), { code: "ENOSPC" }));
  expect(run.keysOf("cancelled")).toEqual(["a"]);
  expect(run.failedShards).toMatchObject([
    { shard: 0, cause: { code: "environment", message: "write failed (while processing a)" } },
  ]);
  await run.finish();
});

test("a plan that has nothing for now keeps the run open", async () => {
  const run = await new TestExecution().run(openPlanOf(chunkOf(["a"])));
  run.worker.done();
  await run.pass(60_000);
  expect([run.isOver, run.keysOf("done")]).toEqual([false, ["a"]]);
  run.dispatcher.stop();
});

function iterate(chunk: Chunk): AsyncIterator<Chunk> {
  const chunks = [chunk];
  return {
    async next() {
      const value = chunks.shift();
      return value ? { done: false, value } : { done: true, value: undefined };
    },
  };
}
