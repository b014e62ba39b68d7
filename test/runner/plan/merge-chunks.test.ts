import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { type Chunk, PendingItem } from "../../../src/contracts/chunk.js";
import { ItemChunk } from "../../../src/runner/plan/item-chunk.js";
import { type ChunkSource, mergeChunks } from "../../../src/runner/plan/merge-chunks.js";

interface Recorded {
  readonly source: ChunkSource;
  readonly ends: unknown[];
  isStopped: boolean;
  returned: boolean;
}

function sourceOf(shard: number, list: (shard: number) => AsyncGenerator<Chunk>): Recorded {
  const recorded: Recorded = { ends: [], isStopped: false, returned: false } as unknown as Recorded;
  const chunks = list(shard);
  const source: ChunkSource = {
    chunks: {
      next: () => chunks.next(),
      return: async () => {
        recorded.returned = true;
        return chunks.return(undefined);
      },
    },
    isStopped: () => recorded.isStopped,
    onEnd: (error) => recorded.ends.push(error),
  };
  return Object.assign(recorded, { source });
}

const chunk = (shard: number, key: string): Chunk =>
  new ItemChunk([new PendingItem({ key, json: "{}" }, { shard, forced: false })]);

const counting = (count: number, everyMs = 0, failAt = Number.POSITIVE_INFINITY) =>
  async function* (shard: number): AsyncGenerator<Chunk> {
    for (let i = 0; i < count; i++) {
      if (everyMs > 0) await delay(everyMs);
      if (i === failAt) throw new Error(`disk ${shard} is dead`);
      yield chunk(shard, `${shard}.${i}`);
    }
  };

async function keysOf(sources: readonly Recorded[], onChunk: (key: string) => void = () => {}): Promise<string[]> {
  const keys: string[] = [];
  for await (const one of mergeChunks(sources.map(({ source }) => source))) {
    keys.push(one.keyAt(0));
    onChunk(one.keyAt(0));
  }
  return keys;
}

describe("plans merged", () => {
  test("take turns, and each keeps all its items in order", async () => {
    const sources = [0, 1, 2].map((shard) => sourceOf(shard, counting(4)));
    const keys = await keysOf(sources);
    expect(keys.slice(0, 3).map((key) => key[0])).toEqual(["0", "1", "2"]);
    for (const shard of ["0", "1", "2"])
      expect(keys.filter((key) => key[0] === shard)).toEqual([0, 1, 2, 3].map((i) => `${shard}.${i}`));
    expect(sources.map(({ ends }) => ends)).toEqual([[undefined], [undefined], [undefined]]);
  });

  test("a slow one does not delay the others", async () => {
    const keys = await keysOf([sourceOf(0, counting(2, 150)), sourceOf(1, counting(50))]);
    expect(keys.slice(0, 50).every((key) => key.startsWith("1."))).toBe(true);
    expect(keys).toHaveLength(52);
  });

  test("one that fails ends alone, with its reason", async () => {
    const sources = [sourceOf(0, counting(5, 1, 2)), sourceOf(1, counting(5, 1))];
    const keys = await keysOf(sources);
    expect(keys.filter((key) => key.startsWith("0."))).toEqual(["0.0", "0.1"]);
    expect(keys.filter((key) => key.startsWith("1."))).toHaveLength(5);
    expect(sources[0]!.ends).toEqual([expect.objectContaining({ message: "disk 0 is dead" })]);
  });

  test("a stopped one yields no more items and is closed", async () => {
    const sources = [sourceOf(0, counting(100)), sourceOf(1, counting(10))];
    const keys = await keysOf(sources, (key) => {
      if (key === "0.2") sources[0]!.isStopped = true;
    });
    expect(keys.filter((key) => key.startsWith("0."))).toEqual(["0.0", "0.1", "0.2"]);
    expect(sources.map(({ returned }) => returned)).toEqual([true, false]);
  });

  test("when no more is requested, all are closed", async () => {
    const sources = [sourceOf(0, counting(100)), sourceOf(1, counting(100))];
    for await (const one of mergeChunks(sources.map(({ source }) => source))) if (one.keyAt(0) === "1.1") break;
    expect(sources.map(({ returned }) => returned)).toEqual([true, true]);
  });
});
