import { describe, expect, test, vi } from "vitest";
import { chunkOf, execute, named, openPlanOf, TestExecution, useFakeClock } from "./fake-session.js";

useFakeClock();

describe("workers", () => {
  test("are as many as asked for, each with a name of its own and as much activity as it has slots", async () => {
    const run = await execute(named(3), { workers: 3, slots: 2, namePrefix: "node7-" });
    expect(run.session.workers.map(({ name }) => name)).toEqual(["node7-0", "node7-1", "node7-2"]);
    expect(run.session.workers.map(({ start }) => start.activity.byteLength)).toEqual([56, 56, 56]);
    await run.finish();
  });

  test("are no more than there are items, and none is replaced that no item needs", async () => {
    const run = await execute(["a", "b"], { workers: 24 });
    expect(run.session.workers).toHaveLength(2);
    const [first, second] = run.workers;
    first!.done();
    first!.crash();
    await run.pass(5000);
    expect(run.session.workers).toHaveLength(2);
    second!.begin("b");
    second!.lose();
    await run.pass();
    expect(run.worker.items).toEqual(["b"]);
    await run.finish();
  });

  test("are started by the session that there is when one is needed", async () => {
    const run = await execute(["a"]);
    const first = run.worker;
    run.worker.begin("a");
    run.worker.crash();
    await run.pass();
    expect(run.worker.name).not.toBe(first.name);
    await run.finish();
  });

  test("that are gone have the processes of their items ended, and release those of items that have left", async () => {
    const processes = { release: vi.fn(), killAll: vi.fn() };
    const run = await execute(["a", "b"], { slots: 2 });
    Object.assign(run.worker, { processes });
    run.worker.done(["a"]);
    expect([processes.release.mock.calls, processes.killAll.mock.calls.length]).toEqual([[[1]], 0]);
    run.worker.lose();
    expect(processes.killAll).toHaveBeenCalledOnce();
    await run.finish();
  });
});

describe("recycling", () => {
  test("a leaving worker gives back what it has not begun, settles the rest, closes and is replaced; told once", async () => {
    const run = await execute(named(8), { slots: 4 });
    const { worker } = run;
    worker.begin("i0", "i1");
    worker.leave("after 2 items");
    worker.leave("after 2 items");
    expect([worker.items, run.recycled]).toEqual([["i0", "i1"], ["0: after 2 items"]]);
    await run.pass();
    expect(worker.types).toEqual(["items"]);
    worker.done();
    expect(worker.types).toEqual(["items", "close"]);
    await run.pass();
    expect(run.worker.items).toEqual(["i2", "i3", "i4", "i5"]);
    await run.finish();
    expect([run.keysOf("done").length, run.session.workers.length]).toEqual([8, 2]);
  });

  test("what was on its way to a leaving worker comes back as well", async () => {
    const run = await execute(named(40));
    for (let i = 0; i < 20; i++) run.worker.done();
    const { worker } = run;
    worker.begin(worker.items[0]!);
    worker.leave("at its limit");
    await run.pass();
    worker.done();
    await run.finish();
    expect(run.keysOf("done")).toEqual(named(40));
    expect(run.retries).toEqual([]);
  });

  test("one that does not close within the grace is killed", async () => {
    const run = await execute(["a", "b"], { settings: { grace: 5000 } });
    const { worker } = run;
    worker.hangs = true;
    worker.leave("at its limit");
    await run.pass(4999);
    expect(worker.isGone).toBe(false);
    await run.pass(2);
    expect(worker.isGone).toBe(true);
    await run.finish();
  });

  test("renewWorkers replaces each when it is through with what it has begun", async () => {
    const run = await execute(named(6), { workers: 2, slots: 2 });
    const [first, second] = run.workers;
    first!.begin(...first!.items);
    run.dispatcher.renewWorkers();
    await run.pass();
    expect([first!.isGone, second!.isGone]).toEqual([false, true]);
    first!.done();
    await run.pass();
    expect(first!.isGone).toBe(true);
    expect(first!.types).toEqual(["items", "drain", "close"]);
    await run.finish();
    expect([run.keysOf("done").toSorted(), run.recycled]).toEqual([named(6), []]);
  });
});

describe("workers that exit for nothing", () => {
  test("a crash while idle is a warning, and the worker is replaced", async () => {
    const run = await execute(["a", "b"]);
    run.worker.crash("a timer threw");
    await run.pass();
    expect(run.warnings).toEqual(["worker 0 crashed while idle and is replaced: a timer threw"]);
    await run.finish();
    expect(run.keysOf("done")).toEqual(["a", "b"]);
  });

  test("four that are killed in a row, quickly, do not stop the run", async () => {
    const run = await execute(["a"]);
    for (let i = 0; i < 4; i++) {
      run.worker.crash("SIGKILL");
      await run.pass(i * 50);
    }
    expect(run.isOver).toBe(false);
    await run.finish();
    expect(run.keysOf("done")).toEqual(["a"]);
  });

  test("twenty in a row while idle stop the run; each waits longer for its replacement, up to two seconds", async () => {
    const run = await execute(["a"]);
    const waits: number[] = [];
    for (let i = 0; i < 20; i++) {
      run.worker.crash("no such library");
      let waited = 0;
      for (; !run.isOver && run.workers.length === 0; waited += 10) await run.pass(10);
      waits.push(waited);
    }
    expect(waits.slice(0, 10)).toEqual([0, 20, 40, 80, 160, 320, 640, 1280, 2000, 2000]);
    expect(run.cause).toMatchObject({
      code: "environment",
      message: "20 workers in a row exited while idle: no such library",
    });
    expect(run.keysOf("cancelled")).toEqual(["a"]);
  });

  test.each([
    ["crashes", (run: TestExecution) => run.worker.crash("out of memory"), ": out of memory"],
    ["are lost", (run: TestExecution) => run.worker.lose("no route"), ": no route"],
    ["end", (run: TestExecution) => run.worker.exit({ kind: "ended" }), ""],
  ])("three that %s before they were ready stop the run", async (_how, exit, why) => {
    const run = await execute(["a"], { makesReady: false });
    for (let i = 0; i < 3; i++) {
      exit(run);
      await run.pass(20);
    }
    expect(run.cause?.message).toBe(`3 workers in a row exited before they were ready${why}`);
  });

  test("an item that settles in between begins the count anew", async () => {
    const run = await new TestExecution().run(openPlanOf(chunkOf(named(10))));
    for (let i = 0; i < 40; i++) {
      run.worker.crash();
      await run.pass(2000);
      if (i % 10 === 9) run.worker.done();
    }
    expect([run.isOver, run.keysOf("done").length]).toEqual([false, 4]);
    run.dispatcher.stop();
  });

  test("an item that crashes its worker is no such exit", async () => {
    const run = await execute(named(4));
    for (let i = 0; i < 4; i++) {
      run.worker.begin(run.worker.items[0]!);
      run.worker.crash();
      await run.pass();
    }
    expect([run.cause, run.keysOf("failed")]).toEqual([undefined, ["i0", "i1"]]);
    await run.finish();
  });
});
