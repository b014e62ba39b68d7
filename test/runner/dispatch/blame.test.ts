import { describe, expect, test } from "vitest";
import { execute, named, type TestExecution, useFakeClock } from "./fake-session.js";

useFakeClock();

describe("a worker that crashes", () => {
  test("with one running item: the item is tried alone, and fails when a fresh worker crashes as well", async () => {
    const run = await execute(named(4), { slots: 2 });
    run.worker.begin("i0");
    run.worker.crash("segfault");
    await run.pass();
    expect(run.worker.batches).toEqual([["i0"]]);
    run.worker.begin("i0");
    run.worker.crash("segfault");
    await run.pass();
    // The first worker had been given two items: that one was no proof.
    expect(run.outcomes).toEqual([]);
    expect(run.worker.batches).toEqual([["i0"]]);
    run.worker.begin("i0");
    run.worker.crash("segfault again");
    expect(run.outcomes).toMatchObject([
      { key: "i0", status: "failed", attempt: 1, error: { code: "crash", cause: { message: "segfault again" } } },
    ]);
    await run.finish();
    expect(run.keysOf("done").toSorted()).toEqual(["i1", "i2", "i3"]);
    expect(run.session.workers).toHaveLength(4);
  });

  test("with several running items: each is tried alone, and the innocent are done", async () => {
    const run = await execute(named(8), { slots: 4 });
    run.worker.begin("i0", "i1", "i2");
    run.worker.crash();
    for (let round = 0; round < 50 && !run.isOver; round++) {
      const { worker } = run;
      if (worker?.items.includes("i1")) {
        expect(worker.items).toEqual(["i1"]);
        worker.begin("i1");
        worker.crash();
      } else worker?.done();
      await run.pass(2);
    }
    expect(run.keysOf("failed")).toEqual(["i1"]);
    expect(run.keysOf("done")).toHaveLength(7);
    expect(run.outcomeOf("i0")?.attempt).toBe(1);
  });

  test("other items run in other workers while a suspect is alone", async () => {
    const run = await execute(named(20), { workers: 2, slots: 2 });
    const [first, second] = run.workers;
    const [suspect] = first!.items;
    first!.begin(suspect!);
    first!.crash();
    await run.pass();
    second!.done();
    const alone = run.workerOf(suspect!);
    expect(alone.items).toEqual([suspect]);
    expect(second!.items).toHaveLength(2);
    alone.done();
    expect(alone.items).toHaveLength(2);
    await run.finish();
  });

  test("one suspect at a time", async () => {
    const run = await execute(named(3), { workers: 2, slots: 3 });
    const [first, second] = run.workers;
    first!.begin(...first!.items);
    first!.crash();
    second!.begin(...second!.items);
    second!.crash();
    await run.pass();
    for (let left = 3; left > 0; left--) {
      expect(run.workers.flatMap(({ items }) => items)).toHaveLength(1);
      run.workers.find(({ items }) => items.length > 0)!.done();
      await run.pass();
    }
    expect(run.keysOf("done")).toHaveLength(3);
  });

  test("after other items ran in it while it was quarantined: the suspect gets a fresh worker before it is blamed", async () => {
    const run = await execute(["a", "b"], { slots: 2 });
    run.worker.begin("a", "b");
    run.worker.crash();
    await run.pass();
    // Both are tried in one worker; the second crashes it, but the first may have left a timer behind.
    const quarantine = run.worker;
    expect(quarantine.items).toEqual(["a"]);
    quarantine.done();
    expect(quarantine.items).toEqual(["b"]);
    quarantine.begin("b");
    quarantine.crash();
    await run.pass();
    expect(run.worker.items).toEqual(["b"]);
    run.worker.begin("b");
    run.worker.crash();
    await run.pass();
    expect(run.outcomes.map(({ key }) => key)).toEqual(["a"]);
    run.worker.begin("b");
    run.worker.crash();
    expect(run.keysOf("failed")).toEqual(["b"]);
    await run.finish();
  });

  test("a suspect that needs a fresh worker gets one, though others that are quarantined come first", async () => {
    const run = await execute(named(3), { slots: 3 });
    run.worker.begin("i0", "i1", "i2");
    run.worker.crash();
    await run.pass();
    run.worker.done(["i0"]);
    run.worker.begin("i1");
    run.worker.crash();
    await run.pass();
    const used = run.worker;
    expect(used.items).toEqual(["i2"]);
    used.done();
    await run.pass();
    expect([used.isGone, run.worker.batches]).toEqual([true, [["i1"]]]);
    await run.finish();
    expect(run.keysOf("done")).toHaveLength(3);
  });

  test("items that it had not begun go on without blame", async () => {
    const run = await execute(named(4), { slots: 4 });
    run.worker.begin("i0");
    run.worker.crash();
    await run.pass();
    run.worker.done();
    expect(run.worker.items, "in the order of the plan").toEqual(["i1", "i2", "i3"]);
    await run.finish();
  });
});

describe("a worker that is lost", () => {
  test("however often: its items start again, uncounted and without blame", async () => {
    const run = await execute(["a", "b"], { settings: { retries: 0 } });
    for (let times = 0; times < 10; times++) {
      expect([run.worker.items, run.worker.attemptOf("a")]).toEqual([["a"], 1]);
      run.worker.begin("a");
      run.worker.lose();
      await run.pass();
    }
    // Nor is it nearer to the two crashes that prove it.
    run.worker.begin("a");
    run.worker.crash();
    await run.pass();
    expect(run.outcomes).toEqual([]);
    await run.finish();
    expect(run.keysOf("done").toSorted()).toEqual(["a", "b"]);
    expect(run.warnings[0]).toBe("worker 0 was lost and is replaced: the connection broke");
  });

  test("with items over their time limit: they are not to blame either", async () => {
    const run = await execute(["a"], { settings: { timeout: 1000, retries: 0 } });
    run.worker.begin("a");
    await run.pass(1010);
    expect(run.worker.aborted).toEqual(["timeout"]);
    run.worker.lose();
    await run.pass();
    expect([run.outcomes, run.worker.attemptOf("a")]).toEqual([[], 1]);
    await run.finish();
  });
});

describe("a suspect that is given back without having been tried", () => {
  test.each([
    ["its worker is lost", (run: TestExecution) => run.worker.lose()],
    ["its worker is recycled", (run: TestExecution) => run.worker.leave("at its limit")],
    ["the workers are renewed", (run: TestExecution) => run.dispatcher.renewWorkers()],
  ])("is alone the next time as well: %s", async (_when, give) => {
    const run = await execute(named(4), { slots: 2 });
    run.worker.begin("i0");
    run.worker.crash();
    await run.pass();
    expect(run.worker.items).toEqual(["i0"]);
    give(run);
    await run.pass();
    expect(run.worker.items).toEqual(["i0"]);
    await run.finish();
    expect(run.keysOf("done")).toHaveLength(4);
  });
});
