import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readLastCheckpoint } from "../../../src/runner/ledger/checkpoints/last-checkpoint.js";
import { type LedgerHeader, loadLedger } from "../../../src/runner/ledger/index.js";
import { header, tempDir } from "./header.js";

const here = { boot: "now", host: "h" };
const T0 = Date.parse("2025-01-01T00:00:00.000Z");
const at = (seconds: number): string => new Date(T0 + seconds * 1000).toISOString();
const done = (key: string): string => `{"k":"${key}","s":"done","ms":1}`;

interface Written {
  readonly run: string;
  readonly seq: number;
  readonly boot?: string;
  readonly more?: Partial<LedgerHeader>;
  /** A number: a checkpoint at this time, which covers all lines so far; a text: a line. */
  readonly lines: readonly (string | number | { sync: number; upto?: number; end?: true; settled?: true })[];
}

const without = ({ sync: _, ...rest }: { sync: number; upto?: number }): object => rest;

/** A segment as a run of that boot leaves it. */
function segment(dir: string, { run, seq, boot = "before", more = {}, lines }: Written): string {
  const path = join(dir, `${run}.jsonl`);
  const head = header(run, seq, { boot, host: "h", at: at(seq * 100), ...more });
  writeFileSync(path, `${JSON.stringify(head)}\n`);
  for (const line of lines) {
    const checkpoint = typeof line === "number" ? { sync: line } : line;
    const upto = readFileSync(path).length;
    appendFileSync(
      path,
      `${typeof checkpoint === "string" ? checkpoint : JSON.stringify({ sync: at(checkpoint.sync), upto, ...without(checkpoint) })}\n`,
    );
  }
  return path;
}

const times = (changed: number, written = changed): { ctimeMs: number; mtimeMs: number } => ({
  ctimeMs: T0 + changed * 1000,
  mtimeMs: T0 + written * 1000,
});

const unsyncedKeys = async (dir: string, keys: string): Promise<string> => {
  const index = await loadLedger(dir, here);
  return [...keys].filter((key) => index.statusOf(key)?.mayBeUnsynced).join("");
};

describe("a ledger of a boot that is over", () => {
  test("lines after the last checkpoint may be unsynced, and so may a line written during the sync", async () => {
    const dir = tempDir();
    const path = segment(dir, { run: "r1", seq: 1, lines: [done("a"), 110, done("b")] });
    const upto = readFileSync(path).length;
    appendFileSync(path, `${done("c")}\n{"sync":"${at(120)}","upto":${upto}}\n${done("d")}\n`);
    appendFileSync(
      path,
      '{"k":"e","s":"filtered","ms":1,"reason":"-"}\n{"k":"f","s":"failed","ms":1,"class":"E","error":{"message":"e"}}\n{"k":"g","s":"do',
    );
    const index = await loadLedger(dir, here);
    expect(await unsyncedKeys(dir, "abcdefg")).toBe("cde");
    expect(index.unsyncedKeys).toBe(3);
    expect(index.counts).toEqual({ done: 4, filtered: 1, failed: 1 });
    expect(index.isFullySynced).toBe(false);
    // Those are made again, whatever they were made by.
    expect(index.doneByProvenance()).toMatchObject([{ doneKeys: 2 }]);
    expect(index.nextSeq).toBe(2);
  });

  test("without a checkpoint every result is", async () => {
    const dir = tempDir();
    segment(dir, { run: "r1", seq: 1, lines: [done("a"), '{"k":"ä","s":"done","ms":1,"n":2}'] });
    expect(await unsyncedKeys(dir, "aä")).toBe("aä");
  });

  test("no result is in the same boot, after --durable, or without boot ids", async () => {
    for (const more of [{ boot: "now" }, { durable: true as const }, { boot: null }, { host: undefined }]) {
      const dir = tempDir();
      segment(dir, { run: "r1", seq: 1, more, lines: [done("a")] });
      const index = await loadLedger(dir, here);
      expect([index.isFullySynced, index.statusOf("a")?.mayBeUnsynced], JSON.stringify(more)).toEqual([true, false]);
      expect(index.outputMayBeUnsynced("x", times(200))).toBe(false);
    }
    const dir = tempDir();
    segment(dir, { run: "r1", seq: 1, lines: [done("a")] });
    expect((await loadLedger(dir)).isFullySynced).toBe(true);
    expect((await loadLedger(dir, { boot: null, host: "h" })).isFullySynced).toBe(true);
  });

  test("on a disk of its own the machine may have had another name", async () => {
    const dir = tempDir();
    segment(dir, { run: "r1", seq: 1, more: { host: "container-7" }, lines: [done("a")] });
    expect(await unsyncedKeys(dir, "a")).toBe("a");
  });

  test("a checkpoint covers the segments that its run `covers`; a run without a checkpoint covers none", async () => {
    for (const [checkpoints, expected] of [
      [[], "abc"],
      [[210], "c"],
    ] as const) {
      const dir = tempDir();
      segment(dir, { run: "r1", seq: 1, lines: [done("a"), 105, done("b")] });
      segment(dir, { run: "r2", seq: 2, more: { covers: ["r1.jsonl"] }, lines: [...checkpoints, done("c")] });
      expect(await unsyncedKeys(dir, "abc")).toBe(expected.replace("a", ""));
    }
  });

  test("results recorded again in a later boot are synced, unless that boot left them unsynced", async () => {
    const dir = tempDir();
    segment(dir, { run: "r1", seq: 1, boot: "first", lines: [done("a"), done("b"), done("c")] });
    segment(dir, { run: "r2", seq: 2, boot: "second", lines: [done("a"), 210, done("b")] });
    segment(dir, { run: "r3", seq: 3, boot: "now", lines: [done("d")] });
    const index = await loadLedger(dir, here);
    expect(await unsyncedKeys(dir, "abcd")).toBe("bc");
    expect(index.unsyncedKeys).toBe(2);
    expect(index.windows).toEqual([
      { fromMs: T0 + 100_000, toMs: T0 + 200_000, seq: 1 },
      { fromMs: T0 + 210_000, toMs: T0 + 300_000, seq: 2 },
    ]);
  });

  test("a run that ended with a checkpoint leaves nothing unsynced", async () => {
    const dir = tempDir();
    segment(dir, { run: "r1", seq: 1, lines: [done("a"), { sync: 110, end: true }] });
    const index = await loadLedger(dir, here);
    expect([index.isFullySynced, index.windows]).toEqual([true, []]);
  });

  test("a later run that looked at everything settles outputs that may be unsynced", async () => {
    const more = { input: "A" };
    for (const boot of ["now", "second"]) {
      const dir = tempDir();
      segment(dir, { run: "r1", seq: 1, boot: "first", more, lines: [done("a"), done("b")] });
      segment(dir, { run: "r2", seq: 2, boot, more, lines: [done("a"), { sync: 210, end: true, settled: true }] });
      const index = await loadLedger(dir, here);
      expect(index.windows).toEqual([]);
      // It is not among the items any more; should it come back, it is made again.
      expect(await unsyncedKeys(dir, "ab")).toBe("b");
    }
  });

  test.each<[string, before: (string | undefined)[], later: (string | undefined)[], isSettled: boolean]>([
    ["another list than those", ["A"], ["B"], false],
    ["one of two lists", ["A", "B"], ["B"], false],
    ["each of two lists, in runs of their own", ["A", "B"], ["B", "A"], true],
    ["a list that cannot be told from another", [undefined], [undefined], false],
    ["a list, where one beside it cannot be told", ["A", undefined], ["A"], false],
  ])(
    "a later run that looked at everything in %s: what was recorded by %j, by %j after it",
    async (_what, before, later, isSettled) => {
      const dir = tempDir();
      const more = (input: string | undefined): Partial<LedgerHeader> => (input === undefined ? {} : { input });
      for (const [i, input] of before.entries())
        segment(dir, { run: `r${i}`, seq: 1 + i, more: more(input), lines: [] });
      for (const [i, input] of later.entries())
        segment(dir, {
          run: `s${i}`,
          seq: 10 + i,
          boot: "now",
          more: more(input),
          lines: [done("a"), { sync: 1010, end: true, settled: true }],
        });
      expect((await loadLedger(dir, here)).windows).toHaveLength(isSettled ? 0 : 1);
    },
  );

  test("the cut falls right in a segment of many blocks", async () => {
    const dir = tempDir();
    const many = Array.from({ length: 60_000 }, (_, i) => done(`key ${i}`));
    const path = segment(dir, { run: "r1", seq: 1, lines: [many.slice(0, 45_678).join("\n"), 110] });
    appendFileSync(path, `${many.slice(45_678).join("\n")}\n`);
    const index = await loadLedger(dir, here);
    expect(index.unsyncedKeys).toBe(60_000 - 45_678);
    expect([45_677, 45_678].map((i) => index.statusOf(`key ${i}`)?.mayBeUnsynced)).toEqual([false, true]);
    expect(index.counts.done).toBe(60_000);
    expect(index.segments.map(({ doneKeys }) => doneKeys)).toEqual([45_678, 60_000 - 45_678]);
  });
});

describe("an output by its last change", () => {
  test.each([
    ["before the checkpoint, and no line of it", "x", 105, false],
    ["less than two seconds before it: some disks count no finer", "x", 108.5, true],
    ["after it", "x", 111, true],
    ["recorded before the checkpoint", "a", 109.9, false],
    ["recorded before the checkpoint, and changed after it: its new line is lost", "a", 111, true],
    ["recorded by a later boot", "b", 111, false],
    ["after the next run began", "x", 201, false],
    ["recorded before the checkpoint, and copied after it with its old time", "a", 111, false, 109],
    ["copied after the checkpoint with an old time, and no line of it: a task may have set it", "x", 111, true, 50],
    ["recorded before the checkpoint, given a time of the future, and not changed since", "a", 109, false, 900],
  ])("%s: %s, %f s", async (_what, key, changed, unsynced, written = changed) => {
    const dir = tempDir();
    segment(dir, { run: "r1", seq: 1, lines: [done("a"), 110, done("c")] });
    segment(dir, { run: "r2", seq: 2, boot: "now", lines: [done("b")] });
    expect((await loadLedger(dir, here)).outputMayBeUnsynced(key, times(changed, written))).toBe(unsynced);
  });

  test("without a checkpoint: since the first run of that boot began, also when the clock was set back", async () => {
    const dir = tempDir();
    segment(dir, { run: "r1", seq: 1, lines: [] });
    segment(dir, { run: "r2", seq: 2, boot: "now", more: { at: at(-5000) }, lines: [done("b")] });
    const index = await loadLedger(dir, here);
    expect([97, 99, 1e9].map((seconds) => index.outputMayBeUnsynced("x", times(seconds)))).toEqual([false, true, true]);
  });
});

describe("the last checkpoint of a segment", () => {
  const line = (upto: number): string => `{"sync":"${at(0)}","upto":${upto}}`;

  test.each([0, 1, 100, 1024 * 1024 - 60, 1024 * 1024 - 20, 1024 * 1024, 3 * 1024 * 1024])(
    "is found %i bytes before the end",
    (bytes) => {
      const path = join(tempDir(), "x.jsonl");
      const filling = bytes === 0 ? "" : `${"x".repeat(bytes - 1)}\n`;
      writeFileSync(path, `{"v":1}\n${line(1)}\n${line(2)}\n${filling}`);
      expect(readLastCheckpoint(path, { isChecked: false })?.upto).toBe(2);
    },
  );

  test("damaged ones are skipped, as are zeros and incomplete lines at the end", () => {
    const path = join(tempDir(), "x.jsonl");
    const odd = [
      '{"sync":"soon","upto":5}',
      '{"sync":1,"upto":5}',
      `{"sync":"${at(0)}"}`,
      `{"sync":"${at(0)}","upto":-1}`,
    ];
    writeFileSync(path, `{"v":1}\n${line(7)}\n${odd.join("\n")}\n${"\0".repeat(5000)}\n{"sync":"${at(0)}","up`);
    expect(readLastCheckpoint(path, { isChecked: false })?.upto).toBe(7);
    writeFileSync(path, "");
    expect(readLastCheckpoint(path, { isChecked: false })).toBeUndefined();
    writeFileSync(path, `{"v":1}\n${done("a")}\n`);
    expect(readLastCheckpoint(path, { isChecked: false })).toBeUndefined();
  });
});
