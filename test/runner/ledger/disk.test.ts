import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { KagurazakaError } from "../../../src/base/errors.js";
import { loadLedger, openLedger } from "../../../src/runner/ledger/index.js";
import { bareLines, header, tempDir } from "./header.js";
import { freeDisk, limitDisk } from "./limited-disk.js";

describe("ledger on a difficult disk", () => {
  test("short writes lose nothing", async () => {
    const dir = tempDir();
    limitDisk(1e9, 7);
    const ledger = openLedger({ dir, header: header("r1", 1), durable: false });
    for (let i = 0; i < 100; i++) ledger.appendDone(`k${i}`, i);
    await ledger[Symbol.asyncDispose]();
    expect((await loadLedger(dir)).counts.done).toBe(100);
  });

  test.each([0, 1, 60, 180, 200, 230])(
    "a disk that fills up after %i bytes is one environment error, and no line is torn when it has room again",
    async (room) => {
      for (const spill of [0, 5]) {
        const dir = tempDir();
        const ledger = openLedger({ dir, header: header("r1", 1), durable: false });
        for (let i = 0; i < 10; i++) ledger.appendDone(`k${i}`, i);
        limitDisk(room, 50, spill);
        for (let tries = 0; tries < 2; tries++) {
          expect(() => ledger.flush()).toThrow(
            expect.objectContaining({
              code: "environment",
              message: expect.stringContaining("no space is left"),
            }) as KagurazakaError,
          );
        }
        expect((await loadLedger(dir)).damage.count).toBe(0);
        freeDisk();
        ledger.appendDone("after", 1);
        await ledger[Symbol.asyncDispose]();
        const lines = bareLines(readFileSync(ledger.path, "utf8"));
        expect(lines.slice(1).map((line) => JSON.parse(line).k)).toEqual([
          ...Array.from({ length: 10 }, (_, i) => `k${i}`),
          "after",
        ]);
      }
    },
  );

  test("closing after a failed write does not fail a second time", async () => {
    const ledger = openLedger({ dir: tempDir(), header: header("r1", 1), durable: false });
    ledger.appendDone("a", 1);
    limitDisk(0);
    expect(() => ledger.flush()).toThrow(KagurazakaError);
    await ledger[Symbol.asyncDispose]();
  });

  test("discarded lines are not written when the ledger is closed", async () => {
    const ledger = openLedger({ dir: tempDir(), header: header("r1", 1), durable: false });
    ledger.appendDone("a", 1);
    ledger.flush();
    ledger.appendDone("b", 1);
    ledger.discard();
    await ledger[Symbol.asyncDispose]();
    expect(readFileSync(ledger.path, "utf8")).toContain('"a"');
    expect(readFileSync(ledger.path, "utf8")).not.toContain('"b"');
  });

  test("a ledger that cannot be made is an environment error", () => {
    const dir = tempDir();
    writeFileSync(join(dir, "file"), "");
    const ledger = openLedger({ dir: join(dir, "file/ledger"), header: header("r1", 1), durable: false });
    expect(() => ledger.create()).toThrow(expect.objectContaining({ code: "environment" }) as KagurazakaError);
  });

  test("two runs of one name do not write into each other", async () => {
    const dir = tempDir();
    await using first = openLedger({ dir, header: header("r1", 1), durable: false });
    first.create();
    const second = openLedger({ dir, header: header("r1", 2), durable: false });
    expect(() => second.create()).toThrow(expect.objectContaining({ code: "environment" }) as KagurazakaError);
  });
});
