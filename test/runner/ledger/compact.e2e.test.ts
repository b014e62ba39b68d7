import {
  appendFileSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { KagurazakaError, toErrorRecord } from "../../../src/base/errors.js";
import { failedItems, type LedgerIndex, loadLedger, openLedger } from "../../../src/runner/ledger/index.js";
import { listSegments } from "../../../src/runner/ledger/load-ledger.js";
import { type Compaction, compactLedger } from "../../../src/runner/tools/compact/compact-ledger.js";
import { bareLines, header, tempDir } from "./header.js";
import { somePast, tellsOf, writePast } from "./random-ledger.js";

let compactions = 0;
const compact = (dir: string, assertHeld = (): void => {}): Promise<Compaction> =>
  compactLedger({ dir, run: `c${++compactions}`, task: "T", boot: null, assertHeld });
const linesOf = (path: string): string[] => bareLines(readFileSync(path, "utf8"));
const filesOf = (dir: string): string[] => readdirSync(dir).sort();

async function record(dir: string, seq: number, work: (ledger: ReturnType<typeof openLedger>) => void, more = {}) {
  await using ledger = openLedger({ dir, header: header(`r${seq}`, seq, more), durable: false });
  work(ledger);
}

describe("compaction", () => {
  test("the compacted ledger reads like the original, for random histories: incomplete lines, damage, epochs, shards, later runs", async () => {
    let folded = 0;
    await fc.assert(
      fc.asyncProperty(somePast, somePast, fc.nat(6), async (past, after, kept) => {
        // Two files without headers follow their names, whatever lies between them: one of them may be folded, not both.
        const later = after.map((run) => ({ ...run, losesHeader: false }));
        const dir = tempDir();
        await writePast(dir, past, "r");
        const before = await loadLedger(dir);
        const told = tellsOf(before);
        const copy = tempDir();
        cpSync(dir, copy, { recursive: true });
        const oldFiles = listSegments(dir).map(({ file }) => file);

        const { changed } = await compact(dir);
        const compacted = await loadLedger(dir);
        expect(tellsOf(compacted)).toEqual(told);
        if (changed) {
          folded++;
          expect(filesOf(dir)).toHaveLength(1);
          expect(compacted.damage.count).toBe(0);
          expect(compacted.nextSeq).toBeGreaterThan(before.nextSeq);
          // Killed while it removed the old files, newest first: any number of the oldest may still be there.
          for (const file of oldFiles.slice(0, kept)) copyFileSync(join(copy, file), join(dir, file));
          expect(tellsOf(await loadLedger(dir))).toEqual(told);
        }

        const { nextSeq } = await loadLedger(dir);
        await writePast(dir, later, "s", nextSeq);
        await writePast(copy, later, "s", nextSeq);
        const toldLater = tellsOf(await loadLedger(copy));
        expect(tellsOf(await loadLedger(dir))).toEqual(toldLater);
        await compact(dir);
        expect(tellsOf(await loadLedger(dir))).toEqual(toldLater);
      }),
      { seed: 7, numRuns: 150 },
    );
    expect(folded).toBeGreaterThan(100);
  });

  test("one line per key is left, as it was written, under the header of its run", async () => {
    const dir = tempDir();
    await record(dir, 1, (ledger) => {
      for (let i = 0; i < 100; i++) ledger.appendDone(`k${i}`, i);
      ledger.appendFailed({ key: "bad", attempts: 2, ms: 1, error: toErrorRecord(new Error("boom")), item: { n: 1 } });
      ledger.appendEpochOpen({ epoch: 1, scope: {} });
    });
    await record(
      dir,
      2,
      (ledger) => {
        for (let i = 0; i < 60; i++) ledger.appendDone(`k${i}`, i, { again: true });
        for (let i = 0; i < 60; i++) ledger.appendDone(`k${i}`, i + 0.5, { again: true });
      },
      { module: "code-2", epoch: 1 },
    );
    appendFileSync(join(dir, "r2.jsonl"), '{"k":"to');
    const [first, second] = ["r1.jsonl", "r2.jsonl"].map((file) => linesOf(join(dir, file)));
    const { before, after, changed, torn, damage } = await compact(dir);
    expect({ changed, torn, damaged: damage.count }).toEqual({ changed: true, torn: 1, damaged: 0 });
    // Headers and the beginning of an epoch are there twice.
    expect(before).toMatchObject({ files: 2, lines: 103 + 121 + 1 + 3 });
    expect(after).toMatchObject({ files: 1, lines: 1 + 1 + 40 + 2 + 1 + 60 + 4 });
    const [file] = filesOf(dir);
    const lines = linesOf(join(dir, file!));
    expect(after.bytes).toBe(readFileSync(join(dir, file!)).length);
    expect(lines.slice(1)).toEqual([
      first![0],
      ...first!.slice(61, 101),
      ...first!.slice(101),
      second![0],
      ...second!.slice(61, 121),
    ]);
    expect(lines.at(-1)).toBe('{"k":"k59","s":"done","ms":59.5,"again":1}');
    expect([...failedItems(await loadLedger(dir))]).toMatchObject([{ key: "bad", run: "r1", item: { n: 1 } }]);
  });

  test("a folded ledger is left alone, and so is an empty one", async () => {
    const dir = tempDir();
    expect((await compact(join(dir, "none"))).changed).toBe(false);
    expect(existsSync(join(dir, "none"))).toBe(false);
    await record(dir, 1, (ledger) => ledger.appendDone("a", 1));
    expect((await compact(dir)).changed, "one run, nothing said twice").toBe(false);
    await record(dir, 2, (ledger) => ledger.appendDone("a", 1));
    expect((await compact(dir)).changed).toBe(true);
    const files = filesOf(dir);
    expect((await compact(dir)).changed).toBe(false);
    expect(filesOf(dir)).toEqual(files);
  });

  test("lines longer than any buffer are copied", async () => {
    const dir = tempDir();
    const long = "é".repeat(700_000);
    await record(dir, 1, (ledger) => ledger.appendDone(long, 1));
    await record(dir, 2, (ledger) => {
      ledger.appendDone("k".repeat(2_000_000), 1);
      ledger.appendDone(long, 2);
      ledger.appendDone("a", 1);
    });
    await compact(dir);
    const index = await loadLedger(dir);
    expect([long, "k".repeat(2_000_000), "a"].map((key) => index.statusOf(key)?.segment.header?.run)).toEqual([
      "r2",
      "r2",
      "r2",
    ]);
    expect(index.counts.done).toBe(3);
  });

  test("the temporary file of a killed compaction is removed by the next one; readers ignore it", async () => {
    const dir = tempDir();
    await record(dir, 1, (ledger) => ledger.appendDone("a", 1));
    await record(dir, 2, (ledger) => ledger.appendDone("b", 1));
    writeFileSync(join(dir, "compacting-x.tmp"), '{"k":"ghost","s":"done","ms":1}\n');
    expect((await loadLedger(dir)).statusOf("ghost")).toBeUndefined();
    await compact(dir);
    expect(filesOf(dir)).toEqual([`compacted-c${compactions}.jsonl`]);
  });

  test("a lost lease stops it: before the rename nothing has changed, after it nothing is removed", async () => {
    const dir = tempDir();
    await record(dir, 1, (ledger) => ledger.appendDone("a", 1));
    await record(dir, 2, (ledger) => ledger.appendDone("a", 2));
    const lost = new KagurazakaError("root-in-use", "taken over");
    await expect(
      compact(dir, () => {
        throw lost;
      }),
    ).rejects.toBe(lost);
    expect(filesOf(dir)).toEqual(["r1.jsonl", "r2.jsonl"]);
    let asked = 0;
    await expect(
      compact(dir, () => {
        if (++asked === 2) throw lost;
      }),
    ).rejects.toBe(lost);
    expect(filesOf(dir)).toEqual([`compacted-c${compactions}.jsonl`, "r1.jsonl", "r2.jsonl"]);
    expect((await loadLedger(dir)).counts.done).toBe(1);
  });

  test("a tool that knows no compacted files refuses them rather than to misread them", async () => {
    const dir = tempDir();
    await record(dir, 1, (ledger) => ledger.appendDone("a", 1));
    await record(dir, 2, (ledger) => ledger.appendDone("b", 1));
    await compact(dir);
    expect(JSON.parse(linesOf(join(dir, filesOf(dir)[0]!))[0]!).v).toBe(2);
    mkdirSync(join(dir, "later"));
    writeFileSync(join(dir, "later/x.jsonl"), '{"v":3,"run":"x","seq":1,"compacted":true}\n');
    await expect(loadLedger(join(dir, "later"))).rejects.toMatchObject({ code: "environment" });
  });

  test("a reader during compaction finds the whole ledger, before or after", async () => {
    const dir = tempDir();
    const keys = Array.from({ length: 2000 }, (_, i) => `k${i}`);
    let seq = 1;
    for (let round = 0; round < 15; round++) {
      for (let i = 0; i < 4; i++) {
        await record(dir, seq, (ledger) => keys.forEach((key) => void ledger.appendDone(key, 1)));
        seq++;
      }
      const reads: Promise<LedgerIndex>[] = [];
      const folding = compact(dir);
      for (let i = 0; i < 4; i++) reads.push(loadLedger(dir));
      await folding;
      for (const index of await Promise.all(reads)) expect(index.counts.done).toBe(2000);
      seq = (await loadLedger(dir)).nextSeq;
    }
  });
});
