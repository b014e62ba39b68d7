import { strictEqual } from "node:assert";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { fixture, productRoot } from "../harness/command.js";
import { type Change, PowerDisk, readJournal } from "../harness/power-disk.js";
import type { Dice } from "../harness/seeds.js";
import { type CommandOptions, Job, type JobKind } from "./jobs.js";

/** A run of which every change of a file was written down, and the job as it was before it. */
export interface Recording {
  readonly name: string;
  readonly before: Job;
  readonly options: CommandOptions;
  readonly changes: readonly Change[];
  /** What it has to come to in the end. */
  readonly tree: ReadonlyMap<string, string>;
}

export interface PowerFigures {
  readonly cuts: number;
  /** Finished by lines that the cut has left. */
  readonly recorded: number;
  /** How many of them a checkpoint covers. */
  readonly covered: number;
  /** Of those recorded. */
  readonly redone: number;
}

export const sumOf = (all: readonly PowerFigures[]): PowerFigures =>
  all.reduce((sum, one) => ({
    cuts: sum.cuts + one.cuts,
    recorded: sum.recorded + one.recorded,
    covered: sum.covered + one.covered,
    redone: sum.redone + one.redone,
  }));

const MARKS_MODULE = pathToFileURL(join(productRoot, "dist/src/runner/ledger/checkpoints/checkpoints.js")).href;

interface Powered {
  readonly boot: string;
  readonly everyMs?: number | undefined;
  readonly journal?: string;
  readonly times?: Readonly<Record<string, number>>;
}

/** The power layer, and checkpoints as often as the test needs them. */
function powered(job: Job, options: CommandOptions, { boot, everyMs = 60, journal, times }: Powered): CommandOptions {
  const timesFile = join(job.dir, "times.json");
  writeFileSync(timesFile, JSON.stringify(times ?? {}));
  return {
    ...options,
    nodeArgs: ["--import", fixture("power.mjs")],
    env: {
      FAULTS_POWER_DIR: job.dir,
      FAULTS_POWER_BOOT: boot,
      FAULTS_POWER_TIMES: timesFile,
      FAULTS_POWER_MARKS: MARKS_MODULE,
      FAULTS_POWER_MARK_TIMES: JSON.stringify({
        everyMs,
        worthMs: job.kind === "LedgerFiles" || boot === "boot-0" ? 0 : 5000,
      }),
      ...(journal === undefined ? {} : { FAULTS_POWER_JOURNAL: journal }),
      ...options.env,
    },
  };
}

export interface Recorded {
  /** The time between two checkpoints. */
  readonly everyMs?: number;
  readonly dir: string;
  readonly name: string;
  readonly kind: JobKind;
  readonly options?: CommandOptions;
  /** A first run that ended long ago, before the one that is recorded. */
  readonly first?: CommandOptions;
}

export async function record({ dir, name, kind, options = {}, first, everyMs }: Recorded): Promise<Recording> {
  const job = new Job(join(dir, name), kind, join(dir, "cache"));
  job.writeInput();
  if (first) await check(job, powered(job, first, { boot: "boot-0" }));
  const before = job.copyTo(join(dir, `${name}-before`));
  const journal = join(dir, `${name}.journal`);
  await check(job, powered(job, options, { boot: "boot-1", journal, everyMs }));
  const changes = readJournal(journal);
  const there = (change: Change): Change => ({
    ...change,
    ...(change.path ? { path: change.path.replace(job.dir, before.dir) } : {}),
    ...(change.from ? { from: change.from.replace(job.dir, before.dir) } : {}),
  });
  return { name, before, options, changes: changes.map(there), tree: job.tree() };
}

async function check(job: Job, options: CommandOptions): Promise<readonly string[]> {
  const { code, stderr, starts } = await job.run({ concurrency: 4, env: {}, ...options });
  strictEqual(code, 3, stderr);
  return starts;
}

/**
 * The power goes at a random step of the recording; the machine starts again and the same command is given. Sometimes the
 * power goes a second time, while that one is at work.
 */
export async function cutAndResume(dice: Dice, recording: Recording, nextBoot = "boot-2"): Promise<PowerFigures> {
  const { before, options, changes } = recording;
  const job = before.copyTo(join(before.dir, "..", `${recording.name}-cut-${dice.name}-${nextBoot}`));
  const disk = new PowerDisk(job.dir, () => changes[0]!.t - 60_000);
  const own = changes.map((change) => moved(change, before, job));
  const durable = options.extra?.includes("--durable") === true;
  let times = cut(dice, job, disk, own, durable);
  let cuts = 1;
  let boot = nextBoot;
  if (nextBoot === "boot-2" && dice.chance(0.25)) {
    const again = new PowerDisk(job.dir, (path) => times[path]);
    const journal = join(job.dir, "journal");
    await check(job, powered(job, options, { boot, journal, times }));
    times = cut(dice, job, again, readJournal(journal), durable);
    boot = "boot-3";
    cuts++;
  }
  const epoch = options.extra?.includes("--force") ? 1 : 0;
  const { recorded, covered } = keptBy(job, epoch);
  if (durable) checkDurable(job, recording.tree, recorded, covered);
  const starts = new Set(await check(job, powered(job, options, { boot, times })));
  const redone = [...starts].filter((key) => recorded.has(key));
  const refuted = redone.filter((key) => covered.has(key));
  strictEqual(refuted.join("\n"), "", "on disk by the last checkpoint, but started again");
  strictEqual(describe(job.tree()), describe(recording.tree), "the output tree differs from an undisturbed run's");
  // An output that is whole may have lost its line and be taken as it is; what has no output is known by the ledger alone.
  const finished = job.ledger().finished(epoch);
  for (const path of job.byExistence && epoch === 0 ? job.tree().keys() : []) {
    const key = path.replace(/\.out$|\/meta\.json$/, "");
    if (job.outputOf(key) === path) finished.add(key);
  }
  strictEqual(finished.size, FINISHED, "keys finished");
  rmSync(job.dir, { recursive: true, force: true });
  return { cuts, recorded: recorded.size, covered: covered.size, redone: redone.length };
}

/** Of 72 items, one never works. */
const FINISHED = 71;

/** What is recorded is whole, before anything is repaired. */
function checkDurable(
  job: Job,
  tree: ReadonlyMap<string, string>,
  recorded: ReadonlySet<string>,
  covered: ReadonlySet<string>,
): void {
  strictEqual(covered.size, recorded.size, "no recorded result is unsynced");
  const left = job.tree();
  for (const key of recorded) {
    const output = job.kind === "Folders" ? `${key}/` : `${key}.out`;
    for (const [path, hash] of tree)
      if (path.startsWith(output)) strictEqual(left.get(path), hash, `${path} of ${key}`);
  }
}

const moved = (change: Change, from: Job, to: Job): Change => ({
  ...change,
  ...(change.path ? { path: change.path.replace(from.dir, to.dir) } : {}),
  ...(change.from ? { from: change.from.replace(from.dir, to.dir) } : {}),
});

function cut(
  dice: Dice,
  job: Job,
  disk: PowerDisk,
  changes: readonly Change[],
  durable: boolean,
): Record<string, number> {
  const happened = dice.chance(0.15) ? changes : changes.slice(0, dice.integer(0, changes.length));
  disk.apply(happened);
  const times = disk.cut(dice, { ordered: dice.chance(0.5) });
  if (durable) {
    const left = job.ledger().finished();
    const lost = promisedBy(happened).filter((key) => !left.has(key));
    strictEqual(lost.join("\n"), "", "recorded as done, and gone with the power");
  }
  // A holder on another machine is watched for 20 s before it counts as dead: too long for a test.
  rmSync(join(job.stateDir, "lease"), { recursive: true, force: true });
  return times;
}

/** With --durable each write of the ledger is waited for: all but the last one are on disk. */
function promisedBy(changes: readonly Change[]): string[] {
  const writes = changes.filter(({ op, path }) => op === "write" && path?.includes("/ledger/"));
  return writes
    .slice(0, -1)
    .flatMap(({ data }) =>
      linesOf(Buffer.from(data!, "base64")).flatMap(({ line }) =>
        line.s === "done" || line.s === "filtered" ? [String(line.k)] : [],
      ),
    );
}

interface Kept {
  /** Finished by lines that were left of the ledger, in the epoch that counts. */
  readonly recorded: ReadonlySet<string>;
  /** How many of them were before a checkpoint, so that none may be lost. */
  readonly covered: ReadonlySet<string>;
}

/** The ledger after the cut, by another reader than the product's. */
function keptBy(job: Job, epoch: number): Kept {
  const ledgerDir = join(job.stateDir, "ledger");
  const recorded = job.ledger().finished(epoch);
  const covered = new Set<string>();
  const segments = (existsSync(ledgerDir) ? readdirSync(ledgerDir) : []).map((file) =>
    linesOf(readFileSync(join(ledgerDir, file))),
  );
  const seqOf = (lines: Line[]): number => Number(lines[0]?.line.seq ?? 0);
  for (const lines of segments.sort((a, b) => seqOf(a) - seqOf(b))) {
    const upto = Math.max(0, ...lines.map(({ line }) => (typeof line.upto === "number" ? line.upto : 0)));
    const isDurable = lines[0]?.line.durable === true;
    for (const { line, offset } of lines)
      if (typeof line.k === "string" && (offset < upto || isDurable) && recorded.has(line.k)) covered.add(line.k);
    // Results recorded again after the checkpoint are not covered by it.
    for (const { line, offset } of lines)
      if (typeof line.k === "string" && offset >= upto && !isDurable) covered.delete(line.k);
  }
  return { recorded, covered };
}

interface Line {
  readonly line: Record<string, unknown>;
  readonly offset: number;
}

function linesOf(bytes: Buffer): Line[] {
  const lines: Line[] = [];
  for (let at = 0; at < bytes.length; ) {
    const newline = bytes.indexOf(0x0a, at);
    const end = newline < 0 ? bytes.length : newline;
    try {
      lines.push({ line: JSON.parse(bytes.toString("utf8", at, end)), offset: at });
    } catch {
      // Torn, or zeros.
    }
    at = end + 1;
  }
  return lines;
}

const describe = (tree: ReadonlyMap<string, string>): string =>
  [...tree].map(([path, hash]) => `${path} ${hash}`).join("\n");
