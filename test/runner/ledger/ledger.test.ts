import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { withChecksum } from "../../../src/base/checksum.js";
import { toErrorRecord } from "../../../src/base/errors.js";
import { type LedgerHeader, loadLedger, openLedger } from "../../../src/runner/ledger/index.js";
import { LineBuffer } from "../../../src/runner/ledger/line-buffer.js";
import { bareLines, header, tempDir } from "./header.js";

const boom = toErrorRecord(new Error("boom 17"));

/** One run that does `write` and closes. */
async function record(
  dir: string,
  head: LedgerHeader,
  write: (ledger: ReturnType<typeof openLedger>) => void,
): Promise<void> {
  await using ledger = openLedger({ dir, header: head, durable: false });
  write(ledger);
}

describe("ledger", () => {
  test("the next run reads what a run recorded", async () => {
    const dir = join(tempDir(), "ledger");
    await record(dir, header("r1", 1), (ledger) => {
      ledger.appendDone("a.txt", 1.23);
      ledger.appendDone('日本/b "x"\\.txt', 0);
      ledger.appendDone("c", 12, { attempts: 3, again: true });
      ledger.appendFiltered("d", 0.5, "empty file");
      ledger.appendFailed({ key: "e", attempts: 3, ms: 7, error: boom, item: { n: 1 } });
    });
    expect(bareLines(readFileSync(join(dir, "r1.jsonl"), "utf8")).slice(1, 5)).toEqual([
      '{"k":"a.txt","s":"done","ms":1.2}',
      '{"k":"日本/b \\"x\\"\\\\.txt","s":"done","ms":0}',
      '{"k":"c","s":"done","ms":12,"n":3,"again":1}',
      '{"k":"d","s":"filtered","ms":0.5,"reason":"empty file"}',
    ]);
    const index = await loadLedger(dir);
    expect(index.counts).toEqual({ done: 3, filtered: 1, failed: 1 });
    for (const key of ["a.txt", '日本/b "x"\\.txt', "c"])
      expect(index.statusOf(key)).toMatchObject({ status: "done", epoch: 0 });
    expect(index.statusOf("d")?.status).toBe("filtered");
    expect(index.statusOf("e")?.status).toBe("failed");
    expect(index.statusOf("f")).toBeUndefined();
    expect(["a.txt", "d", "e", "f"].map((key) => index.finishedEpoch(key))).toEqual([0, 0, -1, -1]);
    expect([...index.failedKeys()]).toEqual(["e"]);
    expect(index.nextSeq).toBe(2);
    expect(index.damage.count).toBe(0);
  });

  test("a directory that does not exist is an empty ledger", async () => {
    const index = await loadLedger(join(tempDir(), "none"));
    expect(index.nextSeq).toBe(1);
    expect(index.finishedEpoch("a")).toBe(-1);
  });

  test("a run that records nothing leaves no segment; a segment created on request has its header", async () => {
    const dir = join(tempDir(), "ledger");
    await record(dir, header("r1", 1), (ledger) => ledger.flush());
    expect(existsSync(dir)).toBe(false);
    await record(dir, header("r2", 1), (ledger) => ledger.create());
    expect((await loadLedger(dir)).segments).toMatchObject([{ file: "r2.jsonl", header: { run: "r2" } }]);
  });

  test("later segments win, in the order of seq whatever their names and times", async () => {
    const dir = tempDir();
    await record(dir, header("z", 1, { at: "2030-01-01T00:00:00Z", module: "old" }), (ledger) => {
      ledger.appendDone("x", 1);
      ledger.appendDone("y", 1);
      ledger.appendFailed({ key: "w", attempts: 1, ms: 1, error: boom });
    });
    await record(dir, header("a", 2, { epoch: 4, module: "new" }), (ledger) => {
      ledger.appendFailed({ key: "x", attempts: 1, ms: 1, error: boom });
      ledger.appendDone("w", 1);
    });
    const index = await loadLedger(dir);
    expect(index.statusOf("x")).toMatchObject({ status: "failed", epoch: 4, segment: { file: "a.jsonl" } });
    expect(index.statusOf("y")).toMatchObject({ status: "done", epoch: 0, segment: { file: "z.jsonl" } });
    expect(index.finishedEpoch("w")).toBe(4);
    expect([...index.failedKeys()]).toEqual(["x"]);
    expect(index.counts).toEqual({ done: 2, filtered: 0, failed: 1 });
    expect(index.nextSeq).toBe(3);
    expect(index.doneByProvenance()).toEqual([
      { module: "old", version: null, options: "options-1", doneKeys: 1 },
      { module: "new", version: null, options: "options-1", doneKeys: 1 },
    ]);
  });

  test("the index agrees with a plain fold over any sequence of outcomes in any number of runs", async () => {
    const outcome = fc.record({
      run: fc.nat(3),
      key: fc.constantFrom("a", "b\n", "é", "d/e.txt", "🦄", "\ud800"),
      status: fc.nat(2),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(outcome, { maxLength: 60 }), async (outcomes) => {
        const dir = tempDir();
        const expected = new Map<string, string>();
        for (let run = 0; run <= 3; run++) {
          await record(dir, header(`r${3 - run}`, run + 1), (ledger) => {
            for (const { key, status } of outcomes.filter((each) => each.run === run)) {
              expected.set(key, ["done", "filtered", "failed"][status]!);
              if (status === 0) ledger.appendDone(key, 1);
              else if (status === 1) ledger.appendFiltered(key, 1, "r");
              else ledger.appendFailed({ key, attempts: 1, ms: 1, error: boom });
            }
          });
        }
        const index = await loadLedger(dir);
        for (const [key, status] of expected) expect(index.statusOf(key)?.status).toBe(status);
        expect(index.counts.done + index.counts.filtered + index.counts.failed).toBe(expected.size);
        expect([...index.failedKeys()].sort()).toEqual(
          [...expected]
            .filter(([, status]) => status === "failed")
            .map(([key]) => key)
            .sort(),
        );
      }),
      { seed: 3, numRuns: 40 },
    );
  });

  test("a segment cut at any byte loads, with exactly the outcomes whose lines are complete", async () => {
    const dir = tempDir();
    await record(dir, header("r1", 1, { epoch: 1 }), (ledger) => {
      ledger.appendEpochOpen({ epoch: 1, scope: { only: ["*.txt"] } });
      ledger.appendDone("dir/a-1.txt", 1.5);
      ledger.appendDone('dir/é"2.txt', 2);
      ledger.appendFiltered("dir/a-3.txt", 0, "empty “file”");
      ledger.appendFailed({ key: "dir/a-4.txt", attempts: 2, ms: 3, error: boom, item: { text: "}\n{" } });
      ledger.appendDone("dir/a-4.txt", 2, { attempts: 2 });
      ledger.appendEpochComplete({ epoch: 1, scope: { only: ["*.txt"] } });
    });
    const whole = readFileSync(join(dir, "r1.jsonl"));
    const cutDir = tempDir();
    for (let size = 0; size <= whole.length; size++) {
      const cut = whole.subarray(0, size);
      writeFileSync(join(cutDir, "r1.jsonl"), cut);
      const expected = new Map<string, string>();
      for (const text of cut.toString("utf8").split("\n")) {
        if (!text.endsWith("}")) continue;
        try {
          const line = JSON.parse(text);
          if (line.k) expected.set(line.k, line.s);
        } catch {
          // Torn inside the last line, at a brace.
        }
      }
      const index = await loadLedger(cutDir);
      expect(index.damage.count, `cut at ${size}: ${JSON.stringify(cut.toString().split("\n").slice(-2))}`).toBe(0);
      for (const key of ["dir/a-1.txt", 'dir/é"2.txt', "dir/a-3.txt", "dir/a-4.txt"]) {
        expect(index.statusOf(key)?.status, `${key} at ${size}`).toBe(expected.get(key));
      }
    }
  });

  test("damage in the middle is counted and named, and costs only its own line", async () => {
    const dir = tempDir();
    const lines = [
      JSON.stringify(header("r1", 1)),
      '{"k":"a","s":"done","ms":1}',
      "\0\0\0garbage",
      '{"k":"b","s":"done","ms":1',
      '{"k":"c","s":"done","ms":1}',
      '{"new":"kind"}',
      "",
    ];
    writeFileSync(join(dir, "r1.jsonl"), lines.join("\n"));
    const index = await loadLedger(dir);
    const path = join(dir, "r1.jsonl");
    expect(index.damage).toEqual({
      count: 2,
      places: [
        { path, line: 3 },
        { path, line: 4 },
      ],
    });
    expect(["a", "b", "c"].map((key) => index.finishedEpoch(key))).toEqual([0, -1, 0]);
  });

  test("lines spelled by another hand are understood", async () => {
    const dir = tempDir();
    writeFileSync(
      join(dir, "r1.jsonl"),
      '{"v":1,"run":"r1","seq":1,"epoch":2}\n{ "s": "done", "ms": 1e3, "k": "a" }\n{"k":"\\u0062","s":"done","ms":1}\r\n',
    );
    const index = await loadLedger(dir);
    expect([index.finishedEpoch("a"), index.finishedEpoch("b")]).toEqual([2, 2]);
  });

  test("lines longer than any block are read", async () => {
    const dir = tempDir();
    const long = "k".repeat(3_000_000);
    await record(dir, header("r1", 1), (ledger) => {
      ledger.appendDone(long, 1);
      ledger.appendFiltered("é".repeat(1_500_000), 1, "r");
      ledger.appendDone("short", 1);
    });
    const index = await loadLedger(dir);
    expect([long, "é".repeat(1_500_000), "short"].map((key) => index.finishedEpoch(key))).toEqual([0, 0, 0]);
  });

  test("a ledger of a newer version is refused", async () => {
    const dir = tempDir();
    writeFileSync(join(dir, "r1.jsonl"), '{"v":2,"run":"r1","seq":1}\n');
    await expect(loadLedger(dir)).rejects.toMatchObject({
      code: "environment",
      message: expect.stringContaining("version 2"),
    });
  });

  test("an item of up to 64 KB is kept with its failure, of a larger one its size", async () => {
    const dir = tempDir();
    await record(dir, header("r1", 1), (ledger) => {
      const error = boom;
      ledger.appendFailed({ key: "fits", attempts: 1, ms: 0, error, item: "x".repeat(65_534) });
      ledger.appendFailed({ key: "large", attempts: 1, ms: 0, error, item: "x".repeat(65_535) });
      ledger.appendFailed({ key: "circular", attempts: 1, ms: 0, error, item: [1n] });
    });
    const lines = bareLines(readFileSync(join(dir, "r1.jsonl"), "utf8"))
      .slice(1)
      .map((line) => JSON.parse(line));
    expect(lines.map((line) => [line.k, line.item?.length, line.itemBytes])).toEqual([
      ["fits", 65_534, undefined],
      ["large", undefined, 65_537],
      ["circular", undefined, undefined],
    ]);
    expect(lines[0]).toMatchObject({ class: "Error: boom #", error: { message: "boom 17" }, n: 1 });
  });

  test("the fast line is the one JSON.stringify writes", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary", maxLength: 50 }),
        fc.oneof(fc.double({ min: 0, max: 1e7, noNaN: true }), fc.integer({ min: 0, max: 2e5 })),
        (key, ms) => {
          const buffer = new LineBuffer(8);
          if (!buffer.appendPlainDone(key, ms)) return;
          const rounded = Math.round(ms * 10) / 10;
          expect(buffer.bytes.toString("utf8", 0, buffer.size)).toBe(
            `${withChecksum(JSON.stringify({ k: key, s: "done", ms: rounded }))}\n`,
          );
          const bytes = new LineBuffer(8);
          bytes.appendDoneBytes({ bytes: Buffer.from(`  ${key}  `), start: 2, length: key.length }, ms);
          expect(bytes.bytes.toString("utf8", 0, bytes.size)).toBe(buffer.bytes.toString("utf8", 0, buffer.size));
        },
      ),
      { seed: 5, numRuns: 2000 },
    );
    for (const odd of [Number.NaN, -1, Number.POSITIVE_INFINITY]) {
      const buffer = new LineBuffer(8);
      buffer.appendPlainDone("a", odd);
      expect(buffer.bytes.toString("utf8", 0, buffer.size)).toBe(`${withChecksum('{"k":"a","s":"done","ms":0}')}\n`);
    }
  });

  test("the ledger directory may hold other files", async () => {
    const dir = tempDir();
    mkdirSync(join(dir, "sub"));
    writeFileSync(join(dir, "notes.txt"), "hello");
    expect((await loadLedger(dir)).segments).toEqual([]);
  });
});
