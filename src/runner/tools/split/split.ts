import { existsSync, lstatSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { environmentError } from "../../../base/disk.js";
import { KagurazakaError } from "../../../base/errors.js";
import { makeDirectory } from "../../../base/make-directory.js";
import { joinRelative } from "../../../data/walk.js";
import type { Lease } from "../../lease/index.js";
import { type Assignment, createAssignment } from "./assignment.js";
import { holdBase, makeBase, removeTraces } from "./base-directory.js";
import { createListing, type Listing } from "./listing.js";
import { Placer } from "./placer.js";
import { NOT_UTF8, PlacingFailed } from "./placing-failed.js";
import {
  FILES_PER_LINE,
  joinPlan,
  type PlannedDirectory,
  planPath,
  readPlan,
  stateDir,
  sweepPlans,
  writePlan,
} from "./plan.js";
import { entryOf, readRecord, refuseOtherCount, refuseOtherMind, type SplitRecord, writeRecord } from "./record.js";
import { refuseOtherFileSystem, symbolicLink } from "./refusals.js";
import { digitsOf, readRequest, type SplitRequest, type SplitSettings } from "./settings.js";
import { ShardDirectories } from "./shard-directories.js";
import { type ShardCount, type Some, SplitCounters } from "./split-counters.js";

export interface SplitResult {
  /** Absolute. */
  readonly base: string;
  readonly name: string;
  readonly shards: readonly ShardCount[];
  /** Put into their shards now; under `dryRun` what would be. */
  readonly placed: number;
  readonly there: number;
  readonly gone: number;
  readonly failed: Some;
  readonly passedOver: SplitCounters["passedOver"];
}

export interface SplitHooks {
  /** Called after each directory. */
  onProgress?(doing: "planning" | "placing", files: number): void;
}

/**
 * Cuts an input tree into hard shards: `<into>/<shard>/<name>/<key>`. What it is stands in a record before the first file
 * goes, and every file is told by its place whether it is done, so the same command goes on after any end, and a
 * second time finds nothing to do. See `Rule` (settings.ts) for how a file finds its shard, `Placer` for how it goes.
 */
export async function splitTree(
  request: SplitRequest,
  { dryRun = false, onProgress }: { readonly dryRun?: boolean } & SplitHooks = {},
): Promise<SplitResult> {
  const settings = readRequest(request);
  const record = recordFor(settings);
  if (settings.by === "link") refuseOtherFileSystem(settings);
  const tally = new SplitCounters();
  const listing = await createListing(settings, (relPath, why) => tally.passOver(relPath, why));
  const job: Job = { settings, record, tally, listing, onProgress: onProgress ?? (() => {}) };
  if (dryRun) return preview(job);

  const made = makeBase(settings.base);
  let kept = record !== undefined;
  try {
    await using lease = await holdBase(settings.base);
    // Somebody may have been through since.
    const held: Job = { ...job, record: recordFor(settings) };
    kept ||= held.record !== undefined;
    const shards = await decide(held);
    const directories = new ShardDirectories(settings.base, settings.name, shards);
    directories.refuseOverlap(settings.input);
    writeRecord(settings.base, settings.name, entry(settings, shards), held.record);
    kept = true;
    directories.prepare();
    await placeAll(held, directories, lease);
    directories.close();
    return resultOf(held, shards);
  } catch (error) {
    // A mistake that only the listing shows leaves nothing behind either.
    if (!kept && !(KagurazakaError.is(error) && error.code === "root-in-use")) removeTraces(settings.base, made);
    throw error;
  }
}

interface Job {
  readonly settings: SplitSettings;
  readonly record: SplitRecord | undefined;
  readonly tally: SplitCounters;
  readonly listing: Listing;
  readonly onProgress: NonNullable<SplitHooks["onProgress"]>;
}

function recordFor(settings: SplitSettings): SplitRecord | undefined {
  const record = readRecord(settings.base);
  refuseOtherMind(settings, record);
  return record;
}

/** Whether a plan is kept. Moving has one too, it is what remains of the input; and so has what was once moved. */
const isPlanned = ({ settings: { rule, by, base, name } }: Job): boolean =>
  rule.kind !== "hash" || by === "move" || existsSync(planPath(base, name));

const entry = ({ input, rule, by, choice }: SplitSettings, shards: number) => ({ input, rule, by, shards, ...choice });

/** Writes the plan, where there is one; returns the number of shards. */
async function decide(job: Job): Promise<number> {
  const { settings, record } = job;
  const path = planPath(settings.base, settings.name);
  sweepPlans(stateDir(settings.base));
  // A plan without a record was never acted on.
  if (!entryOf(record, settings.name)) rmSync(path, { force: true });
  const assignment = createAssignment(settings.rule);
  if (isPlanned(job)) {
    try {
      makeDirectory(dirname(path));
    } catch (error) {
      throw environmentError("make the directory", dirname(path), error);
    }
    await writePlan(path, plan(job, path, assignment));
  }
  return assignment.shards;
}

async function* plan(job: Job, path: string, assignment: Assignment): AsyncGenerator<PlannedDirectory> {
  const { settings, tally, listing, onProgress } = job;
  let files = 0;
  const sizeOf = (relDir: string, name: string): number | undefined => {
    const key = joinRelative(relDir, name);
    const from = `${settings.input}/${key}`;
    try {
      const stat = lstatSync(from, { throwIfNoEntry: false });
      if (!stat) return missing(key);
      if (!stat.isSymbolicLink()) return stat.size;
      if (settings.by === "move") throw symbolicLink(key);
      return statSync(from).size;
    } catch (error) {
      if (KagurazakaError.is(error)) throw error;
      tally.fail(key, (error as Error).message);
      return undefined;
    }
  };
  const missing = (key: string): undefined => {
    // What Node could not decode it shows as U+FFFD, and that name is not on the disk.
    if (key.includes("\ufffd")) tally.fail(key, NOT_UTF8);
    else tally.gone++;
  };
  const old = (): AsyncIterable<PlannedDirectory> => readPlan(path);
  for await (const directory of joinPlan({ old, walk: listing(), assignment, sizeOf })) {
    files += directory.files.length;
    onProgress("planning", files);
    yield directory;
  }
  // Before the plan takes effect.
  refuseMoreDigits(job, assignment.shards);
}

/** What there is to place: the plan, or the walk where each key says its shard. */
async function* planned(job: Job, assignment: Assignment): AsyncGenerator<PlannedDirectory> {
  const { settings, listing } = job;
  if (isPlanned(job)) return yield* readPlan(planPath(settings.base, settings.name));
  for (const { relDir, names } of listing()) {
    for (let from = 0; from < names.length; from += FILES_PER_LINE) {
      const files = names
        .slice(from, from + FILES_PER_LINE)
        .map((name) => ({ name, shard: assignment.assign(joinRelative(relDir, name), 0), bytes: 0 }));
      yield { relDir, files };
    }
  }
}

async function placeAll(job: Job, directories: ShardDirectories, lease: Lease): Promise<void> {
  const { settings, tally, onProgress } = job;
  const placer = new Placer(settings.input, settings.by, directories);
  const assignment = createAssignment(settings.rule);
  let files = 0;
  let lookedMs = 0;
  const settle = (): void =>
    placer.removals.settle(({ key, state }, why) => {
      tally[state]--;
      tally.fail(key, why);
    });
  for await (const directory of planned(job, assignment)) {
    for (const { name, shard } of directory.files) {
      try {
        const placed = placer.place(shard, directory.relDir, name);
        tally[placed.state]++;
        if (placed.state !== "gone") tally.add(shard, placed.bytes);
      } catch (error) {
        if (!(error instanceof PlacingFailed)) throw error;
        tally.fail(joinRelative(directory.relDir, name), error.message);
      }
      if (placer.removals.isFull) settle();
    }
    files += directory.files.length;
    onProgress("placing", files);
    if (Date.now() - lookedMs < 1000) continue;
    lease.assertHeld();
    lookedMs = Date.now();
  }
  settle();
}

/** Where everything would go; nothing is written. */
async function preview(job: Job): Promise<SplitResult> {
  const { settings, record, tally } = job;
  const { base, name } = settings;
  const before = entryOf(record, name);
  const there = before && new ShardDirectories(base, name, before.shards);
  const assignment = createAssignment(settings.rule);
  for await (const { relDir, files } of plan(job, before ? planPath(base, name) : "", assignment)) {
    for (const file of files) {
      tally.add(file.shard, file.bytes);
      const path =
        file.shard < (before?.shards ?? 0) ? `${there!.rootOf(file.shard)}/${relDir}/${file.name}` : undefined;
      if (path !== undefined && lstatSync(path, { throwIfNoEntry: false })) tally.there++;
      else tally.placed++;
    }
  }
  new ShardDirectories(base, name, assignment.shards).refuseOverlap(settings.input);
  return resultOf(job, assignment.shards);
}

function resultOf({ settings, tally }: Job, shards: number): SplitResult {
  const { placed, there, gone, failed, passedOver } = tally;
  return {
    base: settings.base,
    name: settings.name,
    shards: tally.shards(shards),
    placed,
    there,
    gone,
    failed,
    passedOver,
  };
}

/** Files that came later may need more shards; `10` cannot join `0` to `9`, which would have to be `00` to `09`. */
function refuseMoreDigits({ settings, record }: Job, shards: number): void {
  refuseOtherCount(settings, shards, record);
  const before = entryOf(record, settings.name);
  if (!before || digitsOf(before.shards) === digitsOf(shards)) return;
  const message = `with the new files there would be ${shards} shards, and those that are there are numbered for ${before.shards}`;
  throw new KagurazakaError("usage", message, {
    where: settings.base,
    hint: "Put the new files into a directory of their own and split that --into another one.",
  });
}
