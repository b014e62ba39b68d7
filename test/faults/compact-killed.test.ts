import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { failedItems, loadLedger, openLedger } from "../../src/runner/ledger/index.js";
import { compactLedger } from "../../src/runner/tools/compact/compact-ledger.js";
import { header } from "../runner/ledger/header.js";
import { fixture, productRoot } from "./harness/command.js";
import { report } from "./harness/seeds.js";

const base = mkdtempSync(join(tmpdir(), "kagurazaka-compact-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));
const module = join(productRoot, "dist/src/runner/tools/compact/compact-ledger.js");
const KEYS = 7_000;

/** Five runs over overlapping keys, by different code, with epochs and failures: some 250 KB are left of it. */
async function writeLedger(dir: string): Promise<void> {
  for (let run = 1; run <= 5; run++) {
    const made = { module: `code-${run % 2}`, epoch: run > 3 ? 2 : run > 1 ? 1 : 0 };
    await using ledger = openLedger({ dir, header: header(`r${run}`, run, made), durable: false });
    if (run === 2) ledger.appendEpochOpen({ epoch: 1, scope: { only: ["bad*"] } });
    if (run === 4) ledger.appendEpochOpen({ epoch: 2, scope: {} });
    for (let i = run * 1000; i < KEYS; i += run) ledger.appendDone(`some/longer/key-${i}`, run);
    const error = { name: "Error", message: `boom ${run}` };
    for (let i = 0; i < 40; i++)
      ledger.appendFailed({ key: `bad-${i % (10 * run)}`, attempts: 1, ms: 1, error, item: { run, i } });
    if (run === 5) ledger.appendEpochComplete({ epoch: 2, scope: {} });
  }
}

async function tells(dir: string): Promise<unknown> {
  const index = await loadLedger(dir);
  const keys = Array.from({ length: KEYS }, (_, i) => {
    const found = index.statusOf(`some/longer/key-${i}`);
    return found && `${found.status} ${found.epoch} ${found.segment.header?.run} ${found.segment.header?.module}`;
  });
  const failed = [...failedItems(index)].map((item) => JSON.stringify(item)).sort();
  return { keys, failed, counts: index.counts, epochs: index.epochs, made: index.doneByProvenance() };
}

test("SIGKILL at every call that changes the disk: the ledger tells what it told, and the next compaction ends the work", async () => {
  const whole = join(base, "whole");
  mkdirSync(whole);
  await writeLedger(whole);
  const told = await tells(whole);
  const compactIn = (name: string, call: number, when: string) => {
    const dir = join(base, name);
    cpSync(whole, dir, { recursive: true });
    return {
      dir,
      ...spawnSync(process.execPath, [fixture("compact-and-die.mjs"), module, dir, String(call), when], {
        encoding: "utf8",
      }),
    };
  };
  const calls = Number(compactIn("alive", 0, "before").stdout);
  const found = { kills: 0, old: 0, both: 0 };
  // The temporary file opened, written and synced; the switch, its directory synced; each old file removed.
  expect(calls).toBeGreaterThanOrEqual(1 + 3 + 1 + 1 + 1 + 5);
  for (let call = 1; call <= calls; call++) {
    for (const when of ["before", "half", "after"]) {
      const { dir, signal } = compactIn(`killed-${call}-${when}`, call, when);
      expect(signal).toBe("SIGKILL");
      found.kills++;
      const names = readdirSync(dir);
      if (names.includes("compacted-killed.jsonl")) found.both++;
      else found.old++;
      expect(await tells(dir), `call ${call}, ${when}`).toEqual(told);
      const { changed } = await compactLedger({ dir, run: "next", task: "T", boot: null, assertHeld() {} });
      expect(await tells(dir)).toEqual(told);
      expect(readdirSync(dir)).toEqual([changed ? "compacted-next.jsonl" : "compacted-killed.jsonl"]);
      rmSync(dir, { recursive: true });
    }
  }
  expect(Math.min(found.old, found.both)).toBeGreaterThan(10);
  report("killed compactions", { calls, ...found });
}, 120_000);
