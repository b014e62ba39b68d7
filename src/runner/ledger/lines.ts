import type { ErrorRecord } from "../../base/errors.js";
import { parseJson } from "../../base/exact-json.js";
import type { SoftPartition } from "../../contracts/modes.js";
import { type Partition, wholeInput } from "../../contracts/partition.js";
import type { HashShard } from "../../contracts/run-config.js";

/**
 * The ledger: one directory with one append-only file (segment) per run, written only by the run's coordinator.
 *
 *     ledger/<run>.jsonl    {"v":1,"run":…}                              the header
 *                           {"copy":{"v":1,"run":…}}                     once more, should that line be damaged
 *                           {"k":"a.txt","s":"done","ms":1.2}            one line per outcome
 *                           {"epoch":1,"open":true,"scope":{}}           and per step of an epoch
 *                           {"sync":"2030-01-01T00:00:10.000Z","upto":9} a checkpoint, see checkpoints/unsynced.ts
 *
 * Each line ends with a checksum, `"c"` (`base/checksum.ts`). Older versions wrote none: where the header has one, all
 * lines have. A line whose checksum is wrong or missing is damaged: it counts as not written, and is named.
 *
 * `ledger compact` folds many into one file, each segment still under its own header (`compact/compact-ledger.ts`).
 *
 * The last line of a key wins: segments in the order of `seq`, lines in the order of the file. A line is valid once its
 * closing brace is written; incomplete bytes at the end of a file are ignored.
 */
export const LEDGER_VERSION = 1;
/** The version of a compacted file, with the lines of several segments: versions that read one per file must refuse it. */
export const COMPACTED_VERSION = 2;

export interface LedgerHeader {
  readonly v: typeof LEDGER_VERSION | typeof COMPACTED_VERSION;
  readonly run: string;
  readonly task: string;
  /** ISO time, for people: nothing is decided by it. */
  readonly at: string;
  /** The order of segments: one above the highest when the run began. */
  readonly seq: number;
  /** Hash of the task's code. */
  readonly module: string;
  /** The author's `static version`. */
  readonly version: string | null;
  /** Hash of the options. */
  readonly options: string;
  /** The epoch in which this run's outcomes are recorded. */
  readonly epoch: number;
  /** The boot id of the machine; null where the system has none. */
  readonly boot: string | null;
  /** The host name. Versions without checkpoints omit it: their segments count as synced. */
  readonly host?: string;
  /** A hash of the run's input (`record/input-hash.ts`); omitted where there is none. */
  readonly input?: string;
  /** `--durable`: the run waited until each output, and then its line, was on disk. */
  readonly durable?: true;
  /** Finished segments of the same boot that may be unsynced: a checkpoint in this segment covers them too. */
  readonly covers?: readonly string[];
  readonly shard: Partition;
  /** The first line of a file that holds the segments of many runs, each under its own header (`compact/`). */
  readonly compacted?: true;
  /** Its checksum: every line of the segment has one. */
  readonly c?: string;
}

/** Versions that do not know it take it for a line of an unknown kind. */
interface HeaderCopyLine {
  readonly copy: LedgerHeader;
}

export const copyOf = (header: LedgerHeader): HeaderCopyLine => ({ copy: header });

/** The header of an unknown run. */
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
  /** Attempts, if not 1. */
  readonly n?: number;
}

interface DoneLine extends OutcomeBase {
  readonly s: "done";
  /** Done before in this epoch, and redone because its output was missing. */
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
  /** Instead of a larger item: the size of its JSON. */
  readonly itemBytes?: number;
}

/** The items that an epoch redoes; omitted fields select everything. */
export interface EpochSelection {
  readonly shard?: HashShard;
  readonly soft?: SoftPartition;
  /** Globs over keys. */
  readonly only?: readonly string[];
  /** `--sample P%`: keys with a hash below this number. */
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
  /** Two shards may open epochs of the same number concurrently, with different scopes. */
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
  /** The run checked all items of its `input` and left none open: no output of earlier runs over it is unsynced any more. */
  readonly settled?: true;
}

export type OutcomeLine = DoneLine | FilteredLine | FailedLine;
export type LedgerLine =
  | LedgerHeader
  | HeaderCopyLine
  | OutcomeLine
  | EpochOpenLine
  | EpochCompleteLine
  | CheckpointLine;

const statuses: ReadonlySet<unknown> = new Set<RecordedStatus>(["done", "filtered", "failed"]);

/** Parses one line; undefined: not a JSON object. Objects of unknown kinds are accepted. */
export function parseLine(text: string): Partial<LedgerLine> | undefined {
  try {
    const value = parseJson(text);
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

/** The header that a line repeats; its checksum is that of the line. */
export function copiedHeader(line: Partial<LedgerLine>): LedgerHeader | undefined {
  const { copy, c } = line as { readonly copy?: LedgerHeader; readonly c?: string };
  if (typeof copy !== "object" || copy === null || !isHeader(copy)) return undefined;
  return c === undefined ? copy : { ...copy, c };
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
