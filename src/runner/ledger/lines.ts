import type { ErrorRecord } from "../../base/errors.js";
import type { SoftPartition } from "../../contracts/modes.js";
import { type Partition, wholeInput } from "../../contracts/partition.js";
import type { HashShard } from "../../contracts/run-config.js";

/**
 * The ledger: one directory, one file (segment) per run, written by the run's coordinator alone, only ever appended to.
 *
 *     ledger/<run>.jsonl    {"v":1,"run":…}                              the header
 *                           {"k":"a.txt","s":"done","ms":1.2}            one line per outcome
 *                           {"epoch":1,"open":true,"scope":{}}           and per step of an epoch
 *                           {"sync":"2030-01-01T00:00:10.000Z","upto":9} a checkpoint, see checkpoints/unsynced.ts
 *
 * `ledger compact` folds many into one file, each segment still under its own header (`compact/compact-ledger.ts`).
 *
 * Of one key the last line counts: segments in the order of `seq`, lines in the order of the file. A line counts once its
 * closing brace is written; whatever follows the last such line of a file is torn and does not exist.
 */
export const LEDGER_VERSION = 1;
/** Of a file with the lines of several segments (`compact/`): a version that reads only one per file must refuse it. */
export const COMPACTED_VERSION = 2;

export interface LedgerHeader {
  readonly v: typeof LEDGER_VERSION | typeof COMPACTED_VERSION;
  readonly run: string;
  readonly task: string;
  /** ISO time, for people: nothing is decided by it. */
  readonly at: string;
  /** One above all segments seen when the run began: the order of segments. */
  readonly seq: number;
  /** Hash of the task's code. */
  readonly module: string;
  /** The author's `static version`. */
  readonly version: string | null;
  /** Hash of the options. */
  readonly options: string;
  /** The epoch in which this run's outcomes are recorded. */
  readonly epoch: number;
  /** Id of the machine's boot; null where the system has none. */
  readonly boot: string | null;
  /** Name of the machine. Left out by versions that wrote no checkpoints: their segments count as synced. */
  readonly host?: string;
  /** A hash of what it lists its items from; left out where there is none (`run/input-hash.ts`). */
  readonly input?: string;
  /** The run waited until each output, and then its line, was on disk. */
  readonly durable?: true;
  /** Segments of the same boot that were finished and not yet on disk for sure: a checkpoint in this one holds for them as well. */
  readonly covers?: readonly string[];
  readonly shard: Partition;
  /** The first line of a file that holds the segments of many runs, each under its own header (`compact/`). */
  readonly compacted?: true;
}

/** Of a run of which nothing is known. */
export const unknownFacts: Omit<LedgerHeader, "v"> = {
  run: "",
  task: "",
  at: "",
  seq: 0,
  module: "",
  version: null,
  options: "",
  epoch: 0,
  boot: null,
  shard: wholeInput,
};

export type RecordedStatus = "done" | "filtered" | "failed";

interface OutcomeBase {
  readonly k: string;
  readonly s: RecordedStatus;
  /** Time inside `process`, milliseconds. */
  readonly ms: number;
  /** Attempts, where not 1. */
  readonly n?: number;
}

interface DoneLine extends OutcomeBase {
  readonly s: "done";
  /** Done before in this epoch, and again because its output was gone. */
  readonly again?: 1;
}

interface FilteredLine extends OutcomeBase {
  readonly s: "filtered";
  readonly reason: string;
}

export interface FailedLine extends OutcomeBase {
  readonly s: "failed";
  readonly class: string;
  readonly error: ErrorRecord;
  /** The item itself, up to 64 KB of JSON. */
  readonly item?: unknown;
  /** In place of a larger item: the size of its JSON. */
  readonly itemBytes?: number;
}

/** What an epoch redoes; fields left out do not narrow it. */
export interface EpochSelection {
  readonly shard?: HashShard;
  readonly soft?: SoftPartition;
  /** Globs over keys. */
  readonly only?: readonly string[];
  /** `--sample P%`: keys whose hash is below. */
  readonly samplePercent?: number;
  /** `packKeys` of the keys named. */
  readonly keys?: string;
}

export interface EpochOpenLine {
  readonly epoch: number;
  readonly open: true;
  readonly scope: EpochSelection;
  readonly partial?: true;
}

export interface EpochCompleteLine {
  readonly epoch: number;
  readonly complete: true;
  /** Two shards may open epochs of one number side by side, of different scopes. */
  readonly scope: EpochSelection;
}

/** What was recorded and published before the sync began is on disk. */
export interface CheckpointLine {
  /** ISO time, from before the sync began. */
  readonly sync: string;
  /** Lines of this segment before this byte. */
  readonly upto: number;
  /** The run published nothing after it. */
  readonly end?: true;
  /** The run looked at all items of its `input` and left none open: no output of earlier runs over it is unsynced any more. */
  readonly settled?: true;
}

export type OutcomeLine = DoneLine | FilteredLine | FailedLine;
export type LedgerLine = LedgerHeader | OutcomeLine | EpochOpenLine | EpochCompleteLine | CheckpointLine;

const statuses: ReadonlySet<unknown> = new Set<RecordedStatus>(["done", "filtered", "failed"]);

/** An object from one line; undefined: not a line of JSON object. Objects of kinds not known here are let through. */
export function parseLine(text: string): Partial<LedgerLine> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function isOutcomeLine(line: Partial<LedgerLine>): line is OutcomeLine {
  return typeof (line as OutcomeLine).k === "string" && statuses.has((line as OutcomeLine).s);
}

export function isHeader(line: Partial<LedgerLine>): line is LedgerHeader {
  return "v" in line && typeof line.v === "number" && typeof line.run === "string";
}

export const isCompacted = (header: LedgerHeader | null): boolean =>
  header?.v === COMPACTED_VERSION && header.compacted === true;

export const isEpochOpen = (line: Partial<LedgerLine>): line is EpochOpenLine =>
  "open" in line && line.open === true && namesEpoch(line);

export const isEpochComplete = (line: Partial<LedgerLine>): line is EpochCompleteLine =>
  "complete" in line && line.complete === true && namesEpoch(line);

const namesEpoch = ({ epoch, scope }: Partial<EpochOpenLine | EpochCompleteLine>): boolean =>
  Number.isSafeInteger(epoch) && typeof scope === "object" && scope !== null;

export function isCheckpoint(line: Partial<LedgerLine>): line is CheckpointLine {
  return (
    "sync" in line &&
    typeof line.sync === "string" &&
    Number.isFinite(Date.parse(line.sync)) &&
    Number.isSafeInteger(line.upto) &&
    line.upto! >= 0
  );
}
