import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { build } from "esbuild";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { highestGeneration } from "../../../src/runner/lease/generations.js";
import { type LeaseRequest, openLease } from "../../../src/runner/lease/index.js";

const everything = { soft: [], hash: null };
const half = (index: number) => ({ soft: [], hash: { index, of: 2 } });
const elsewhere = { host: "elsewhere" };
const quick = { intervalMs: 20, beatAfterMs: 0 };

let bundle: string;
let dir: string;
let children: ChildProcess[];

beforeAll(async () => {
  bundle = join(mkdtempSync(join(tmpdir(), "kagurazaka-contender-")), "contender.mjs");
  await build({
    entryPoints: [new URL("contender.ts", import.meta.url).pathname],
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    outfile: bundle,
  });
  return () => rmSync(join(bundle, ".."), { recursive: true });
});
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "kagurazaka-lease-"));
  children = [];
});
afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(dir, { recursive: true, force: true });
});

const open = (more: Partial<LeaseRequest> = {}) =>
  openLease({ dir: join(dir, "lease"), partition: everything, run: "r", ...more });

function contend(mode: string, argument = ""): ChildProcess & { said: string[]; ended: Promise<void> } {
  const child = spawn(process.execPath, [bundle, mode, dir, argument], { stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  const said: string[] = [];
  child.stdout.on("data", (data: Buffer) => said.push(...data.toString().trim().split("\n")));
  const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
  return Object.assign(child, { said, ended });
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(5);
}

/** Counts the acquisitions; fails on any that overlap. */
function checkLog(): number {
  const lines = readFileSync(join(dir, "log"), "utf8").trim().split("\n");
  let inside: string | undefined;
  let entered = 0;
  let last = 0;
  for (const line of lines) {
    const [what, pid, generation] = line.split(" ") as [string, string, string];
    if (what === "enter") {
      expect(inside).toBeUndefined();
      expect(Number(generation)).toBeGreaterThan(last);
      [inside, last] = [`${pid} ${generation}`, Number(generation)];
      entered++;
    } else {
      expect(line).toBe(`exit ${inside}`);
      inside = undefined;
    }
  }
  return entered;
}

describe("lease", () => {
  test("one at a time; after release the next generation", async () => {
    const first = await open({ run: "first" });
    first.assertHeld();
    await expect(open()).rejects.toMatchObject({
      code: "root-in-use",
      message: expect.stringMatching(/run first \(host .+, pid \d+, since 20/),
      hint: expect.stringContaining(`kill ${process.pid} on `),
    });
    await first[Symbol.asyncDispose]();
    await first[Symbol.asyncDispose]();
    await using second = await open();
    second.assertHeld();
    expect(second.generation).toBe(first.generation + 1);
    expect(() => first.assertHeld()).toThrow(expect.objectContaining({ code: "root-in-use" }) as Error);
    expect(readdirSync(join(dir, "lease", "all"))).toEqual(["gen-2.json"]);
    await second[Symbol.asyncDispose]();
    await using third = await open();
    // Nothing of generation 1 or 2 is left to tell the first that it lost.
    expect(readdirSync(join(dir, "lease", "all"))).toEqual(["gen-3.json"]);
    for (const former of [first, second])
      expect(() => former.assertHeld()).toThrow(expect.objectContaining({ code: "root-in-use" }) as Error);
    third.assertHeld();
  });

  test("a short run starts no heartbeat", async () => {
    const lease = await open({ beatAfterMs: 1000 });
    await sleep(30);
    await lease[Symbol.asyncDispose]();
    expect(readdirSync(join(dir, "lease", "all")).sort()).toEqual(["gen-1.free", "gen-1.json"]);
  });

  test("a dead process of this machine is taken over at once", async () => {
    await contend("acquireAndDie").ended;
    const waits: string[] = [];
    await using lease = await open({ onWait: (message) => waits.push(message) });
    expect([lease.generation, waits]).toEqual([2, []]);
  });

  test("a damaged record says nothing of its holder: the heartbeat does", async () => {
    await open({ self: elsewhere, run: "far" });
    const path = join(dir, "lease/all/gen-1.json");
    const text = readFileSync(path, "utf8");
    for (const odd of [text.replace("far", "fas"), '{"v":1}\n', text.replace(/"scope":.*\}/, '"scope":null}')]) {
      writeFileSync(path, odd);
      expect(highestGeneration(join(dir, "lease/all"))).toEqual({ generation: 1, free: false, record: null });
    }
    const waits: string[] = [];
    await using lease = await open({ ...quick, onWait: (message) => waits.push(message) });
    expect([lease.generation, waits]).toEqual([2, [expect.stringContaining("whose lease cannot be read")]]);
  });

  test("a pid that was used again is not its former owner", async () => {
    await open({ self: { start: "1" } });
    await using lease = await open();
    expect(lease.generation).toBe(2);
  });

  test.each([
    ["another host", elsewhere],
    ["another boot", { boot: "b" }],
    ["another pid namespace", { pidns: "pid:[1]" }],
  ])("a holder on %s whose counter stands still is taken over, after it was watched", async (_where, self) => {
    // Its pid does not exist here, which must not count.
    await open({ self: { ...self, pid: 2 ** 22 + 1 }, beatAfterMs: 60_000 });
    const waits: string[] = [];
    const began = performance.now();
    await using lease = await open({ ...quick, onWait: (message) => waits.push(message) });
    expect(lease.generation).toBe(2);
    expect(performance.now() - began).toBeGreaterThan(180);
    expect(waits).toEqual([expect.stringMatching(/run r .* watching its heartbeat for up to 0.2 s/)]);
  });

  test("several holders on other hosts are watched at the same time", async () => {
    const leaseOf = (index: number) => ({ partition: { soft: [], hash: { index, of: 3 } } });
    for (const index of [0, 1, 2]) await open({ ...leaseOf(index), self: elsewhere, beatAfterMs: 60_000 });
    const waits: number[] = [];
    await using lease = await open({ ...quick, factor: 50, onWait: () => waits.push(performance.now()) });
    // One after another they would be watched for a second each.
    expect([waits.length, waits[2]! - waits[0]! < 500]).toEqual([3, true]);
    lease.assertHeld();
  });

  test("a holder on another host whose counter moves is left in peace", async () => {
    await using holder = await open({ ...quick, self: elsewhere, run: "far" });
    // The watch ends when the counter moves. On a busy machine the thread of the heartbeat may take a second to start.
    await expect(open({ ...quick, factor: 1000 })).rejects.toMatchObject({
      code: "root-in-use",
      message: expect.stringContaining("run far (host elsewhere"),
    });
    holder.assertHeld();
  });

  test("a holder on another host that releases while it is watched", async () => {
    const holder = await open({ self: elsewhere, beatAfterMs: 60_000 });
    setTimeout(() => void holder[Symbol.asyncDispose](), 50);
    await using lease = await open({ ...quick, factor: 1000 });
    expect(lease.generation).toBe(2);
  });

  test("waiting ends with the signal", async () => {
    await open({ self: elsewhere, beatAfterMs: 60_000 });
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 30);
    await expect(open({ ...quick, factor: 1000, signal: stop.signal })).rejects.toMatchObject({ name: "AbortError" });
  });

  test("an unreadable lease is watched like a distant one", async () => {
    await (await open())[Symbol.asyncDispose]();
    writeFileSync(join(dir, "lease", "all", "gen-2.json"), "");
    await using lease = await open({ ...quick, factor: 2 });
    expect(lease.generation).toBe(3);
  });

  test("a holder that was stopped, and comes back, finds that it lost the lease", async () => {
    const holder = contend("hold");
    await until(() => holder.said.includes("held"));
    await expect(open(quick)).rejects.toMatchObject({ code: "root-in-use" });
    holder.kill("SIGSTOP");
    // On a busy machine its heartbeat, a thread of its own, goes on for a moment.
    await sleep(100);
    await using lease = await open({ ...quick, run: "second" });
    expect(lease.generation).toBe(2);
    holder.kill("SIGCONT");
    await holder.ended;
    expect(holder.said.at(-1)).toMatch(/taken over by run second/);
    lease.assertHeld();
    await sleep(60);
    // Its heartbeat has not written after it lost.
    expect(existsSync(join(dir, "lease", "all", "gen-1.beat"))).toBe(false);
  });

  test("a coordinator whose loop never turns still has a heartbeat", async () => {
    const holder = contend("holdBusy");
    await until(() => holder.said.includes("held"));
    await expect(open({ ...quick, intervalMs: 100 })).rejects.toMatchObject({
      message: expect.stringContaining("run busy"),
    });
  });

  test("an output root that is deleted under the run is an environment error", async () => {
    const lease = await open();
    rmSync(join(dir, "lease"), { recursive: true });
    expect(() => lease.assertHeld()).toThrow(expect.objectContaining({ code: "environment" }) as Error);
    await lease[Symbol.asyncDispose]();
  });

  test("disjoint shards work side by side, overlapping ones are refused and leave nothing held", async () => {
    await using zero = await open({ partition: half(0), run: "zero" });
    await using one = await open({ partition: half(1), run: "one" });
    await expect(open()).rejects.toMatchObject({
      code: "root-in-use",
      message: expect.stringMatching(/run (zero|one) .* overlaps/),
    });
    await expect(open({ partition: { soft: [], hash: { index: 2, of: 3 } } })).rejects.toMatchObject({
      code: "root-in-use",
    });
    await one[Symbol.asyncDispose]();
    zero.assertHeld();
    await using again = await open({ partition: half(1) });
    again.assertHeld();
  });

  test("a dead holder of an overlapping part cannot come back beside us", async () => {
    const frozen = await open({ partition: half(0), self: elsewhere, beatAfterMs: 60_000 });
    await using whole = await open(quick);
    expect(() => frozen.assertHeld()).toThrow(expect.objectContaining({ code: "root-in-use" }) as Error);
    whole.assertHeld();
  });

  test("thousands of takeovers and releases among processes: never two holders", async () => {
    const takeovers = 3000;
    const fighters = Array.from({ length: 5 }, () => contend("fight", String(takeovers)));
    await Promise.all(fighters.map((fighter) => fighter.ended));
    expect(fighters.map((fighter) => fighter.exitCode)).toEqual([0, 0, 0, 0, 0]);
    expect(checkLog()).toBeGreaterThanOrEqual(takeovers);
  });

  test("holders that are killed for good, one after another, under contention", async () => {
    const victims = Array.from({ length: 40 }, () => contend("acquireAndDie"));
    await Promise.all(victims.map((victim) => victim.ended));
    expect(checkLog()).toBe(40);
    await using lease = await open();
    expect(lease.generation).toBe(41);
  });
});
