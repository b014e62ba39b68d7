import { appendFileSync, copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { withChecksum } from "../../../src/base/checksum.js";
import { readLastCheckpoint } from "../../../src/runner/ledger/checkpoints/last-checkpoint.js";
import { foldFailures, loadLedger, openLedger } from "../../../src/runner/ledger/index.js";
import { compactLedger } from "../../../src/runner/tools/compact/compact-ledger.js";
import { header, tempDir } from "./header.js";
import { tellsOf } from "./random-ledger.js";

const error = { name: "Error", message: "boom" };

/** Two runs, the second one a `--force`: every kind of line, and keys that are done, failed and filtered in turn. */
async function writeTwoRuns(): Promise<string> {
  const dir = tempDir();
  for (const run of [1, 2]) {
    const facts = { epoch: run - 1, module: `code-${run}`, boot: "boot-1" };
    await using ledger = openLedger({ dir, header: header(`r${run}`, run, facts), durable: false });
    if (run === 2) ledger.appendEpochOpen({ epoch: 1, scope: { only: ["a*"] } });
    ledger.appendDone("a", 1.5);
    if (run === 1) ledger.appendDone("b", 12);
    ledger.appendFiltered("sub/c.txt", 1, "why not");
    ledger.appendFailed({ key: 'quo"te', attempts: run, ms: 1, error, item: { n: run } });
    ledger.appendDone("größe", 1, { attempts: 2 });
    ledger.appendCheckpoint({ sync: "2030-01-01T00:00:00.000Z", upto: 100 });
    ledger.appendDone("k".repeat(300), 0);
    if (run === 2) ledger.appendEpochComplete({ epoch: 1, scope: { only: ["a*"] } });
  }
  return dir;
}

describe("what tools and file systems do to a ledger", () => {
  const damageOf = async (change: (text: string) => string) => {
    const dir = await writeTwoRuns();
    const before = await loadLedger(dir);
    const path = join(dir, "r1.jsonl");
    writeFileSync(path, change(readFileSync(path, "latin1")), "latin1");
    const index = await loadLedger(dir);
    return {
      before,
      index,
      places: index.damage.places.map(({ path, line }) => `${basename(path)}:${line}`),
    };
  };

  test("line ends of another system change nothing", async () => {
    const { before, index, places } = await damageOf((text) => text.replaceAll("\n", "\r\n"));
    expect([tellsOf(index), places]).toEqual([tellsOf(before), []]);
  });

  test("zeros in place of what was written are damage, at the end as well", async () => {
    const half = await damageOf((text) => text.slice(0, text.indexOf('"b"')) + "\0".repeat(500));
    expect(half.places).toEqual(["r1.jsonl:5"]);
    expect((await damageOf((text) => "\0".repeat(text.length))).places).toEqual(["r1.jsonl:1"]);
  });

  test("a header that is gone is damage, and no outcome is lost", async () => {
    const { before, index, places } = await damageOf((text) => text.split("\n").slice(3).join("\n"));
    expect(places).toEqual(["r1.jsonl:1"]);
    expect(before.counts.done).toBeGreaterThan(2);
    expect(index.counts).toEqual(before.counts);
  });

  test("a last line that was written in part is none", async () => {
    expect((await damageOf((text) => text.slice(0, -40))).places).toEqual([]);
  });
});

const compact = (dir: string) => compactLedger({ dir, run: "c", task: "T", boot: null, assertHeld: () => {} });

/** The same files, with one bit flipped; and with the lines left out that this damages. */
function damage(dir: string, at: number, bit: number) {
  const files = readdirSync(dir).sort();
  const [flipped, without] = [tempDir(), tempDir()];
  let from = at % files.reduce((sum, file) => sum + readFileSync(join(dir, file)).length, 0);
  let places: { path: string; line: number }[] = [];
  for (const file of files) {
    const bytes = readFileSync(join(dir, file));
    for (const to of [flipped, without]) copyFileSync(join(dir, file), join(to, file));
    if (from >= 0 && from < bytes.length) {
      const changed = Buffer.from(bytes);
      changed[from]! ^= 1 << bit;
      writeFileSync(join(flipped, file), changed);
      const line = bytes.subarray(0, from).toString("latin1").split("\n").length;
      // A byte that becomes a newline makes two lines of one.
      places = (changed[from] === 0x0a ? [line, line + 1] : [line]).map((number) => ({
        path: join(flipped, file),
        line: number,
      }));
      // Around a damaged newline, both lines are sound.
      const lost = bytes[from] === 0x0a ? [] : [line];
      const kept = bytes.toString("latin1").split("\n");
      writeFileSync(
        join(without, file),
        kept.map((text, i) => (lost.includes(i + 1) ? "" : text)).join("\n"),
        "latin1",
      );
    }
    from -= bytes.length;
  }
  return { flipped, without, places };
}

describe("a flipped bit", () => {
  test.each(["as it was written", "compacted"])(
    "in a ledger %s: its line is named and left out, nothing else is lost",
    async (how) => {
      const dir = await writeTwoRuns();
      if (how === "compacted") expect((await compact(dir)).changed).toBe(true);
      const whole = tellsOf(await loadLedger(dir));
      const seed = Math.trunc(Math.random() * 2 ** 31);
      let named = 0;
      await fc.assert(
        fc.asyncProperty(fc.nat(1_000_000), fc.nat(7), async (at, bit) => {
          const { flipped, without, places } = damage(dir, at, bit);
          const index = await loadLedger(flipped);
          expect(index.damage).toEqual({ count: places.length, places });
          named++;
          expect(tellsOf(index)).toEqual(tellsOf(await loadLedger(without)));
          // What is written twice is not lost.
          expect(tellsOf(index)).toMatchObject({ epochs: [{ epoch: 1, scope: { only: ["a*"] }, partial: false }] });
          const { counts } = whole as { counts: Record<string, number> };
          const left = Object.values(index.counts).reduce((sum, count) => sum + count);
          expect(left).toBeGreaterThanOrEqual(Object.values(counts).reduce((sum, count) => sum + count) - 1);
        }),
        { seed, numRuns: 250 },
      );
      expect(named, `seed ${seed}`).toBe(250);
    },
  );

  test("that turns a key into another one's marks neither as done", async () => {
    const dir = tempDir();
    {
      await using ledger = openLedger({ dir, header: header("r1", 1), durable: false });
      for (const key of ["k10", "k11"]) ledger.appendDone(key, 1);
    }
    const path = join(dir, "r1.jsonl");
    writeFileSync(path, readFileSync(path, "utf8").replace('"k11"', '"k31"'));
    const index = await loadLedger(dir);
    expect(["k10", "k11", "k31"].map((key) => index.finishedEpoch(key))).toEqual([0, -1, -1]);
    expect(index.damage).toEqual({ count: 1, places: [{ path, line: 5 }] });
  });

  test("in a checkpoint: an earlier one counts", async () => {
    const dir = await writeTwoRuns();
    const path = join(dir, "r1.jsonl");
    writeFileSync(path, readFileSync(path, "utf8").replace('"upto":100', '"upto":900'));
    expect(readLastCheckpoint(path, { isChecked: true })).toBeUndefined();
  });
});

describe("damage", () => {
  test("compaction leaves it behind and names it; a segment of an older version keeps its lines", async () => {
    const dir = await writeTwoRuns();
    const old = [
      '{"v":1,"run":"r0","seq":0,"epoch":0,"module":"code-0","boot":null}',
      '{"k":"old","s":"done","ms":1}',
      "",
    ];
    writeFileSync(join(dir, "r0.jsonl"), old.join("\n"));
    const path = join(dir, "r2.jsonl");
    writeFileSync(path, readFileSync(path, "utf8").replace('"k":"a"', '"k":"b"'));
    const { damage: found } = await compact(dir);
    expect(found).toMatchObject({ count: 1, places: [{ path, line: expect.any(Number) }] });
    const index = await loadLedger(dir);
    expect(index.damage.count).toBe(0);
    expect(["old", "a", "b"].map((key) => index.statusOf(key)?.segment.header?.run)).toEqual(["r0", "r1", "r1"]);
  });

  test("a line without a checksum counts in a segment of an older version, and nowhere else", async () => {
    const lines = ['{"k":"a","s":"done","ms":1}', '{"k":"b","s":"filtered","ms":1,"reason":"r"}', '{"other":1}'];
    for (const [first, count] of [
      [JSON.stringify(header("r1", 1)), 0],
      [withChecksum(JSON.stringify(header("r1", 1))), 3],
    ] as const) {
      const dir = tempDir();
      writeFileSync(join(dir, "r1.jsonl"), `${[first, ...lines].join("\n")}\n`);
      const index = await loadLedger(dir);
      expect([index.damage.count, index.counts.done + index.counts.filtered]).toEqual([count, count === 0 ? 2 : 0]);
    }
  });

  test.each([
    '{"k":"z","s":"failed","ms":1,"class":5,"error":{"name":"E","message":5}}',
    '{"k":"z","s":"failed","ms":1}',
    '{"k":"z","s":"eone","ms":1}',
    '{"k":"z","s":"filtered","ms":1,"reason":[]}',
    '{"epoch":1,"open":true,"scope":{"only":5}}',
    '{"epoch":1,"open":true,"scope":{"soft":[{"of":2}]}}',
    '{"epoch":"1","complete":true,"scope":{}}',
    '{"sync":"soon","upto":5}',
    '{"v":1,"run":"r2","seq":"2"}',
    '{"v":1,"run":"r2","seq":2,"boot":"b","shard":{"soft":null}}',
  ])("of an older version shows in its fields: %s", async (line) => {
    const dir = tempDir();
    writeFileSync(join(dir, "r1.jsonl"), `${JSON.stringify(header("r1", 1))}\n${line}\n{"k":"a","s":"done","ms":1}\n`);
    const index = await loadLedger(dir);
    expect(index.damage).toEqual({ count: 1, places: [{ path: join(dir, "r1.jsonl"), line: 2 }] });
    expect(index.counts).toEqual({ done: 1, filtered: 0, failed: 0 });
  });

  test("many damaged lines are counted, the first ones named", async () => {
    const dir = await writeTwoRuns();
    appendFileSync(join(dir, "r2.jsonl"), "odd\n".repeat(20));
    const { damage: found } = await loadLedger(dir);
    expect([found.count, found.places.length, basename(found.places[0]!.path)]).toEqual([20, 5, "r2.jsonl"]);
  });

  test("another run's damage while this one ran does not reach failed.jsonl", async () => {
    const dir = await writeTwoRuns();
    const index = await loadLedger(dir);
    mkdirSync(join(dir, "state"));
    appendFileSync(join(dir, "r2.jsonl"), '{"k":"ghost","s":"failed","ms":1,"class":"E","error":{"message":"e"}}\n');
    expect(await foldFailures({ index, path: join(dir, "state/failed.jsonl"), durable: false })).toBe(1);
  });
});
