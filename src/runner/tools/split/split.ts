import { lstatSync } from "node:fs";
import { KagurazakaError } from "../../../base/errors.js";
import { joinRelative } from "../../../data/files/walk.js";
import type { Lease } from "../../lease/index.js";
import { createAssignment } from "./assignment.js";
import { holdBase, makeBase, removeTraces } from "./base-directory.js";
import { createListing } from "./listing.js";
import { Placer } from "./placer.js";
import { PlacingFailed } from "./placing-failed.js";
import { planPath, stateDir } from "./plan.js";
import { decideShards, filesToPlace, type Job, planFiles } from "./planning.js";
import { entryOf, readRecord, refuseOtherSplit, type SplitRecord, writeRecord } from "./record.js";
import { refuseForeign, refuseOtherFileSystem } from "./refusals.js";
import { readRequest, type SplitRequest, type SplitSettings } from "./settings.js";
import { ShardDirectories } from "./shard-directories.js";
import { type ShardCount, SplitCounters } from "./split-counters.js";

export interface SplitResult
  extends Readonly<Pick<SplitCounters, "placed" | "there" | "gone" | "failed" | "passedOver">> {
  /** Absolute. */
  readonly base: string;
  readonly name: string;
  readonly shards: readonly ShardCount[];
}

interface SplitHooks {
  /** Called after each directory. */
  readonly onProgress?: Job["onProgress"];
}

/**
 * Cuts an input tree into hard shards: `<into>/<shard>/<name>/<key>`. The settings stand in a record before the first file is
 * placed, and a file that lies in its shard is done, so the same command goes on after any end, and a second time finds
 * nothing to do. See `Rule` (settings.ts) for how a file finds its shard, `Placer` for how it gets there.
 */
export async function splitTree(
  request: SplitRequest,
  { dryRun = false, onProgress = () => {} }: { readonly dryRun?: boolean } & SplitHooks = {},
): Promise<SplitResult> {
  const settings = readRequest(request);
  refuseForeign(settings.base, stateDir(settings.base));
  const record = recordFor(settings);
  if (settings.by === "link") refuseOtherFileSystem(settings);
  const counters = new SplitCounters();
  const listing = createListing(settings, counters);
  const job: Job = { settings, record, counters, listing, onProgress };
  if (dryRun) return preview(job);

  const made = makeBase(settings.base);
  let isRecorded = record !== undefined;
  try {
    await using lease = await holdBase(settings.base);
    // Another split may have ended since.
    const current: Job = { ...job, record: recordFor(settings) };
    isRecorded ||= current.record !== undefined;
    const shards = await decideShards(current);
    const directories = new ShardDirectories(settings.base, settings.name, shards);
    directories.refuseOverlap(settings.input);
    const { input, rule, by, choice } = settings;
    writeRecord(settings.base, settings.name, { input, rule, by, shards, ...choice }, current.record);
    isRecorded = true;
    directories.prepare();
    await placeAll(current, directories, lease);
    directories.close();
    return resultOf(current, shards);
  } catch (error) {
    // A mistake that only the listing shows leaves nothing behind either.
    if (!isRecorded && !(KagurazakaError.is(error) && error.code === "root-in-use")) removeTraces(settings.base, made);
    throw error;
  }
}

function recordFor(settings: SplitSettings): SplitRecord | undefined {
  const record = readRecord(settings.base);
  refuseOtherSplit(settings, record);
  return record;
}

async function placeAll(job: Job, directories: ShardDirectories, lease: Lease): Promise<void> {
  const { settings, counters, onProgress } = job;
  const placer = new Placer(settings.input, settings.by, directories);
  let files = 0;
  let assertedMs = 0;
  const settle = (): void =>
    placer.removals.settle(({ key, state }, why) => {
      counters[state]--;
      counters.fail(key, why);
    });
  for await (const directory of filesToPlace(job)) {
    for (const { name, shard } of directory.files) {
      try {
        const placed = placer.place(shard, directory.relDir, name);
        counters[placed.state]++;
        if (placed.state !== "gone") counters.add(shard, placed.bytes);
      } catch (error) {
        if (!(error instanceof PlacingFailed)) throw error;
        counters.fail(joinRelative(directory.relDir, name), error.message);
      }
      if (placer.removals.isFull) settle();
    }
    files += directory.files.length;
    onProgress("placing", files);
    if (Date.now() - assertedMs < 1000) continue;
    lease.assertHeld();
    assertedMs = Date.now();
  }
  settle();
}

/** Where all files would go; nothing is written. */
async function preview(job: Job): Promise<SplitResult> {
  const { settings, record, counters } = job;
  const { base, name } = settings;
  const { shards = 0 } = entryOf(record, name) ?? {};
  const existing = new ShardDirectories(base, name, shards);
  const assignment = createAssignment(settings.rule);
  for await (const { relDir, files } of planFiles(job, shards > 0 ? planPath(base, name) : "", assignment)) {
    for (const file of files) {
      counters.add(file.shard, file.bytes);
      const path = file.shard < shards ? `${existing.rootOf(file.shard)}/${relDir}/${file.name}` : undefined;
      if (path !== undefined && lstatSync(path, { throwIfNoEntry: false })) counters.there++;
      else counters.placed++;
    }
  }
  new ShardDirectories(base, name, assignment.shards).refuseOverlap(settings.input);
  return resultOf(job, assignment.shards);
}

function resultOf({ settings: { base, name }, counters }: Job, shards: number): SplitResult {
  const { placed, there, gone, failed, passedOver } = counters;
  return { base, name, shards: counters.shards(shards), placed, there, gone, failed, passedOver };
}
