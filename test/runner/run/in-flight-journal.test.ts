import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { PendingItem } from "../../../src/contracts/chunk.js";
import { WorkerHandle } from "../../../src/runner/dispatch/worker-handle.js";
import { ItemChunk } from "../../../src/runner/plan/item-chunk.js";
import {
  clearInFlightJournal,
  InFlightJournal,
  readInFlightJournal,
} from "../../../src/runner/run/crash-recovery/in-flight-journal.js";
import { Suspects } from "../../../src/runner/run/crash-recovery/suspects.js";

let dir: string;
beforeEach(() => {
  dir = join(mkdtempSync(join(tmpdir(), "under-way-")), "under-way");
});
afterEach(() => rmSync(join(dir, ".."), { recursive: true, force: true }));

const channel = { send: () => {}, kill: () => {} };
const worker = (id: number): WorkerHandle =>
  new WorkerHandle(id, { slots: 1, queue: 0 }, new SharedArrayBuffer(64), channel);
const slice = (...keys: string[]) => ({
  chunk: new ItemChunk(keys.map((key) => new PendingItem({ key, json: "{}" }, { shard: 0, forced: false }))),
  from: 0,
  to: keys.length,
});
const packed = (...keys: string[]): string => slice(...keys).chunk.keysText(0, keys.length);
const all = (): boolean => true;

describe("the in-flight journal", () => {
  test("keys of any spelling are read back, of dead runs alone", () => {
    const [first, second] = [new InFlightJournal(dir, "run-1"), new InFlightJournal(dir, "run-2")];
    first.sending(worker(0), packed("a.txt", "b/c d.txt"));
    first.sending(worker(1), packed('["odd"]', "with\nnewline", "ünï"));
    second.sending(worker(0), packed("other"));
    expect([...readInFlightJournal(dir, (run) => run === "run-1")].sort()).toEqual(
      ["a.txt", "b/c d.txt", '["odd"]', "with\nnewline", "ünï"].sort(),
    );
    clearInFlightJournal(dir, (run) => run === "run-1");
    expect([...readInFlightJournal(dir, all)]).toEqual(["other"]);
  });

  test("a worker that is gone leaves nothing, and an orderly end nothing at all", () => {
    using journal = new InFlightJournal(dir, "run");
    const [one, two] = [worker(0), worker(1)];
    journal.sending(one, packed("a"));
    journal.sending(two, packed("b"));
    journal.gone(one);
    expect([...readInFlightJournal(dir, all)]).toEqual(["b"]);
    journal[Symbol.dispose]();
    expect(existsSync(dir)).toBe(false);
  });

  test("a file that has grown long is begun anew with what the worker still has", () => {
    using journal = new InFlightJournal(dir, "run");
    const one = worker(0);
    const stays = slice("stays");
    journal.sending(one, packed("stays"));
    one.send(1, stays, packed("stays"));
    const long = "x".repeat(200_000);
    for (let seq = 2; seq < 12; seq++) {
      const next = slice(`${long}${seq}`);
      journal.sending(one, next.chunk.keysText(0, 1));
      one.send(seq, next, packed(`${long}${seq}`));
      expect(readInFlightJournal(dir, all)).toContain(`${long}${seq}`);
      one.take(seq);
    }
    expect(statSync(join(dir, "run", readdirSync(join(dir, "run"))[0]!)).size).toBeLessThan(1.3e6);
    expect(readInFlightJournal(dir, all)).toContain("stays");
  });

  test("what is torn or spoiled is passed over, and the rest is read", () => {
    const journal = new InFlightJournal(dir, "run");
    journal.sending(worker(0), packed("a"));
    journal.sending(worker(0), packed("[b"));
    writeFileSync(join(dir, "run", "1"), '["torn');
    writeFileSync(join(dir, "run", "2"), '["spoiled\n\nc\n\n');
    mkdirSync(join(dir, "run", "3"));
    expect([...readInFlightJournal(dir, all)].sort()).toEqual(["[b", "a", "c"]);
  });

  test("a directory that cannot be written costs the tracking, not the run", () => {
    using journal = new InFlightJournal("/proc/nowhere", "run");
    expect(() => journal.sending(worker(0), packed("a"))).not.toThrow();
  });
});

describe("suspects", () => {
  test("are through once, with the last of them", () => {
    const ends: boolean[] = [];
    const suspects = new Suspects(new Set(["a", "b"]), (allTried) => ends.push(allTried));
    for (const key of ["x", "a", "a"]) suspects.settled(key);
    expect(ends).toEqual([]);
    for (const key of ["b", "y"]) suspects.settled(key);
    expect(ends).toEqual([true]);
  });

  test("that never come are not waited for without end, and not taken for tried", () => {
    const ends: boolean[] = [];
    const suspects = new Suspects(new Set(["gone"]), (allTried) => ends.push(allTried));
    for (let i = 0; i < 11_000; i++) suspects.settled(`${i}`);
    expect(ends).toEqual([false]);
  });
});
