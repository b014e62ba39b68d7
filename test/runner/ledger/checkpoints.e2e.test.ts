import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Checkpoints, checkpointTimes } from "../../../src/runner/ledger/checkpoints/checkpoints.js";
import { openLedger } from "../../../src/runner/ledger/index.js";
import { until } from "../../faults/harness/command.js";
import { bareLines, header } from "./header.js";

const { PATH } = process.env;
const usual = { ...checkpointTimes };
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "kagurazaka-checkpoints-"));
  mkdirSync(join(dir, "bin"));
  // What is looked for under this name from now on.
  process.env.PATH = join(dir, "bin");
  Object.assign(checkpointTimes, { everyMs: 20, worthMs: 0 });
});
afterEach(() => {
  process.env.PATH = PATH;
  Object.assign(checkpointTimes, usual);
  rmSync(dir, { recursive: true, force: true });
});

/** A `sync` that says how it was called, and ends when and how it is told. */
function writeSync({ until: waitsFor, code = 0 }: { until?: string; code?: number } = {}): void {
  const wait = waitsFor === undefined ? "" : `while [ ! -e ${join(dir, waitsFor)} ]; do /bin/sleep 0.01; done\n`;
  writeFileSync(join(dir, "bin", "sync"), `#!/bin/sh\necho "$@" >> ${join(dir, "calls")}\n${wait}exit ${code}\n`);
  chmodSync(join(dir, "bin", "sync"), 0o755);
}

const calls = (): string[] =>
  existsSync(join(dir, "calls")) ? readFileSync(join(dir, "calls"), "utf8").split("\n").slice(0, -1) : [];

function open(dirs = [dir]) {
  const ledger = openLedger({ dir: join(dir, "ledger"), header: header("r1", 1), durable: false });
  const notes: string[] = [];
  const shard = {
    noteRecorded() {
      ledger.flush();
      return ledger.recordedBytes;
    },
    checkpoint(line: Parameters<typeof ledger.appendCheckpoint>[0]) {
      ledger.appendCheckpoint(line);
      ledger.flush();
      return ledger.syncToDisk();
    },
  };
  const lines = (): { k?: string; sync?: string; upto?: number; end?: true }[] =>
    existsSync(ledger.path)
      ? bareLines(readFileSync(ledger.path, "utf8"))
          .slice(1)
          .map((line) => JSON.parse(line))
      : [];
  const checkpoints = new Checkpoints({ shards: [shard], dirs, note: (message) => notes.push(message) });
  return { ledger, checkpoints, notes, lines };
}

const last = { owed: false, says: () => ({ end: true as const }), onWait: () => {} };

describe("checkpoints", () => {
  test("a checkpoint covers what was recorded before the sync began, not what was recorded during it", async () => {
    writeSync({ until: "go" });
    const { ledger, checkpoints, lines } = open();
    await using _ = ledger;
    using __ = checkpoints;
    ledger.appendDone("a", 1);
    await until("a sync runs", () => calls().length > 0);
    const upto = ledger.recordedBytes;
    const before = Date.now();
    ledger.appendDone("b", 1);
    writeFileSync(join(dir, "go"), "");
    await until("both are covered", () => lines().filter(({ sync }) => sync).length >= 2);
    const [a, b, checkpoint, next] = lines();
    expect([a!.k, b!.k, checkpoint!.upto]).toEqual(["a", "b", upto]);
    expect(Date.parse(checkpoint!.sync!)).toBeLessThanOrEqual(before);
    expect(next!.upto).toBeGreaterThan(upto);
    // One `sync` for several directories of one file system, and none where nothing was recorded.
    const count = calls().length;
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(calls()).toHaveLength(count);
    expect(calls()[0]).toBe(`-f ${dir}`);
  });

  test("names a file system once", async () => {
    writeSync();
    const { ledger, checkpoints } = open([tmpdir(), dir, join(dir, "bin")]);
    await using _ = ledger;
    ledger.appendDone("a", 1);
    await checkpoints.finish(last);
    expect(calls()[0]!.split(" ")).toHaveLength(2);
  });

  test("the final checkpoint has `end`, and follows one that was running", async () => {
    writeSync({ until: "go" });
    const { ledger, checkpoints, lines } = open();
    await using _ = ledger;
    ledger.appendDone("a", 1);
    await until("a sync runs", () => calls().length > 0);
    ledger.appendDone("b", 1);
    const finished = checkpoints.finish(last);
    writeFileSync(join(dir, "go"), "");
    await finished;
    expect(lines().at(-1)).toEqual({ sync: expect.any(String), upto: expect.any(Number), end: true });
    expect(lines().filter(({ end }) => end)).toHaveLength(1);
    expect(calls()).toHaveLength(2);
  });

  test("a short run does not wait, unless earlier runs need a checkpoint; a run without records never waits", async () => {
    writeSync();
    Object.assign(checkpointTimes, { everyMs: 60_000, worthMs: 60_000 });
    for (const [owed, records, expected] of [
      [false, true, 0],
      [true, false, 0],
      [true, true, 1],
    ] as const) {
      const { ledger, checkpoints } = open();
      if (records) ledger.appendDone("a", 1);
      await checkpoints.finish({ ...last, owed });
      await ledger[Symbol.asyncDispose]();
      rmSync(join(dir, "ledger"), { recursive: true, force: true });
      expect(calls()).toHaveLength(expected);
    }
  });

  test("the wait at the end is reported and limited; a killed run does not wait", async () => {
    writeSync({ until: "never" });
    Object.assign(checkpointTimes, { waitMs: 300, tellAfterMs: 50 });
    const { ledger, checkpoints, lines } = open();
    await using _ = ledger;
    ledger.appendDone("a", 1);
    let told = 0;
    const startedAt = performance.now();
    await checkpoints.finish({ ...last, onWait: () => told++ });
    expect(performance.now() - startedAt).toBeGreaterThan(290);
    expect([told, lines().length]).toEqual([1, 1]);

    checkpointTimes.waitMs = 60_000;
    const second = new Checkpoints({
      shards: [{ noteRecorded: () => 1, checkpoint: async () => {} }],
      dirs: [dir],
      note: () => {},
    });
    const finished = second.finish(last);
    second[Symbol.dispose]();
    await finished;
    expect(performance.now() - startedAt).toBeLessThan(20_000);
  });

  test.each([
    ["fails", () => writeSync({ code: 1 }), /^no checkpoint: sync exited with 1/, 3],
    ["is not there", () => {}, /^no checkpoint: .*ENOENT/, 0],
  ])(
    "where `sync` %s there is no checkpoint: it is logged, and tried three times",
    async (_how, prepare, says, called) => {
      prepare();
      const { ledger, checkpoints, notes, lines } = open();
      await using _ = ledger;
      using __ = checkpoints;
      ledger.appendDone("a", 1);
      await until("it has given up", () => notes.length === 2);
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(notes).toEqual([expect.stringMatching(says), expect.stringMatching(/gave up after 3 attempts/)]);
      expect(calls()).toHaveLength(called);
      await checkpoints.finish(last);
      expect(lines().map(({ k }) => k)).toEqual(["a"]);
    },
  );
});
