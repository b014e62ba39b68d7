import { join } from "node:path";
import { errnoOf, listDirectory } from "../../base/disk.js";
import { KagurazakaError } from "../../base/errors.js";
import { fingerprintHigh, fingerprintLow, hashAsciiBytes, hashText } from "../../base/hash.js";
import { findUnsynced, type Machine, nothingUnsynced, partedAt } from "./checkpoints/unsynced.js";
import { addDamage, locateDamage, noDamage } from "./damage.js";
import { sameScope } from "./epochs/epoch-scope.js";
import { FailedKeys } from "./failures/failed-keys.js";
import { FingerprintTable } from "./fingerprint-table.js";
import { type EpochRecord, LedgerIndex, packEntry, statusCodes } from "./ledger-index.js";
import {
  copiedHeader,
  type EpochOpenLine,
  isCheckpoint,
  isCompacted,
  isEpochComplete,
  isEpochOpen,
  isHeader,
  isOutcomeLine,
  LEDGER_VERSION,
  type LedgerHeader,
  type LedgerLine,
  type RecordedStatus,
} from "./lines.js";
import { readBlocks, readHead } from "./read-segment.js";
import { type LineSink, scanLines } from "./scan-lines.js";
import { createSegment, runOf, type Segment } from "./segment.js";
import { parseSound } from "./sound-line.js";

const MAX_TRIES = 4;

/**
 * Reads all segments of a ledger, oldest first. A directory that does not exist is an empty ledger. Incomplete last
 * lines are ignored, damaged lines counted. A segment of a newer version of this tool is an `environment` error. `here` is
 * the machine that reads; without it, every result counts as synced.
 */
export async function loadLedger(dir: string, here?: Machine): Promise<LedgerIndex> {
  for (let tries = 1; ; tries++) {
    try {
      return await loadOnce(dir, here);
    } catch (error) {
      // A reader has no lease: a listed file may be compacted and removed before it is read.
      const vanished = KagurazakaError.is(error) && errnoOf(error.cause) === "ENOENT";
      if (!vanished || tries === MAX_TRIES) throw error;
    }
  }
}

async function loadOnce(dir: string, here: Machine | undefined): Promise<LedgerIndex> {
  const listed = listSegments(dir);
  const unsynced = here === undefined ? nothingUnsynced : findUnsynced(dir, listed, here);
  const loader = new Loader(dir);
  for (const segment of listed) {
    const cut = unsynced.cuts.get(segment.file) ?? Number.POSITIVE_INFINITY;
    const { parts, sinks } = loader.add(segment, cut);
    for await (const block of readBlocks(join(dir, segment.file))) {
      for (const part of parts) part.sizeBytes = block.offset + block.end;
      for (const [piece, mayBeUnsynced] of partedAt(block, cut))
        scanLines(piece, sinks[mayBeUnsynced ? sinks.length - 1 : 0]!);
    }
    loader.checkHeader(segment);
  }
  const damage = await locateDamage(loader.damage);
  return new LedgerIndex({ ...loader, dir, damage, windows: unsynced.windows });
}

/**
 * The files of a ledger directory, in the order of their `seq`. A compacted file is one entry; the headers inside it begin
 * the segments.
 */
export function listSegments(dir: string): Segment[] {
  const files = listDirectory("read the ledger", dir).filter((name) => name.endsWith(".jsonl"));
  const segments = files.map((file) => createSegment(file, headerOf(join(dir, file))));
  return segments.sort(
    (a, b) =>
      (a.header?.seq ?? 0) - (b.header?.seq ?? 0) ||
      compare(a.header?.at ?? "", b.header?.at ?? "") ||
      compare(a.file, b.file),
  );
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const HEADER_BYTES = 64 * 1024;

/** The header from the first line; where that is damaged, from its copy, two lines below. null: both are lost. */
function headerOf(path: string): LedgerHeader | null {
  const [first] = linesIn(readHead(path, HEADER_BYTES));
  if (first !== undefined && isHeader(first)) return known(first, path);
  const copy = linesIn(readHead(path, 3 * HEADER_BYTES), 3).map((line) => line && copiedHeader(line));
  const header = copy.find((one) => one !== undefined);
  return header === undefined ? null : known(header, path);
}

/** The first lines, each undefined where it is damaged. */
function linesIn(bytes: Buffer, count = 1): (Partial<LedgerLine> | undefined)[] {
  const lines: (Partial<LedgerLine> | undefined)[] = [];
  for (let at = 0; lines.length < count && at < bytes.length; ) {
    const newline = bytes.indexOf(0x0a, at);
    const lineEnd = newline < 0 ? bytes.length : newline;
    lines.push(parseSound(bytes, at, bytes[lineEnd - 1] === 0x0d ? lineEnd - 1 : lineEnd, false));
    at = lineEnd + 1;
  }
  return lines;
}

function known(line: LedgerHeader, path: string): LedgerHeader {
  if (line.v > LEDGER_VERSION && !isCompacted(line)) {
    const message = `the ledger ${path} has version ${line.v}; this kagurazaka reads versions up to ${LEDGER_VERSION}`;
    const hint = "Use the newer kagurazaka that wrote it, or another --run-dir.";
    throw new KagurazakaError("environment", message, { where: path, hint });
  }
  return line;
}

class Loader {
  readonly table = new FingerprintTable();
  readonly failed = new FailedKeys();
  readonly counts: Record<RecordedStatus, number> = { done: 0, filtered: 0, failed: 0 };
  readonly epochs: EpochRecord[] = [];
  readonly damage = noDamage();
  readonly segments: Segment[] = [];
  unsyncedKeys = 0;
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** One segment, or two when only a part of it may be unsynced. */
  add(segment: Segment, cut: number): { parts: Segment[]; sinks: LineSink[] } {
    const unsynced = { ...segment, mayBeUnsynced: true };
    const parts = cut === Number.POSITIVE_INFINITY ? [segment] : cut === 0 ? [unsynced] : [segment, unsynced];
    const first = this.segments.push(...parts) - parts.length;
    return { parts, sinks: parts.map((_, i) => this.#sinkOf(first + i)) };
  }

  /** Whose results these are is lost with a header, also where the rest is sound. */
  checkHeader({ file, header, sizeBytes }: Segment): void {
    if (header !== null || sizeBytes === 0) return;
    const path = join(this.#dir, file);
    const isNamed = this.damage.offsets.some((place) => place.path === path && place.offset === 0);
    if (!isNamed) addDamage(this.damage, path, 0);
  }

  #sinkOf(first: number): LineSink {
    const segment = this.segments[first]!;
    let number = first;
    let run = runOf(segment);
    const { file } = segment;
    const begin = (header: LedgerHeader): void => {
      // A compacted file is synced before its rename.
      const durable: LedgerHeader = { ...known(header, join(this.#dir, file)), durable: true };
      number = this.segments.push(createSegment(file, durable)) - 1;
      run = header.run;
    };
    return {
      isChecked: segment.header?.c !== undefined,
      plain: (status, bytes, start, end) => {
        const before = this.#record(status, number, hashAsciiBytes(bytes, start, end));
        if (before === statusCodes.failed)
          this.failed.forget(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("latin1"));
      },
      parsed: (line, offset, length) => {
        if (isOutcomeLine(line)) {
          this.#record(line.s, number, hashText(line.k));
          if (line.s === "failed") this.failed.remember(line.k, { file, run, offset, length });
          else this.failed.forget(line.k);
        } else if (isEpochOpen(line)) {
          this.#openEpoch(line);
        } else if (isEpochComplete(line)) {
          for (const record of this.epochs)
            if (record.epoch === line.epoch && sameScope(record.scope, line.scope)) record.complete = true;
        } else if (isCheckpoint(line)) {
          segment.checkpoint = line;
        } else if (isHeader(line)) {
          if (offset > 0) begin(line);
        } else {
          const copy = copiedHeader(line);
          // The header above it is damaged.
          if (copy !== undefined && copy.run !== run) begin(copy);
        }
      },
      damaged: (offset) => addDamage(this.damage, join(this.#dir, file), offset),
      // Another shard may still be writing this line: `foldFailures` reads on from its start.
      torn: (offset) => {
        segment.sizeBytes = offset;
      },
    };
  }

  /** Epochs with the same number and scope are merged: a killed compaction leaves two copies of the line. */
  #openEpoch(line: EpochOpenLine): void {
    const { epoch, scope } = line;
    const partial = line.partial === true;
    const isThere = this.epochs.some(
      (record) => record.epoch === epoch && record.partial === partial && sameScope(record.scope, scope),
    );
    if (!isThere) this.epochs.push({ epoch, scope, partial, complete: false });
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
    if (code !== 0 && code !== statusCodes.failed && this.segments[before >>> 2]!.mayBeUnsynced) this.unsyncedKeys--;
    const segment = this.segments[number]!;
    this.counts[status]++;
    if (status === "done") segment.doneKeys++;
    if (status !== "failed" && segment.mayBeUnsynced) this.unsyncedKeys++;
    return code;
  }
}
