import { join } from "node:path";
import { fingerprintHigh, fingerprintLow, hashAsciiBytes, hashText } from "../../../base/hash.js";
import { HEAD_BYTES } from "../../ledger/done-text.js";
import { sameScope } from "../../ledger/epochs/epoch-scope.js";
import type { FingerprintTable } from "../../ledger/fingerprint-table.js";
import {
  copiedHeader,
  type EpochOpenLine,
  isCheckpoint,
  isEpochComplete,
  isEpochOpen,
  isHeader,
  isOutcomeLine,
  LEDGER_VERSION,
  type LedgerHeader,
  type LedgerLine,
  unknownFacts,
} from "../../ledger/lines.js";
import { type Block, readBlocks } from "../../ledger/read-segment.js";
import { type LineSink, scanLines } from "../../ledger/scan-lines.js";
import { runOf, type Segment } from "../../ledger/segment.js";
import type { LineWriter } from "./line-writer.js";

interface CopyRequest {
  readonly dir: string;
  readonly files: readonly Segment[];
  /** Of each key, the number of its last outcome; see `surveyLines`. */
  readonly latest: FingerprintTable;
  readonly writer: LineWriter;
}

/**
 * Copies each key's last line, and all lines that are no outcomes, byte for byte, each under the header it stood under.
 * @returns how many outcomes were copied
 */
export async function copyLatest({ dir, files, latest, writer }: CopyRequest): Promise<number> {
  const copier = new Copier(latest, writer);
  for (const segment of files) {
    copier.begin(segment);
    for await (const block of readBlocks(join(dir, segment.file))) scanLines(block, copier.sinkOf(block, segment));
  }
  return copier.copied;
}

class Copier {
  copied = 0;
  readonly #latest: FingerprintTable;
  readonly #writer: LineWriter;
  #outcomes = 0;
  readonly #opened: EpochOpenLine[] = [];
  /** Of the segment that is being copied; null once it is written. */
  #header: LedgerHeader | null = null;
  #run = "";
  #isChecked = false;

  constructor(latest: FingerprintTable, writer: LineWriter) {
    this.#latest = latest;
    this.#writer = writer;
  }

  begin(segment: Segment): void {
    this.#begin(segment.header ?? assumedHeader(segment));
  }

  #begin(header: LedgerHeader): void {
    this.#header = header;
    this.#run = header.run;
    this.#isChecked = header.c !== undefined;
  }

  sinkOf({ bytes, offset: blockOffset }: Block, segment: Segment): LineSink {
    return {
      isChecked: this.#isChecked,
      plain: (_status, _bytes, start, end) => {
        if (this.#isLatest(hashAsciiBytes(bytes, start, end)))
          this.#copy(bytes, start - HEAD_BYTES, bytes.indexOf(NEWLINE, end));
      },
      parsed: (line, offset, length) => {
        const start = offset - blockOffset;
        if (isOutcomeLine(line)) {
          if (this.#isLatest(hashText(line.k))) this.#copy(bytes, start, start + length);
          return;
        }
        const header = isHeader(line) ? line : copiedHeader(line);
        if (header !== undefined) {
          // A copy of another one: the header above it is damaged.
          if (header.run !== this.#run && (offset > 0 || segment.header !== null)) this.#begin(header);
        } else if (!this.#isVoid(line) && !isCheckpoint(line)) {
          if (isEpochOpen(line)) this.#writer.gap();
          this.#copy(bytes, start, start + length);
        }
      },
    };
  }

  /** The end of an epoch that no line before it opens: in the new file it might end one that is opened later. */
  #isVoid(line: Partial<LedgerLine>): boolean {
    if (isEpochOpen(line)) this.#opened.push(line);
    if (!isEpochComplete(line)) return false;
    return !this.#opened.some(({ epoch, scope }) => epoch === line.epoch && sameScope(scope, line.scope));
  }

  #isLatest(hash: Uint32Array): boolean {
    if (this.#latest.find(fingerprintLow(hash), fingerprintHigh(hash)) !== ++this.#outcomes) return false;
    this.copied++;
    return true;
  }

  #copy(bytes: Uint8Array, start: number, end: number): void {
    if (this.#header !== null) this.#writer.writeHeader(this.#header);
    this.#header = null;
    this.#writer.write(bytes, start, end);
  }
}

const NEWLINE = 0x0a;

/** As the loader reads a file that has lost its header. */
const assumedHeader = (segment: Segment): LedgerHeader => ({
  v: LEDGER_VERSION,
  ...unknownFacts,
  run: runOf(segment),
});
