import { describe, expect, it } from "vitest";
import { PendingItem } from "../../../src/contracts/chunk.js";
import { ReadyQueue } from "../../../src/runner/dispatch/queues.js";
import { WaitingRoom } from "../../../src/runner/dispatch/waiting-items.js";
import { ItemChunk } from "../../../src/runner/plan/item-chunk.js";

const header = { shard: 0, forced: false };
const pending = (key: string, json = "{}") => new PendingItem({ key, json }, header);
const chunk = (...keys: string[]) => new ItemChunk(keys.map((key) => pending(key)));
const keysOf = (queue: ReadyQueue, maxItems: number, maxSize = 1000): string[] => {
  const slice = queue.take(maxItems, maxSize);
  return slice ? Array.from({ length: slice.to - slice.from }, (_, i) => slice.chunk.keyAt(slice.from + i)) : [];
};

describe("what is ready", () => {
  it("is cut up in the order of the plan", () => {
    const queue = new ReadyQueue();
    queue.push(chunk("a", "b", "c"));
    queue.push(chunk("d"));
    expect([keysOf(queue, 2), keysOf(queue, 2), keysOf(queue, 2), keysOf(queue, 2)]).toEqual([
      ["a", "b"],
      ["c"],
      ["d"],
      [],
    ]);
  });

  it("gives what came back first, the last one that came first of all", () => {
    const queue = new ReadyQueue();
    queue.push(chunk("later"));
    for (const key of ["x", "y", "z"]) queue.unshift(pending(key));
    expect([keysOf(queue, 2), keysOf(queue, 2), keysOf(queue, 2)]).toEqual([["z", "y"], ["x"], ["later"]]);
  });

  it("keeps a slice small, but never so small that a large item could not leave", () => {
    const queue = new ReadyQueue();
    queue.push(new ItemChunk([pending("a", "x".repeat(60)), pending("b", "x".repeat(60)), pending("c")]));
    expect([keysOf(queue, 9, 100), keysOf(queue, 9, 10)]).toEqual([["a", "b"], ["c"]]);
  });

  it("never gives items of two shards in one slice", () => {
    const other = { shard: 1, forced: false };
    const queue = new ReadyQueue();
    queue.push(new ItemChunk([new PendingItem({ key: "later", json: "{}" }, other)]));
    queue.unshift(pending("a"));
    queue.unshift(new PendingItem({ key: "b", json: "{}" }, other));
    queue.unshift(pending("c"));
    queue.unshift(pending("d"));
    expect([keysOf(queue, 9), keysOf(queue, 9), keysOf(queue, 9), keysOf(queue, 9)]).toEqual([
      ["d", "c"],
      ["b"],
      ["a"],
      ["later"],
    ]);
  });

  it("gives out all of one shard, in order, and keeps the rest", () => {
    const other = { shard: 1, forced: false };
    const queue = new ReadyQueue();
    queue.push(chunk("a", "b", "c"));
    queue.push(new ItemChunk([new PendingItem({ key: "x", json: "{}" }, other)]));
    queue.take(1, 1000);
    queue.unshift(pending("back"));
    expect(queue.drain(({ shard }) => shard === 0).map(({ key }) => key)).toEqual(["back", "b", "c"]);
    expect([queue.length, queue.chars, keysOf(queue, 9)]).toEqual([1, 2, ["x"]]);
  });

  it("knows how much waits", () => {
    const queue = new ReadyQueue();
    queue.push(chunk("a", "b"));
    queue.unshift(pending("c", "1234"));
    expect([queue.length, queue.chars]).toEqual([3, 8]);
    queue.take(1, 1000);
    queue.take(1, 1000);
    expect([queue.length, queue.chars]).toEqual([1, 2]);
    expect(queue.drain(() => true).map(({ key }) => key)).toEqual(["b"]);
    expect([queue.length, queue.chars]).toEqual([0, 0]);
  });
});

describe("what waits for a time", () => {
  it("comes out in the order of its times, those of one time as they came", () => {
    const room = new WaitingRoom();
    for (const [key, atMs] of [
      ["b", 20],
      ["a", 10],
      ["c", 20],
      ["d", 30],
    ] as const)
      room.add(pending(key), atMs);
    expect(room.nextMs).toBe(10);
    expect(room.takeDue(20).map(({ key }) => key)).toEqual(["a", "b", "c"]);
    expect(room.takeDue(20)).toEqual([]);
    expect(room.drain(() => true).map(({ key }) => key)).toEqual(["d"]);
    expect(room.nextMs).toBe(Number.POSITIVE_INFINITY);
  });
});
