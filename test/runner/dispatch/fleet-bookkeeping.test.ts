import { afterEach, describe, expect, test, vi } from "vitest";
import type { ExecutionEvents } from "../../../src/contracts/execution.js";
import type { ChunkMessage, FleetQueue } from "../../../src/contracts/fleet.js";
import { unpackKeys } from "../../../src/contracts/wire.js";
import { FleetBookkeeping } from "../../../src/runner/dispatch/fleet-bookkeeping.js";
import { chunkOf, named, planOf, useFakeClock } from "./fake-session.js";

useFakeClock();

const noEvents = new Proxy({}, { get: () => () => {} }) as ExecutionEvents;
let open: FleetBookkeeping | undefined;
afterEach(() => open?.stop());

/** The messages that a queue gets of a run over `count` items. */
async function start(count: number, rate: { perSecond: number } | undefined): Promise<ChunkMessage[]> {
  const sent: ChunkMessage[] = [];
  const queue: FleetQueue = { send: (chunk) => void sent.push(chunk), drain() {}, end: async () => {} };
  open = new FleetBookkeeping(queue, { chunksize: "auto", grace: 1000, stall: undefined, rate });
  void open.run(planOf(chunkOf(named(count))), noEvents);
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

  test("without a rate, all go at once", async () => expect(items(await start(200, undefined))).toBe(200));
});
