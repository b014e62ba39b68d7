import { describe, expect, test, vi } from "vitest";
import { RetryAfterError } from "../../../src/base/errors.js";
import type { Chunk } from "../../../src/contracts/chunk.js";
import {
  chunkOf,
  execute,
  type FakeWorker,
  headerOf,
  named,
  openPlanOf,
  planOf,
  TestExecution,
  useFakeClock,
} from "./fake-session.js";

useFakeClock();
const sizes = (worker: FakeWorker): number[] => worker.batches.map(({ length }) => length);

/** The first 20 items tell whether the task works: what comes after them is fed by measured times. */
async function warmUp(run: TestExecution, ms: number): Promise<void> {
  for (let settled = 0; settled < 20; ) {
    for (const worker of run.workers) {
      settled += worker.items.length;
      worker.done(worker.items, ms);
    }
    await run.pass();
  }
}

describe("credits", () => {
  test("a worker has no more than its slots until 20 items have settled", async () => {
    const run = await execute(named(500), { slots: 3 });
    expect(run.worker.items).toEqual(["i0", "i1", "i2"]);
    run.worker.done(["i1"]);
    expect(run.worker.items).toEqual(["i0", "i2", "i3"]);
  });

  test("items are sent before a worker has said that it is ready", async () => {
    const run = await execute(named(5), { slots: 2, makesReady: false });
    expect(run.worker.items).toEqual(["i0", "i1"]);
  });

  test.each([
    { ms: 500, most: 2, what: "slower than 100 ms never wait behind one another" },
    { ms: 60, most: 4, what: "of 60 ms: the next one is at hand" },
    { ms: 10, most: 20, what: "of 10 ms: 100 ms of work for each slot" },
    { ms: 0.001, most: 2048, what: "of no time: half of the most there may be, 4096" },
  ])("measured items $what", async ({ ms, most }) => {
    const run = await new TestExecution({ slots: 2 }).run(openPlanOf(chunkOf(named(20_000))));
    await warmUp(run, ms);
    expect(run.worker.items).toHaveLength(most);
    run.dispatcher.stop();
  });

  test("a worker that is fed by measured times gets more once half of it is done", async () => {
    const run = await new TestExecution().run(openPlanOf(chunkOf(named(1000))));
    await warmUp(run, 10);
    const { worker } = run;
    const { length } = worker.batches;
    worker.done(worker.items.slice(0, 5), 10);
    expect(worker.batches.slice(length)).toEqual([]);
    worker.done(worker.items.slice(0, 1), 10);
    expect(sizes(worker).slice(length)).toEqual([6]);
    run.dispatcher.stop();
  });

  test("the worker that has least is fed first", async () => {
    const run = await execute(named(5), { workers: 2, slots: 2 });
    const [first, second] = run.workers;
    expect([first!.items, second!.items].map(({ length }) => length)).toEqual([2, 2]);
    second!.done(second!.items.slice(0, 1));
    expect(second!.items).toContain("i4");
  });

  test("workers share what is there", async () => {
    const run = await execute(named(6), { workers: 3, slots: 4 });
    expect(run.workers.map(({ items }) => items.length)).toEqual([2, 2, 2]);
  });

  test("the last items wait here, and not in a worker behind a slow one", async () => {
    const run = await new TestExecution({ workers: 2 }).run(planOf(chunkOf(named(30))));
    await warmUp(run, 0.1);
    expect(run.workers.map(({ items }) => items.length)).toEqual([1, 1]);
    await run.finish();
  });

  test("a worker with more than 16 MB in flight gets nothing more", async () => {
    const large = `"${"x".repeat(6 * 1024 * 1024)}"`;
    const run = await new TestExecution({ slots: 8 }).run(planOf(chunkOf(named(8), headerOf(), large)));
    expect(sizes(run.worker)).toEqual([1, 1, 1]);
    await run.finish();
  });
});

describe("--chunksize", () => {
  test("no message carries more items", async () => {
    const run = await execute(named(9), { slots: 8, settings: { chunksize: 3 } });
    expect(sizes(run.worker)).toEqual([3, 3, 2]);
    await run.finish();
  });

  test("left to itself, a message carries at most 1024 items and about 1 MB", async () => {
    const many = await execute(named(3000), { slots: 3000 });
    expect(Math.max(...sizes(many.worker))).toBe(1024);
    const json = `"${"x".repeat(400_000)}"`;
    const large = await new TestExecution({ slots: 4 }).run(planOf(chunkOf(named(4), headerOf(), json)));
    expect(sizes(large.worker)).toEqual([3, 1]);
    for (const run of [many, large]) run.dispatcher.stop();
  });
});

describe("the plan is pulled", () => {
  const counted = (size: number, pulled: { chunks: number }) =>
    (async function* (): AsyncGenerator<Chunk> {
      for (;;) yield chunkOf(named(size, `${pulled.chunks++}.`));
    })();

  test.each([
    { lookaheadItems: undefined, chunks: 11, what: "about a thousand items ahead" },
    { lookaheadItems: 250, chunks: 3, what: "as far ahead as is asked for" },
  ])("$what of the workers", async ({ lookaheadItems, chunks }) => {
    const pulled = { chunks: 0 };
    const run = await new TestExecution({ lookaheadItems }).run(counted(100, pulled));
    expect(pulled.chunks).toBe(chunks);
    run.worker.done();
    await run.pass();
    expect(pulled.chunks).toBeLessThanOrEqual(chunks + 1);
    run.dispatcher.stop();
  });

  test("for two rounds of the slots at least", async () => {
    const pulled = { chunks: 0 };
    const run = await new TestExecution({ lookaheadItems: 1, workers: 2, slots: 50 }).run(counted(100, pulled));
    expect(pulled.chunks).toBe(3);
    run.dispatcher.stop();
  });

  test("no further than 32 MB of items", async () => {
    const json = `"${"x".repeat(11 * 1024 * 1024)}"`;
    let pulled = 0;
    const run = await new TestExecution().run(
      (async function* (): AsyncGenerator<Chunk> {
        for (;;) yield chunkOf([`${pulled++}`], headerOf(), json);
      })(),
    );
    expect(pulled).toBe(4);
    run.dispatcher.stop();
  });
});

describe("--rate", () => {
  test("starts so many items a second, one at first", async () => {
    const run = await execute(named(100), { slots: 50, settings: { rate: { perSecond: 10 } } });
    expect(run.worker.items).toHaveLength(1);
    await run.pass(1000);
    expect(run.worker.items).toHaveLength(11);
    await run.pass(2000);
    expect(run.worker.items).toHaveLength(31);
    run.dispatcher.stop();
  });

  test("is no burst after a rest", async () => {
    const run = await new TestExecution({ slots: 500, settings: { rate: { perSecond: 100 } } }).run(
      (async function* () {
        await new Promise((resolve) => setTimeout(resolve, 10_000));
        yield chunkOf(named(200));
      })(),
    );
    await run.pass(10_000);
    expect(run.worker.items).toHaveLength(10);
    run.dispatcher.stop();
  });
});

describe("which item is where", () => {
  test("is told before items are sent, and when a worker is gone", async () => {
    const wasSent: boolean[] = [];
    const inFlight = { sending: vi.fn((worker) => void wasSent.push(worker.inFlight.size > 0)), gone: vi.fn() };
    const run = await execute(["a", "b"], { inFlight });
    expect(inFlight.sending.mock.calls).toEqual([[expect.objectContaining({ id: 0 }), 0, "a"]]);
    expect(wasSent).toEqual([false]);
    run.worker.begin("a");
    run.worker.lose();
    expect(inFlight.gone.mock.calls).toEqual([[expect.objectContaining({ id: 0 })]]);
    await run.finish();
  });
});

describe("an executor that fills batches", () => {
  const batches = { slots: 2, queue: 2 };

  test("has as many items waiting as it asks for, besides those that run", async () => {
    const run = await execute(named(9), batches);
    expect(run.worker.items).toHaveLength(4);
    run.worker.done(["i0"]);
    expect(run.worker.items).toHaveLength(4);
    await run.finish();
  });

  test("gets a full batch, rather than each worker a part of one", async () => {
    const run = await execute(named(12), { workers: 2, slots: 8, queue: 8 });
    expect(run.workers.map(({ items }) => items.length)).toEqual([8, 4]);
    await run.finish();
  });

  test("is told once that nothing more comes, when the list has ended and nothing is ready", async () => {
    const run = await execute(named(5), batches);
    await run.pass(1000);
    expect(run.worker.types).toEqual(["items"]);
    run.worker.done(["i0"]);
    run.worker.done(["i1"]);
    expect(run.worker.types).toEqual(["items", "items", "flush"]);
    await run.finish();
  });

  test("is told again after new items", async () => {
    const run = await execute(named(2), { ...batches, settings: { retries: 1 } });
    expect(run.worker.types).toEqual(["items", "flush"]);
    run.worker.fail("i0");
    await run.pass(1000);
    expect(run.worker.types).toEqual(["items", "flush", "items", "flush"]);
    await run.finish();
  });

  test("is not told while the list goes on", async () => {
    const run = await new TestExecution(batches).run(openPlanOf(chunkOf(named(3))));
    await run.pass(60_000);
    expect(run.worker.types).toEqual(["items"]);
    run.dispatcher.stop();
  });

  test("is told when a rate keeps the next items back", async () => {
    const run = await execute(named(9), { ...batches, settings: { rate: { perSecond: 1 } } });
    expect(run.worker.types).toEqual(["items", "flush"]);
    await run.pass(1001);
    expect(run.worker.types).toEqual(["items", "flush", "items", "flush"]);
    run.dispatcher.stop();
  });

  test("is told when a service asked for patience", async () => {
    const run = await execute(named(9), batches);
    run.worker.fail("i0", new RetryAfterError(5000, "model"));
    expect(run.worker.types).toEqual(["items", "flush"]);
    await run.finish();
  });

  test("is told when it holds so many bytes that it gets no more", async () => {
    const large = `"${"x".repeat(9 * 1024 * 1024)}"`;
    const run = await new TestExecution(batches).run(openPlanOf(chunkOf(named(4), headerOf(), large)));
    expect(run.worker.types).toEqual(["items", "items", "flush"]);
    run.dispatcher.stop();
  });

  test("is told in quarantine, and before it when it is to become empty", async () => {
    const run = await new TestExecution({ ...batches, workers: 2 }).run(openPlanOf(chunkOf(named(3))));
    const [first, second] = run.workers;
    expect([first!.items, second!.items]).toEqual([["i0", "i1"], ["i2"]]);
    first!.begin("i0");
    first!.crash();
    await run.pass();
    const fresh = run.workers.at(-1)!;
    expect([fresh.batches, fresh.types]).toEqual([[["i0"]], ["items", "flush"]]);
    run.dispatcher.stop();
  });

  test("never waits for items that the feeder keeps back", async () => {
    // Whatever the shape: an executor that has no batch and was not flushed has a free credit for each item it waits for.
    for (const [slots, queue] of [
      [1, 64],
      [8, 32],
      [8, 8],
      [4, 100],
    ] as const) {
      const run = await new TestExecution({ slots, queue }).run(openPlanOf(chunkOf(named(20_000))));
      for (let round = 0; round < 100; round++) {
        expect(run.worker.items.length, `shape ${slots}, ${queue}`).toBeGreaterThanOrEqual(queue + slots);
        run.worker.done(run.worker.items.slice(0, slots), 2);
      }
      run.dispatcher.stop();
    }
  });

  test("an executor without a queue is never told", async () => {
    const run = await execute(named(3), { slots: 2, settings: { rate: { perSecond: 1 } } });
    await run.pass(10_000);
    run.worker.done();
    await run.finish();
    expect(run.session.workers[0]!.types).not.toContain("flush");
  });
});
