import { expect, test } from "vitest";
import { ShardPool } from "../../../src/data/loader/shard-pool.js";
import type { OpenedShard } from "../../../src/data/loader/source-reader.js";
import type { SourceShard } from "../../../src/data/source/source.js";

interface Opened extends OpenedShard {
  isOpen: boolean;
}

/** Shards whose closing takes a turn of the event loop, as that of a file does. */
function pool() {
  const all: Opened[] = [];
  const made = new ShardPool(async () => {
    const opened: Opened = {
      shard: undefined as never,
      hasSchema: false,
      isOpen: true,
      async [Symbol.asyncDispose]() {
        await new Promise(setImmediate);
        opened.isOpen = false;
      },
    };
    all.push(opened);
    return opened;
  });
  return { pool: made, all, open: () => all.filter(({ isOpen }) => isOpen).length };
}

const shards = Array.from({ length: 12 }, (_, i) => ({ name: `${i}` }) as SourceShard);

test("shards of one name are not taken for one another", async () => {
  const { pool: made, all } = pool();
  await made.use({ ...shards[0]! }, async () => {});
  await made.use({ ...shards[0]! }, async () => {});
  expect(all).toHaveLength(2);
  await made[Symbol.asyncDispose]();
});

test("a shard in use is never closed, and none is forgotten open", async () => {
  const { pool: made, open } = pool();
  let broken = 0;
  const reader = async (seed: number): Promise<void> => {
    for (let i = 0; i < 60; i++)
      await made.use(shards[(seed * 7 + i * (seed + 1)) % shards.length]!, async (opened) => {
        if (i % 3 === 0) await new Promise(setImmediate);
        if (i % 5 === 0) await Promise.resolve();
        if (!(opened as Opened).isOpen) broken++;
      });
  };
  const closing = (async () => {
    for (let i = 0; i < 60; i++) {
      await made[Symbol.asyncDispose]();
      await new Promise(setImmediate);
    }
  })();
  await Promise.all([...Array.from({ length: 6 }, (_, seed) => reader(seed)), closing]);
  expect(broken).toBe(0);
  await made[Symbol.asyncDispose]();
  expect(open()).toBe(0);
});

test("a shard that cannot be opened is tried again", async () => {
  let calls = 0;
  const made = new ShardPool(async () => {
    if (++calls === 1) throw new Error("busy");
    return { [Symbol.asyncDispose]: async () => {} } as unknown as OpenedShard;
  });
  await expect(made.use(shards[0]!, async () => 1)).rejects.toThrow("busy");
  expect(await made.use(shards[0]!, async () => 2)).toBe(2);
  await made[Symbol.asyncDispose]();
});
