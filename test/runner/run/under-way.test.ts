import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Seat } from "../../../src/runner/dispatch/seat.js";
import { LooseParcel } from "../../../src/runner/plan/loose-parcel.js";
import { Envelope } from "../../../src/runner/plan/parcel.js";
import { Suspects } from "../../../src/runner/run/suspects.js";
import { clearUnderWay, readUnderWay, UnderWay } from "../../../src/runner/run/under-way.js";

let dir: string;
beforeEach(() => {
  dir = join(mkdtempSync(join(tmpdir(), "under-way-")), "under-way");
});
afterEach(() => rmSync(join(dir, ".."), { recursive: true, force: true }));

const channel = { send: () => {}, kill: () => {} };
const guard = { add: () => {}, remove: () => {} };
const seat = (id: number): Seat => new Seat(id, 1, new SharedArrayBuffer(64), channel, guard);
const load = (...keys: string[]) => ({
  parcel: new LooseParcel(keys.map((key) => new Envelope({ key, json: "{}" }, { shard: 0, forced: false }))),
  from: 0,
  to: keys.length,
});
const all = (): boolean => true;

describe("what is at workers, on disk", () => {
  test("keys of any spelling are read back, of dead runs alone", () => {
    const [first, second] = [new UnderWay(dir, "run-1"), new UnderWay(dir, "run-2")];
    first.sent(seat(0), load("a.txt", "b/c d.txt"));
    first.sent(seat(1), load('["odd"]', "with\nnewline", "ünï"));
    second.sent(seat(0), load("other"));
    expect([...readUnderWay(dir, (run) => run === "run-1")].sort()).toEqual(
      ["a.txt", "b/c d.txt", '["odd"]', "with\nnewline", "ünï"].sort(),
    );
    clearUnderWay(dir, (run) => run === "run-1");
    expect([...readUnderWay(dir, all)]).toEqual(["other"]);
  });

  test("a worker that is gone leaves nothing, and an orderly end nothing at all", () => {
    using underWay = new UnderWay(dir, "run");
    const [one, two] = [seat(0), seat(1)];
    underWay.sent(one, load("a"));
    underWay.sent(two, load("b"));
    underWay.gone(one);
    expect([...readUnderWay(dir, all)]).toEqual(["b"]);
    underWay[Symbol.dispose]();
    expect(existsSync(dir)).toBe(false);
  });

  test("a file that has grown long is begun anew with what the worker still has", () => {
    using underWay = new UnderWay(dir, "run");
    const one = seat(0);
    const stays = load("stays");
    one.add(1, stays);
    underWay.sent(one, stays);
    const long = "x".repeat(200_000);
    for (let seq = 2; seq < 12; seq++) {
      const next = load(`${long}${seq}`);
      one.add(seq, next);
      underWay.sent(one, next);
      one.take(seq);
    }
    expect(statSync(join(dir, "run", readdirSync(join(dir, "run"))[0]!)).size).toBeLessThan(1.3e6);
    expect(readUnderWay(dir, all)).toContain("stays");
  });

  test("a directory that cannot be written costs the tracking, not the run", () => {
    using underWay = new UnderWay("/proc/nowhere", "run");
    expect(() => underWay.sent(seat(0), load("a"))).not.toThrow();
  });
});

describe("suspects", () => {
  test("are cleared once, by the last of them", () => {
    let cleared = 0;
    const suspects = new Suspects(new Set(["a", "b"]), () => cleared++);
    for (const key of ["x", "a", "a"]) suspects.settled(key);
    expect(cleared).toBe(0);
    suspects.settled("b");
    suspects.settled("y");
    expect(cleared).toBe(1);
  });

  test("that never come are not waited for without end", () => {
    let cleared = 0;
    const suspects = new Suspects(new Set(["gone"]), () => cleared++);
    for (let i = 0; i < 11_000; i++) suspects.settled(`${i}`);
    expect(cleared).toBe(1);
  });
});
