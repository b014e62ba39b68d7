import { join } from "node:path";
import type { CheckpointLine, LedgerHeader } from "../lines.js";
import type { Block } from "../read-segment.js";
import type { Segment } from "../segment.js";
import { readLastCheckpoint } from "./last-checkpoint.js";
import { isSharedFileSystem } from "./shared-file-system.js";

/**
 * What a machine that has started again may have lost. Nothing but `--durable` waits for the disk, so the last outputs of
 * a boot may be there by name only, and the lines about them gone. A run says in its ledger how far the disk has come:
 *
 *     {"v":1,"run":…,"boot":"b1"}
 *     {"k":"a","s":"done"}
 *     {"k":"b","s":"done"}                 <─ byte 120
 *     {"k":"c","s":"done"}                       recorded while the file system was synced
 *     {"sync":"…10.000Z","upto":120}       a and b are on disk, and whatever was published before …10.000
 *     {"k":"d","s":"done"}                 the power goes
 *
 * In another boot, c and d are mayBeUnsynced: they count as not finished. An output of which no line is left, or of which only
 * an older one is left, is mayBeUnsynced when it changed after the checkpoint: by ctime, which a rename sets and no task can. But a
 * copy has that of the copying throughout, so where an older line is left, mtime has to say the same.
 *
 * A later run that is `settled` has looked at every item it could list; what runs of another list have left is not settled
 * by it.
 *
 * A clean restart looks the same as one without power. A line `end` says that nothing was published after a checkpoint, and a
 * segment that a later run of the same boot `covers` is on disk with that run's first checkpoint; so doubt is only about runs
 * that were too short to be checkpointed, or died with the machine.
 */
export interface Unsynced {
  /** By file: from which byte on its lines are mayBeUnsynced. */
  readonly cuts: ReadonlyMap<string, number>;
  readonly windows: readonly UnsyncedWindow[];
}

/** In this time a boot that is over may have published what never came to the disk. */
export interface UnsyncedWindow {
  readonly fromMs: number;
  readonly toMs: number;
  /** Of the last segment of that boot: what a later one has recorded is not in doubt. */
  readonly seq: number;
}

/** Who reads the ledger. */
export interface Machine {
  /** null: the system does not tell boots apart. */
  readonly boot: string | null;
  readonly host: string;
}

export const nothingUnsynced: Unsynced = { cuts: new Map(), windows: [] };

/** Some file systems keep times to two seconds, cut off below. */
const COARSE_MS = 2000;

/** When an output changed, by its file; `Stats` will do. */
export interface ChangeTimes {
  readonly ctimeMs: number;
  readonly mtimeMs: number;
}

/** `recorded`: a line that is on disk says that the output was there when it was written, in a segment of this `seq`. */
export function isWithin(window: UnsyncedWindow, times: ChangeTimes, recorded: boolean, seq: number): boolean {
  if (recorded && seq > window.seq) return false;
  const { ctimeMs, mtimeMs } = times;
  if (ctimeMs >= window.toMs) return false;
  // A line before the checkpoint is about an output before the checkpoint: coarse times need no allowance.
  return recorded ? Math.min(ctimeMs, mtimeMs) > window.fromMs + 1 : ctimeMs > window.fromMs - COARSE_MS;
}

interface UnsyncedSegment {
  readonly segment: Segment;
  readonly header: LedgerHeader;
  readonly checkpoint: CheckpointLine | undefined;
}

export function findUnsynced(dir: string, segments: readonly Segment[], here: Machine): Unsynced {
  const ours = createOwnership(dir, here);
  const suspects = segments.flatMap((segment): UnsyncedSegment[] => {
    const { header } = segment;
    if (header === null || header.durable || !isOfAnotherBoot(header, here) || !ours(header)) return [];
    return [{ segment, header, checkpoint: readLastCheckpoint(join(dir, segment.file)) }];
  });
  if (suspects.length === 0) return nothingUnsynced;
  const covered = coveredFiles(suspects);
  const cuts = new Map<string, number>();
  for (const { segment, checkpoint } of suspects)
    if (!covered.has(segment.file) && !checkpoint?.end) cuts.set(segment.file, checkpoint?.upto ?? 0);
  const open = suspects.filter(({ segment }) => cuts.has(segment.file));
  const windows: UnsyncedWindow[] = [];
  for (const boot of new Set(open.map(({ header }) => header.boot))) {
    const seq = Math.max(...suspects.filter(({ header }) => header.boot === boot).map(({ header }) => header.seq));
    const later = segments.filter(({ header }) => header !== null && header.seq > seq && ours(header));
    const inputs = open.flatMap(({ header }) => (header.boot === boot ? [header.input] : []));
    if (areSettled(new Set(inputs), dir, later, suspects)) continue;
    const fromMs = windowStart(suspects.filter(({ header }) => header.boot === boot));
    const next = Math.min(...later.map(({ header }) => Date.parse(header!.at)));
    // A clock that was set back says nothing about an end.
    windows.push({ fromMs, toMs: next > fromMs ? next : Number.POSITIVE_INFINITY, seq });
  }
  return { cuts, windows };
}

/** Nothing in these segments waits for a checkpoint any more: they ended with one, or another run's checkpoint holds for them. */
export function openSegments(segments: readonly Segment[]): Segment[] {
  const checkpointed = segments.flatMap((segment) =>
    segment.header === null ? [] : [{ ...segment, header: segment.header }],
  );
  const covered = coveredFiles(checkpointed);
  return checkpointed.filter(
    ({ file, header, checkpoint }) => !header.durable && !checkpoint?.end && !covered.has(file),
  );
}

function coveredFiles(
  segments: readonly { header: LedgerHeader; checkpoint: CheckpointLine | undefined }[],
): Set<string> {
  return new Set(segments.flatMap(({ header, checkpoint }) => (checkpoint === undefined ? [] : (header.covers ?? []))));
}

function isOfAnotherBoot(header: LedgerHeader, here: Machine): boolean {
  return header.host !== undefined && header.boot !== null && here.boot !== null && header.boot !== here.boot;
}

/**
 * On a disk of its own, whatever was not written by this boot was written by one that is over, under whatever name the
 * machine went then (containers get a new one each time). On a network file system other machines may be at work, and
 * what is lost when one of them dies cannot be seen from here: their segments are believed.
 */
function createOwnership(dir: string, here: Machine): (header: LedgerHeader) => boolean {
  let shared: boolean | undefined;
  return ({ host }) => {
    if (host === undefined || host === here.host) return true;
    shared ??= isSharedFileSystem(dir);
    return !shared;
  };
}

/** Everything published before the last checkpoint is on disk, whichever run wrote it; without one, what is older than the runs. */
function windowStart(boot: readonly UnsyncedSegment[]): number {
  const checkpoints = boot.flatMap(({ checkpoint }) => (checkpoint === undefined ? [] : [Date.parse(checkpoint.sync)]));
  return checkpoints.length > 0
    ? Math.max(...checkpoints)
    : Math.min(...boot.map(({ header }) => Date.parse(header.at)));
}

const END_BYTES = 64 * 1024;

/** Of each of these inputs a later run has looked at every item. What is undefined, nobody can have looked at. */
function areSettled(
  inputs: ReadonlySet<string | undefined>,
  dir: string,
  later: readonly Segment[],
  suspects: readonly UnsyncedSegment[],
): boolean {
  if (inputs.has(undefined)) return false;
  const unsettled = new Set(inputs);
  // Only what would settle something is read.
  for (const segment of later)
    if (unsettled.has(segment.header?.input) && isSettled(dir, segment, suspects))
      unsettled.delete(segment.header?.input);
  return unsettled.size === 0;
}

function isSettled(dir: string, segment: Segment, suspects: readonly UnsyncedSegment[]): boolean {
  const known = suspects.find((suspect) => suspect.segment === segment);
  const checkpoint = known ? known.checkpoint : readLastCheckpoint(join(dir, segment.file), END_BYTES);
  return checkpoint?.settled === true;
}

/** A block of lines as what comes before a byte of the file and what comes after it. */
export function* partedAt(block: Block, cut: number): Generator<readonly [Block, mayBeUnsynced: boolean]> {
  const at = cut - block.offset;
  if (at <= 0 || at >= block.end) {
    yield [block, at <= 0];
    return;
  }
  yield [{ ...block, end: at, last: false }, false];
  const bytes = block.bytes.subarray(at);
  yield [{ bytes, end: block.end - at, offset: cut, last: block.last }, true];
}
