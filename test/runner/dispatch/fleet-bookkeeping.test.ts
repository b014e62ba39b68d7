import { afterEach, describe, expect, test, vi } from "vitest";
import type { Chunk } from "../../../src/contracts/chunk.js";
import type { ExecutionEvents } from "../../../src/contracts/execution.js";
import type { ChunkMessage, FleetQueue } from "../../../src/contracts/fleet.js";
import { unpackKeys } from "../../../src/contracts/wire.js";
import { FleetBookkeeping } from "../../../src/runner/dispatch/fleet-bookkeeping.js";
import { chunkOf, named, planOf, useFakeClock } from "./fake-session.js";

useFakeClock();

const names = [
  "onDone",
  "onSettled",
  "onMessageDone",
  "onRetry",
  "onShardFailed",
  "onMessage",
  "onWarning",
  "onRecycled",
];
const allEvents = Object.fromEntries(names.map((name) => [name, () => {}])) as unknown as ExecutionEvents;
let open: FleetBookkeeping | undefined;
afterEach(() => open?.stop());

/** The messages that a queue gets of a run over so many items, or over these chunks. */
async function start(
  items: number | readonly Chunk[],
  rate: { perSecond: number } | undefined,
  events: Partial<ExecutionEvents> = {},
  chunksize: number | "auto" = "auto",
): Promise<ChunkMessage[]> {
  const sent: ChunkMessage[] = [];
  const queue: FleetQueue = { send: (chunk) => void sent.push(chunk), drain() {}, end: async () => {} };
  const chunks = typeof items === "number" ? [chunkOf(named(items))] : items;
  open = new FleetBookkeeping(queue, { chunksize, grace: 1000, stall: undefined, rate });
  void open.run(planOf(...chunks), { ...allEvents, ...events });
  await vi.advanceTimersByTimeAsync(0);
  const snapshot = { inFlight: 0, waiting: 0, scopes: [], oldest: undefined };
  open.onNodeMessage({ type: "heartbeat", node: "a", snapshot, quietMs: 0 });
  return sent;
}

/** As a node does, at once. */
function settle(sent: readonly ChunkMessage[], from: number): void {
  for (const { id, count } of sent.slice(from)) {
    const plain = Array.from({ length: count }, (_, index) => [index, 1]).flat();
    open!.onOutcomes({ chunk: id, plain, rest: [] }, () => {});
  }
}

const items = (sent: readonly ChunkMessage[]): number => sent.flatMap(({ keys }) => unpackKeys(keys)).length;

describe("--rate on a fleet", () => {
  test("so many items a second go to the queue, one at first", async () => {
    const sent = await start(200, { perSecond: 10 });
    expect(items(sent)).toBe(1);
    await vi.advanceTimersByTimeAsync(1000);
    expect(items(sent)).toBe(11);
    await vi.advanceTimersByTimeAsync(2000);
    expect(items(sent)).toBe(31);
  });

  test("bounds the items of a chunk, too, once chunks are large", async () => {
    const sent = await start(2000, { perSecond: 100 });
    for (let second = 1, from = 0; second <= 3; second++) {
      await vi.advanceTimersByTimeAsync(1000);
      expect(items(sent)).toBeLessThanOrEqual(100 * second + 1);
      const known = sent.length;
      settle(sent, from);
      from = known;
    }
    // Before any has settled, few are sent.
    expect(items(sent)).toBeGreaterThan(230);
  });

  test("without a rate, a window of chunks goes at once, a small one until it is known how long items take", async () => {
    const sent = await start(2000, undefined, {}, 1);
    expect(items(sent)).toBe(32);
    settle(sent, 0);
    expect(items(sent)).toBe(32 + 128);
  });
});

describe("what comes back without an outcome", () => {
  test("is sent again in another chunk, and the old one is closed", async () => {
    const sent = await start(3, undefined);
    open!.onGivenBack(0);
    expect(sent.map(({ id, keys, isolated }) => [id, keys, isolated])).toEqual([
      [0, "i0", undefined],
      [1, "i1", undefined],
      [2, "i2", undefined],
      [3, "i0", undefined],
    ]);
    expect(open!.isOpen(0)).toBe(false);
  });

  test("of a lost node is sent again isolated, and so is what comes back of that", async () => {
    const sent = await start(2, undefined);
    open!.onLost(1);
    open!.onGivenBack(2);
    expect(sent.map(({ keys, isolated }) => [keys, isolated])).toEqual([
      ["i0", undefined],
      ["i1", undefined],
      ["i1", true],
      ["i1", true],
    ]);
  });

  test("an item that was alone on a second lost node fails; one that had not begun there does not", async () => {
    const settled: unknown[] = [];
    const sent = await start(2, undefined, {
      onSettled: (item, { status, error }) => settled.push([item.key, status, error?.code]),
    });
    open!.onLost(0);
    open!.onLost(1);
    expect(sent.slice(2).map(({ id, keys }) => [id, keys])).toEqual([
      [2, "i0"],
      [3, "i1"],
    ]);
    open!.onBegunAlone(2, 0);
    open!.onLost(2);
    open!.onLost(3);
    expect(settled).toEqual([["i0", "failed", "crash"]]);
    expect(sent.at(-1)).toMatchObject({ keys: "i1", isolated: true });
  });

  test("an outcome that comes a second time is dropped, and told at the end", async () => {
    const warnings: string[] = [];
    const done: string[] = [];
    const sent = await start(1, undefined, {
      onDone: (chunk, index) => void done.push(chunk.keyAt(index)),
      onWarning: (text) => void warnings.push(text),
    });
    open!.onLost(0);
    settle(sent, 1);
    expect(done).toEqual(["i0"]);
    open!.onOutcomes({ chunk: 0, plain: [0, 1], rest: [] }, () => {});
    expect(done).toEqual(["i0"]);
  });

  describe("of a node that was taken for lost and reports after all", () => {
    const lateAfter = async (whatHappens: (sent: readonly ChunkMessage[]) => void) => {
      const done: string[] = [];
      const settled: unknown[] = [];
      const sent = await start(2, undefined, {
        onDone: (chunk, index) => void done.push(chunk.keyAt(index)),
        onSettled: (item, { status }) => settled.push([item.key, status]),
      });
      open!.onLost(0);
      whatHappens(sent);
      open!.onOutcomes({ chunk: 0, plain: [0, 1], rest: [] }, () => {});
      return { sent, done, settled };
    };

    test("the first outcome counts, though another node has begun the item: when that one is lost, it is not to blame", async () => {
      const { done, settled } = await lateAfter(() => open!.onBegunAlone(2, 0));
      open!.onLost(2);
      expect([done, settled]).toEqual([["i0"], []]);
    });

    test("its own second outcome, and that of the other node, are dropped", async () => {
      const { sent, done } = await lateAfter(() => {});
      open!.onOutcomes({ chunk: 0, plain: [0, 1], rest: [] }, () => {});
      settle(sent, 2);
      expect(done).toEqual(["i0"]);
    });

    test("the same after a second loss, and after it was given back", async () => {
      expect((await lateAfter(() => open!.onLost(2))).done).toEqual(["i0"]);
      open!.stop();
      expect((await lateAfter(() => open!.onGivenBack(2))).done).toEqual(["i0"]);
    });

    test("an item that waits to be sent again is not sent", async () => {
      const done: string[] = [];
      const onDone = (chunk: Chunk, index: number): void => void done.push(chunk.keyAt(index));
      const sent = await start(2000, undefined, { onDone }, 40);
      const before = sent.length;
      open!.onLost(0);
      // There is room for 32 of the 40 items.
      expect(sent.slice(before).map(({ count, isolated }) => [count, isolated])).toEqual([
        [16, true],
        [16, true],
      ]);
      open!.onOutcomes({ chunk: 0, plain: named(40).flatMap((_, index) => [index, 1]), rest: [] }, () => {});
      await vi.advanceTimersByTimeAsync(0);
      settle(sent, before);
      expect(done.slice(0, 40)).toEqual(named(40));
      expect(new Set(done).size).toBe(done.length);
      expect(sent.slice(before + 2).some(({ isolated }) => isolated)).toBe(false);
    });

    test("one that was cancelled stays cancelled", async () => {
      const { done, settled } = await lateAfter(() => open!.drain(1000));
      expect(done).toEqual(["i0"]);
      expect(settled).toEqual([]);
      open!.stop();
      const late = await lateAfter(() => {
        open!.drain(1000);
        open!.onGivenBack(2);
      });
      expect([late.done, late.settled]).toEqual([[], [["i0", "cancelled"]]]);
    });
  });

  test("while the run drains, it is cancelled", async () => {
    const settled: unknown[] = [];
    await start(1, undefined, { onSettled: (item, { status }) => settled.push([item.key, status]) });
    open!.drain(1000);
    open!.onLost(0);
    expect(settled).toEqual([["i0", "cancelled"]]);
  });
});

describe("an item that is too large for a queue", () => {
  test("fails, and the others are sent", async () => {
    const settled: unknown[] = [];
    const huge = chunkOf(["huge"], undefined, `"${"x".repeat(65 * 1024 * 1024)}"`);
    const sent = await start([chunkOf(["a"]), huge, chunkOf(["b"])], undefined, {
      onSettled: (item, { status, error }) => settled.push([item.key, status, error?.code]),
    });
    expect(sent.map(({ keys }) => keys)).toEqual(["a", "b"]);
    expect(settled).toEqual([["huge", "failed", "item-too-large"]]);
  });
});

test("a run that is stopped before it begins tells the queue that it is over", async () => {
  const ends: string[] = [];
  const queue: FleetQueue = { send() {}, drain() {}, end: async (how) => void ends.push(how) };
  open = new FleetBookkeeping(queue, { chunksize: "auto", grace: 1000, stall: undefined, rate: undefined });
  open.drain(1000);
  await open.run(planOf(chunkOf(named(2))), allEvents);
  expect(ends).toEqual(["done"]);
});
