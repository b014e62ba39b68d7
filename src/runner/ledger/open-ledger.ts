import { type ErrorRecord, failureClassOf } from "../../base/errors.js";
import { stringifyJson } from "../../base/exact-json.js";
import type { KeyBytes } from "../../contracts/chunk.js";
import type { FailedKeys } from "./failures/failed-keys.js";
import { roundMs } from "./line-buffer.js";
import type { CheckpointLine, EpochCompleteLine, EpochOpenLine, FailedLine, OutcomeLine } from "./lines.js";
import { type SegmentRequest, SegmentWriter } from "./segment-writer.js";

const MAX_ITEM_BYTES = 64 * 1024;

interface LedgerRequest extends SegmentRequest {
  /** The `failed` of the loaded index, updated by each appended line. */
  readonly failed?: FailedKeys;
}

interface Failure {
  readonly key: string;
  readonly attempts: number;
  /** Time inside `process` in the last attempt. */
  readonly ms: number;
  readonly error: ErrorRecord;
  /** Stored up to 64 KB of JSON, so that `--retry-failed` need not list the items again. */
  readonly item?: unknown;
}

interface Extra {
  /** Omitted from the line when 1. */
  readonly attempts?: number;
  /** The key was done before in this epoch. */
  readonly again?: boolean;
}

/** The ledger for writing: the coordinator appends outcomes, epochs and checkpoints to its own segment. */
export class Ledger extends SegmentWriter {
  readonly #run: string;
  readonly #failed: FailedKeys | undefined;

  constructor(request: LedgerRequest) {
    super(request);
    this.#run = request.header.run;
    this.#failed = request.failed;
  }

  appendDone(key: string, ms: number, extra?: Extra): void {
    this.#failed?.forget(key);
    if (extra === undefined && this.buffer.appendPlainDone(key, ms)) return;
    const again = extra?.again ? { again: 1 as const } : {};
    this.#appendLine({ k: key, s: "done", ms: roundMs(ms), ...attemptsOf(extra?.attempts), ...again });
  }

  /** The fast path for a key given as bytes: plain ASCII without quotes or backslashes. */
  appendDoneName(name: KeyBytes, ms: number): void {
    this.buffer.appendDoneBytes(name, ms);
  }

  appendFiltered(key: string, ms: number, reason: string, attempts = 1): void {
    this.#failed?.forget(key);
    this.#appendLine({ k: key, s: "filtered", ms: roundMs(ms), reason, ...attemptsOf(attempts) });
  }

  appendFailed({ key, attempts, ms, error, item }: Failure): void {
    const line: FailedLine = {
      k: key,
      s: "failed",
      ms: roundMs(ms),
      n: attempts,
      class: failureClassOf(error),
      error,
    };
    const text = `${JSON.stringify(line).slice(0, -1)}${itemField(item)}}`;
    const offset = this.nextOffset;
    const length = this.buffer.appendChecked(text);
    this.#failed?.remember(key, { file: this.file, run: this.#run, offset, length });
  }

  /** Twice: were its only line damaged, what was to be redone would count as finished. */
  appendEpochOpen({ epoch, scope, partial }: Omit<EpochOpenLine, "open">): void {
    const line = { epoch, open: true as const, scope, ...(partial ? { partial } : {}) };
    this.#appendLine(line);
    this.buffer.appendGap();
    this.#appendLine(line);
  }

  appendEpochComplete({ epoch, scope }: Omit<EpochCompleteLine, "complete">): void {
    this.#appendLine({ epoch, complete: true, scope });
  }

  appendCheckpoint(checkpoint: CheckpointLine): void {
    this.#appendLine(checkpoint);
  }

  #appendLine(line: OutcomeLine | EpochOpenLine | EpochCompleteLine | CheckpointLine): void {
    this.buffer.appendChecked(JSON.stringify(line));
  }
}

/** Opens the segment of one run; the first written line creates the file. */
export function openLedger(request: LedgerRequest): Ledger {
  return new Ledger(request);
}

const attemptsOf = (attempts: number | undefined): { n?: number } =>
  attempts === undefined || attempts === 1 ? {} : { n: attempts };

function itemField(item: unknown): string {
  let json: string | undefined;
  try {
    json = stringifyJson(item);
  } catch {
    // A circular item: records the failure without the item.
  }
  if (json === undefined) return "";
  const bytes = Buffer.byteLength(json);
  return bytes <= MAX_ITEM_BYTES ? `,"item":${json}` : `,"itemBytes":${bytes}`;
}
