import { readdirSync } from "node:fs";
import { join } from "node:path";
import { KagurazakaError } from "../../base/errors.js";
import { fingerprintHigh, fingerprintLow, hashAsciiBytes, hashText } from "../../base/hash.js";
import { type Doubt, findDoubt, type Machine, noDoubt, partedAt } from "./doubt/doubt.js";
import { sameScope } from "./epochs/epoch-scope.js";
import { FailedKeys } from "./failures/failed-keys.js";
import { environmentError, errnoOf } from "./files.js";
import { FingerprintTable } from "./fingerprint-table.js";
import { type EpochRecord, LedgerIndex, packEntry, type Segment, statusCodes } from "./ledger-index.js";
import {
  isEpochComplete,
  isEpochOpen,
  isHeader,
  isOutcomeLine,
  isSyncMark,
  LEDGER_VERSION,
  type LedgerHeader,
  parseLine,
  type RecordedStatus,
} from "./lines.js";
import { readBlocks, readFirstLine } from "./read-segment.js";
import { type LineSink, scanLines } from "./scan-lines.js";

/**
 * Reads all segments of a ledger, oldest first. A directory that does not exist is an empty ledger. Torn ends are left out,
 * damaged lines counted; a segment of a newer version of this tool is an `environment` error. `here` is who asks: without
 * it, nothing is held to be lost with the power.
 */
export async function loadLedger(dir: string, here?: Machine): Promise<LedgerIndex> {
  const listed = listSegments(dir);
  const doubt = here === undefined ? noDoubt : findDoubt(dir, listed, here);
  const loader = new Loader(doubt);
  for (const segment of listed) {
    const cut = doubt.cuts.get(segment.file) ?? Number.POSITIVE_INFINITY;
    const { parts, sinks } = loader.add(segment, cut);
    for await (const block of readBlocks(join(dir, segment.file))) {
      for (const part of parts) part.sizeBytes = block.offset + block.end;
      for (const [piece, doubtful] of partedAt(block, cut)) scanLines(piece, sinks[doubtful ? sinks.length - 1 : 0]!);
    }
  }
  return new LedgerIndex({ dir, ...loader });
}

/** The segments of a ledger directory, in the order in which their lines count. */
export function listSegments(dir: string): Segment[] {
  const segments = segmentFiles(dir).map(
    (file): Segment => ({
      file,
      header: headerOf(join(dir, file)),
      sizeBytes: 0,
      doneKeys: 0,
      doubtful: false,
      mark: undefined,
    }),
  );
  return segments.sort(
    (a, b) =>
      (a.header?.seq ?? 0) - (b.header?.seq ?? 0) ||
      compare(a.header?.at ?? "", b.header?.at ?? "") ||
      compare(a.file, b.file),
  );
}

export function segmentFiles(dir: string): string[] {
  try {
    return readdirSync(dir).filter((name) => name.endsWith(".jsonl"));
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw environmentError("read the ledger", dir, error);
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function headerOf(path: string): LedgerHeader | null {
  const line = parseLine(readFirstLine(path));
  if (line === undefined || !isHeader(line)) return null;
  if (line.v > LEDGER_VERSION) {
    throw new KagurazakaError(
      "environment",
      `the ledger ${path} is of version ${line.v}; this kagurazaka reads up to ${LEDGER_VERSION}`,
      {
        where: path,
        hint: "Use the newer kagurazaka that wrote it, or another --run-dir.",
      },
    );
  }
  return line;
}

class Loader {
  readonly table = new FingerprintTable();
  readonly failed = new FailedKeys();
  readonly counts: Record<RecordedStatus, number> = { done: 0, filtered: 0, failed: 0 };
  readonly epochs: EpochRecord[] = [];
  readonly invalid: { count: number; first: string | undefined } = { count: 0, first: undefined };
  readonly segments: Segment[] = [];
  readonly doubt: Doubt;
  doubtfulKeys = 0;

  constructor(doubt: Doubt) {
    this.doubt = doubt;
  }

  /** A segment, as two where only a part of it is doubtful. */
  add(segment: Segment, cut: number): { parts: Segment[]; sinks: LineSink[] } {
    const doubtful = { ...segment, doubtful: true };
    const parts = cut === Number.POSITIVE_INFINITY ? [segment] : cut === 0 ? [doubtful] : [segment, doubtful];
    const first = this.segments.push(...parts) - parts.length;
    return { parts, sinks: parts.map((_, i) => this.#sinkOf(first + i)) };
  }

  #sinkOf(number: number): LineSink {
    const segment = this.segments[number]!;
    const { file } = segment;
    return {
      plain: (status, bytes, start, end) => {
        const before = this.#record(status, number, hashAsciiBytes(bytes, start, end));
        if (before === statusCodes.failed)
          this.failed.forget(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("latin1"));
      },
      parsed: (line, offset, length) => {
        if (isOutcomeLine(line)) {
          this.#record(line.s, number, hashText(line.k));
          if (line.s === "failed") this.failed.remember(line.k, { file, offset, length });
          else this.failed.forget(line.k);
        } else if (isEpochOpen(line)) {
          this.epochs.push({ epoch: line.epoch, scope: line.scope, partial: line.partial === true, complete: false });
        } else if (isEpochComplete(line)) {
          for (const record of this.epochs)
            if (record.epoch === line.epoch && sameScope(record.scope, line.scope)) record.complete = true;
        } else if (isSyncMark(line)) {
          segment.mark = line;
        }
      },
      invalid: (offset) => {
        this.invalid.count++;
        this.invalid.first ??= `${file}, byte ${offset}`;
      },
      // Another shard may be writing it just now: read again from here, should anybody ask.
      torn: (offset) => {
        segment.sizeBytes = offset;
      },
    };
  }

  /** Returns the code of the status before, 0 if there was none. */
  #record(status: RecordedStatus, number: number, hash: Uint32Array): number {
    const before = this.table.set(fingerprintLow(hash), fingerprintHigh(hash), packEntry(status, number));
    const code = before & 3;
    if (code === statusCodes.done) {
      this.counts.done--;
      this.segments[before >>> 2]!.doneKeys--;
    } else if (code === statusCodes.filtered) this.counts.filtered--;
    else if (code === statusCodes.failed) this.counts.failed--;
    if (code !== 0 && code !== statusCodes.failed && this.segments[before >>> 2]!.doubtful) this.doubtfulKeys--;
    const segment = this.segments[number]!;
    this.counts[status]++;
    if (status === "done") segment.doneKeys++;
    if (status !== "failed" && segment.doubtful) this.doubtfulKeys++;
    return code;
  }
}
