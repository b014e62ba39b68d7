import { join } from "node:path";
import type { CheckpointLine, LedgerHeader } from "../lines.js";
import type { Block } from "../read-segment.js";
import type { Segment } from "../segment.js";
import { readLastCheckpoint } from "./last-checkpoint.js";
import { isSharedFileSystem } from "./shared-file-system.js";

/**
 * What a power loss or reset may have lost. Only `--durable` waits for the disk, so the last outputs of a boot may exist by
 * name only, and their lines may be missing. Checkpoints in the ledger show which results are on disk:
 *
 *     {"v":1,"run":…,"boot":"b1"}
 *     {"k":"a","s":"done"}
 *     {"k":"b","s":"done"}                 <─ byte 120
 *     {"k":"c","s":"done"}                       recorded while the file system was synced
 *     {"sync":"…10.000Z","upto":120}       a and b are on disk, and all outputs published before …10.000
 *     {"k":"d","s":"done"}                 power loss
 *
 * In the next boot, c and d may be unsynced: they count as not finished. An output without a line, or with an older line
 * only, may be unsynced when its ctime is after the checkpoint (a rename sets ctime, and a task cannot). In a copied tree
 * every ctime is the time of the copy, so with an older line, mtime must be later too.
 *
 * A later run with `settled` has checked every item of its input and redone incomplete outputs. It says nothing about outputs
 * of runs over another input.
 *
 * A clean restart looks like a power loss. A checkpoint with `end` says that nothing was published after it. A segment that
 * a later run of the same boot `covers` is on disk with that run's first checkpoint. So only runs that were too short for a
 * checkpoint, or that were running when the machine went down, may be unsynced.
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
  /** The `seq` of the last segment of that boot: items recorded in a later segment were checked after the restart. */
  readonly seq: number;
}

/** The machine that reads the ledger. */
export interface Machine {
  /** null: the system has no boot id. */
  readonly boot: string | null;
  readonly host: string;
}

export const nothingUnsynced: Unsynced = { cuts: new Map(), windows: [] };

/** Some file systems round times down to two seconds. */
const COARSE_MS = 2000;

/** Times of an output's file, as `Stats` has them. */
export interface ChangeTimes {
  readonly ctimeMs: number;
  readonly mtimeMs: number;
}

/** `recorded`: a synced line, in a segment of this `seq`, says that the output existed when the line was written. */
export function isWithin(window: UnsyncedWindow, times: ChangeTimes, recorded: boolean, seq: number): boolean {
  if (recorded && seq > window.seq) return false;
  const { ctimeMs, mtimeMs } = times;
  if (ctimeMs >= window.toMs) return false;
  // A line before the checkpoint means an output before the checkpoint: coarse times need no tolerance.
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
    return [
      {
        segment,
        header,
        checkpoint: readLastCheckpoint(join(dir, segment.file), { isChecked: header.c !== undefined }),
      },
    ];
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
    // If the clock was set back, the end of the boot is unknown.
    windows.push({ fromMs, toMs: next > fromMs ? next : Number.POSITIVE_INFINITY, seq });
  }
  return { cuts, windows };
}

/** The segments without a checkpoint: they do not end with one, and no checkpoint of another run covers them. */
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
 * Which segments this machine may have lost. On a local disk: all segments of earlier boots, under any host name (containers
 * get a new name each time). On a network file system other machines write too; this machine cannot see what they lost, so
 * their segments count as synced.
 */
function createOwnership(dir: string, here: Machine): (header: LedgerHeader) => boolean {
  let shared: boolean | undefined;
  return ({ host }) => {
    if (host === undefined || host === here.host) return true;
    shared ??= isSharedFileSystem(dir);
    return !shared;
  };
}

/** Outputs published before this time are on disk: the last checkpoint of any run, or the start of the first run. */
function windowStart(boot: readonly UnsyncedSegment[]): number {
  const checkpoints = boot.flatMap(({ checkpoint }) => (checkpoint === undefined ? [] : [Date.parse(checkpoint.sync)]));
  return checkpoints.length > 0
    ? Math.max(...checkpoints)
    : Math.min(...boot.map(({ header }) => Date.parse(header.at)));
}

const END_BYTES = 64 * 1024;

/** Whether a later run has checked every item of each of these inputs. An unknown (undefined) input is never settled. */
function areSettled(
  inputs: ReadonlySet<string | undefined>,
  dir: string,
  later: readonly Segment[],
  suspects: readonly UnsyncedSegment[],
): boolean {
  const unsettled = new Set(inputs);
  for (const segment of later) {
    const { input, c } = segment.header ?? {};
    // Reads the file of a segment only if the segment may settle one of the inputs.
    if (input === undefined || !unsettled.has(input)) continue;
    const known = suspects.find((suspect) => suspect.segment === segment);
    const checkpoint = known
      ? known.checkpoint
      : readLastCheckpoint(join(dir, segment.file), { isChecked: c !== undefined, within: END_BYTES });
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
