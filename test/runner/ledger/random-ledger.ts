import { appendFileSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { failedItems, type LedgerIndex, openLedger } from "../../../src/runner/ledger/index.js";
import { runOf } from "../../../src/runner/ledger/segment.js";
import { header } from "./header.js";

/** Keys that are plain, that need escapes, that are long, and that are no ASCII. */
export const someKeys = ["a", "b", "sub/c.txt", 'quo"te', "new\nline", "größe", "🦄", "\ud800", "k".repeat(300)];

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant("done" as const), key: fc.constantFrom(...someKeys), again: fc.boolean() }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("failed" as const), key: fc.constantFrom(...someKeys), text: fc.string() }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("filtered" as const), key: fc.constantFrom(...someKeys) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("open" as const),
      epoch: fc.nat(3),
      scope: fc.nat(2),
      partial: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("complete" as const), epoch: fc.nat(3), scope: fc.nat(2) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("raw" as const),
      text: fc.constantFrom("", "\0\0garbage", '{"k":"a","s":"do', '{"mark":1}', ' { "s":"done", "k":"b", "ms":1 }'),
    }),
  },
);

/** One run of a made-up past: shards side by side have one `seq`, code and options change, ends are cut off. */
const run = fc.record({
  seq: fc.integer({ min: 1, max: 4 }),
  module: fc.constantFrom("code-1", "code-2"),
  version: fc.constantFrom(null, "v1"),
  options: fc.constantFrom("options-1", "options-2"),
  epoch: fc.nat(3),
  boot: fc.constantFrom(null, "boot-1"),
  shard: fc.constantFrom(null, { index: 0, of: 2 }, { index: 1, of: 2 }),
  steps: fc.array(step, { maxLength: 14 }),
  cut: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(60) }),
  losesHeader: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
});
export const somePast = fc.array(run, { maxLength: 6 });
export type Past = typeof somePast extends fc.Arbitrary<infer T> ? T : never;

const scopes = [{}, { only: ["a*"] }, { shard: { index: 0, of: 2 } }];

/** Writes it as the product does, then damages it. `firstSeq`: a past that follows upon another. */
export async function writePast(dir: string, past: Past, names: string, firstSeq = 0): Promise<void> {
  for (const [number, { seq, steps, cut, losesHeader, shard, ...made }] of past.entries()) {
    const name = `${names}${number}`;
    const ledger = openLedger({
      dir,
      header: header(name, firstSeq + seq, { ...made, shard: { soft: [], hash: shard } }),
      durable: false,
    });
    ledger.create();
    for (const one of steps) {
      if (one.do === "raw") {
        ledger.flush();
        appendFileSync(ledger.path, `${one.text}\n`);
      } else if (one.do === "done")
        ledger.appendDone(one.key, 1.5, one.again ? { again: true, attempts: 2 } : undefined);
      else if (one.do === "filtered") ledger.appendFiltered(one.key, 1, "why not");
      else if (one.do === "failed") {
        const error = { name: "Error", message: one.text };
        ledger.appendFailed({ key: one.key, attempts: 3, ms: 1, error, item: { text: one.text } });
      } else if (one.do === "open")
        ledger.appendEpochOpen({
          epoch: one.epoch,
          scope: scopes[one.scope]!,
          ...(one.partial ? { partial: true } : {}),
        });
      else ledger.appendEpochComplete({ epoch: one.epoch, scope: scopes[one.scope]! });
    }
    await ledger[Symbol.asyncDispose]();
    const path = join(dir, `${name}.jsonl`);
    const bytes = readFileSync(path);
    const copy = bytes.indexOf('{"copy"');
    if (losesHeader) writeFileSync(path, bytes.fill(0x21, 2, 9).fill(0x21, copy + 2, copy + 9));
    if (cut > 0) truncateSync(path, Math.max(0, bytes.length - cut));
  }
}

/** All that a ledger tells anybody, whatever files it lies in. */
export function tellsOf(index: LedgerIndex): unknown {
  const statuses = someKeys.map((key) => {
    const found = index.statusOf(key);
    if (!found) return [key];
    const { header } = found.segment;
    const { module = "", version = null, options = "", boot = null } = header ?? {};
    const shard = header?.shard ?? { soft: [], hash: null };
    return [key, found.status, found.epoch, runOf(found.segment), { module, version, options, boot, shard }];
  });
  const byKey = (a: { key: string }, b: { key: string }): number => (a.key < b.key ? -1 : 1);
  return {
    statuses,
    counts: index.counts,
    epochs: index.epochs,
    failed: [...failedItems(index)].sort(byKey),
    made: index
      .doneByProvenance()
      .map((made) => JSON.stringify(made))
      .sort(),
  };
}
