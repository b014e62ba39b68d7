import { afterEach, describe, expect, test, vi } from "vitest";
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

/** The messages that a queue gets of a run over `count` items. */
async function start(
  count: number,
  rate: { perSecond: number } | undefined,
  events: Partial<ExecutionEvents> = {},
): Promise<ChunkMessage[]> {
  const sent: ChunkMessage[] = [];
  const queue: FleetQueue = { send: (chunk) => void sent.push(chunk), drain() {}, end: async () => {} };
  open = new FleetBookkeeping(queue, { chunksize: "auto", grace: 1000, stall: undefined, rate });
  void open.run(planOf(chunkOf(named(count))), { ...allEvents, ...events });
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
    expect(items(sent)).toBeGreaterThan(290);
  });

  test("without a rate, a window of chunks goes at once", async () =>
    expect(items(await start(200, undefined))).toBe(128));
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

  test("while the run drains, it is cancelled", async () => {
    const settled: unknown[] = [];
    await start(1, undefined, { onSettled: (item, { status }) => settled.push([item.key, status]) });
    open!.drain(1000);
    open!.onLost(0);
    expect(settled).toEqual([["i0", "cancelled"]]);
  });
});
