import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import type { FleetShard, NodeOutcomes, UnrecordedOutcomes } from "../../../src/contracts/fleet.js";
import type { Json } from "../../../src/contracts/item.js";
import { type LedgerHeader, loadLedger, openLedger } from "../../../src/runner/ledger/index.js";
import { recordUnrecorded } from "../../../src/runner/record/unrecorded.js";
import { header, tempDir } from "../ledger/header.js";

const sent = (
  outcomes: Partial<NodeOutcomes>,
  keys = "a\nb",
  record: unknown = header("dead", 1),
): UnrecordedOutcomes => ({
  shard: { rootId: "root", record: record as Json, staging: "s", kept: "k" } satisfies FleetShard,
  chunk: { id: 0, count: 2, shard: 0, forced: false, keys, items: "{}\n{}" },
  outcomes: { chunk: 0, plain: [], rest: [], ...outcomes },
  recorded() {},
});

async function record(dir: string, all: readonly UnrecordedOutcomes[]): Promise<number> {
  async function* queue() {
    yield* all;
  }
  const shards = [{ rootId: "root", ledgerDir: dir, lease: { assertHeld() {} } }];
  return recordUnrecorded(queue(), { shards, run: "new", durable: false });
}

test("an outcome that two nodes have sent is recorded once, and the first one counts", async () => {
  const dir = tempDir();
  const failed = { index: 0, attempt: 3, status: "failed", durationMs: 1, error: { name: "E", message: "m" } } as const;
  expect(await record(dir, [sent({ plain: [0, 1, 1, 1] }), sent({ plain: [0, 2] }), sent({ rest: [failed] })])).toBe(2);
  const index = await loadLedger(dir);
  expect([index.finishedEpoch("a"), index.finishedEpoch("b")]).toEqual([0, 0]);
});

test("what the ledger has already is left out", async () => {
  const dir = tempDir();
  const ledger = openLedger({ dir, header: header("dead", 1), durable: false });
  ledger.appendDone("a", 1);
  ledger.flush();
  expect(await record(dir, [sent({ plain: [0, 1, 1, 1] })])).toBe(1);
});

test("an index that is none of the chunk is left out", async () => {
  expect(await record(tempDir(), [sent({ plain: [2, 1, -1, 1, 0.5, 1] })])).toBe(0);
});

test.each<[string, Partial<LedgerHeader> | null]>([
  ["no object", null],
  ["a run that is a path", { run: "../../x" }],
  ["an epoch that is none", { epoch: -1 }],
  ["another version", { v: 99 as never }],
])("a record with %s is left alone, and no file is made", async (_, more) => {
  const dir = tempDir();
  const all = [sent({ plain: [0, 1] }, "a\nb", more && header("dead", 1, more))];
  expect(await record(dir, all)).toBe(0);
  expect(readdirSync(dir)).toEqual([]);
});
