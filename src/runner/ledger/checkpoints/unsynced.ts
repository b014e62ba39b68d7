import { join } from "node:path";
import type { CheckpointLine, LedgerHeader } from "../lines.js";
import type { Block } from "../read-segment.js";
import type { Segment } from "../segment.js";
import { readLastCheckpoint } from "./last-checkpoint.js";
import { isSharedFileSystem } from "./shared-file-system.js";

/**
 * What a machine may have lost when it lost power or was reset. Nothing but `--durable` waits for the disk, so the last
 * outputs of a boot may be there by name only, and the lines about them gone. Checkpoints in the ledger say how far the disk
 * has come:
 *
 *     {"v":1,"run":…,"boot":"b1"}
 *     {"k":"a","s":"done"}
 *     {"k":"b","s":"done"}                 <─ byte 120
 *     {"k":"c","s":"done"}                       recorded while the file system was synced
 *     {"sync":"…10.000Z","upto":120}       a and b are on disk, and whatever was published before …10.000
 *     {"k":"d","s":"done"}                 the power goes
 *
 * In the next boot, c and d may be unsynced: they count as not finished. An output without a line, or with an older line
 * only, may be unsynced when it changed after the checkpoint: by ctime, which a rename sets and no task can. In a copied tree
 * every ctime is that of the copying, so where an older line is left, mtime has to be later as well.
 *
 * A later run that is `settled` has looked at every item of its input, and has made again what was not whole; outputs of
 * runs over another input are not settled by it.
 *
 * A clean restart looks the same as a power loss. A checkpoint with `end` says that nothing was published after it, and a
 * segment that a later run of the same boot `covers` is on disk with that run's first checkpoint; so only runs that were too
 * short for a checkpoint, or were running when the machine went down, may be unsynced.
 */
interface Unsynced {
  /** By file: from which byte on its lines may be unsynced. */
  readonly cuts: ReadonlyMap<string, number>;
  readonly windows: readonly UnsyncedWindow[];
}

/** A time in which a boot that is over may have published outputs that never reached the disk. */
export interface UnsyncedWindow {
  readonly fromMs: number;
  readonly toMs: number;
  /** Of the last segment of that boot: what a later segment records was looked at after the restart. */
  readonly seq: number;
}

/** The machine that reads the ledger. */
export interface Machine {
  /** null: the system has no id of its boot. */
  readonly boot: string | null;
  readonly host: string;
}

export const nothingUnsynced: Unsynced = { cuts: new Map(), windows: [] };

/** Some file systems keep times to two seconds, cut off below. */
const COARSE_MS = 2000;

/** Times of an output's file, as `Stats` has them. */
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
    // A clock that was set back does not tell when the boot ended.
    windows.push({ fromMs, toMs: next > fromMs ? next : Number.POSITIVE_INFINITY, seq });
  }
  return { cuts, windows };
}

/** The segments that still wait for a checkpoint: neither do they end with one, nor does another run's checkpoint cover them. */
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
 * Which segments this machine may have lost. On a local disk, all that this boot did not write: an earlier boot wrote them,
 * whatever the machine was called then (containers get a new name each time). On a network file system other machines write,
 * too, and what one of them loses cannot be seen from here: their segments count as synced.
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

/** Whether for each of these inputs a later run has looked at every item. An unknown (undefined) input is never settled. */
function areSettled(
  inputs: ReadonlySet<string | undefined>,
  dir: string,
  later: readonly Segment[],
  suspects: readonly UnsyncedSegment[],
): boolean {
  const unsettled = new Set(inputs);
  for (const segment of later) {
    const input = segment.header?.input;
    // The file of a segment is read only where it could settle something.
    if (input === undefined || !unsettled.has(input)) continue;
    const known = suspects.find((suspect) => suspect.segment === segment);
    const checkpoint = known ? known.checkpoint : readLastCheckpoint(join(dir, segment.file), END_BYTES);
    if (checkpoint?.settled === true) unsettled.delete(input);
  }
  return unsettled.size === 0;
}

/** Cuts a block of lines at a byte of the file. */
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
