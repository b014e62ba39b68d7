import {
  appendFileSync,
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { KagurazakaError } from "../../../src/base/errors.js";
import { type Lease, openLease } from "../../../src/runner/lease/index.js";

/**
 * A process that fights for a lease; bundled and run by the tests. `argv`: mode, directory, then what the mode needs.
 * While it holds, it has an exclusive file: a second holder cannot make it, and says so in the log.
 */
const [mode, dir, argument] = process.argv.slice(2) as [string, string, string];
const log = openSync(join(dir, "log"), "a");
const say = (text: string): void => void writeSync(log, `${text}\n`);
const insideFile = join(dir, "inside");
const leaseDir = join(dir, "lease");
const partition = { soft: [], hash: null };

function enter(lease: Lease): void {
  try {
    closeSync(openSync(insideFile, "wx"));
  } catch {
    say(`VIOLATION: ${process.pid} generation ${lease.generation}`);
  }
  say(`enter ${process.pid} ${lease.generation}`);
  lease.assertHeld();
}

function leave(lease: Lease): void {
  lease.assertHeld();
  say(`exit ${process.pid} ${lease.generation}`);
  unlinkSync(insideFile);
}

/** As if this process had died just now: its record names a process that does not exist. */
function pretendDeath(lease: Lease): void {
  const path = join(leaseDir, "all", `gen-${lease.generation}.json`);
  const { c: _, ...record } = JSON.parse(readFileSync(path, "utf8"));
  const replacement = join(dir, `dead-${process.pid}`);
  writeFileSync(replacement, JSON.stringify({ ...record, pid: 2 ** 22 + 1, start: "1" }));
  renameSync(replacement, path);
}

async function tryOpen(beatAfterMs = 60_000): Promise<Lease | undefined> {
  try {
    return await openLease({ dir: leaseDir, partition, run: `r${process.pid}`, beatAfterMs });
  } catch (error) {
    if (KagurazakaError.is(error) && error.code === "root-in-use") return undefined;
    throw error;
  }
}

/** Acquires until all contenders together have done so `argument` times; every other time it "dies" instead of releasing. */
async function fight(): Promise<void> {
  for (let turn = process.pid; ; ) {
    if (existsSync(join(dir, "stop"))) return;
    const lease = await tryOpen();
    if (!lease) {
      if (turn % 5 === 0) await sleep(0);
      turn++;
      continue;
    }
    enter(lease);
    if (turn % 3 === 0) await sleep(turn % 2);
    const { generation } = lease;
    leave(lease);
    if (generation >= Number(argument)) appendFileSync(join(dir, "stop"), "");
    if (turn++ % 2 === 0) pretendDeath(lease);
    else await lease[Symbol.asyncDispose]();
  }
}

/** Acquires, leaves its critical part, and dies for good while it still holds. */
async function acquireAndDie(): Promise<void> {
  for (;;) {
    const lease = await tryOpen();
    if (!lease) {
      await sleep(1);
      continue;
    }
    enter(lease);
    leave(lease);
    process.kill(process.pid, "SIGKILL");
  }
}

/** Holds as a process of another machine and says every few milliseconds whether it still does. */
async function hold(): Promise<void> {
  const lease = await openLease({
    dir: leaseDir,
    partition,
    run: "holder",
    intervalMs: 20,
    beatAfterMs: 0,
    self: { host: "elsewhere" },
  });
  lease.startBeat();
  while (!readdirSync(join(leaseDir, "all")).some((name) => name.endsWith(".beat"))) await sleep(5);
  console.log("held");
  for (;;) {
    try {
      lease.assertHeld();
    } catch (error) {
      console.log((error as Error).message);
      process.exit(0);
    }
    await sleep(5);
  }
}

/** Holds with a loop that never turns, its heartbeat started by `assertHeld`. */
async function holdBusy(): Promise<void> {
  const lease = await openLease({
    dir: leaseDir,
    partition,
    run: "busy",
    intervalMs: 20,
    beatAfterMs: 10,
    self: { host: "elsewhere" },
  });
  console.log("held");
  for (;;) lease.assertHeld();
}

const modes: Record<string, () => Promise<void>> = { fight, acquireAndDie, hold, holdBusy };
await modes[mode]!();
