import { closeSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { environmentError, readFully, syncPath, writeFully } from "../../../base/disk.js";
import { stringifyJson } from "../../../base/exact-json.js";
import { fingerprintHigh, fingerprintLow, hashAsciiBytes } from "../../../base/hash.js";
import { makeOwnDirectory } from "../../../base/make-directory.js";
import { openOwn } from "../../../base/own-file.js";
import { StagedFile } from "../../../base/whole-file.js";
import type { LedgerIndex } from "../ledger-index.js";
import { LineBuffer } from "../line-buffer.js";
import { type FailedLine, isOutcomeLine } from "../lines.js";
import { listSegments } from "../load-ledger.js";
import { readBlocks } from "../read-segment.js";
import { type LineSink, scanLines } from "../scan-lines.js";
import { runOf, type Segment } from "../segment.js";
import { parseSound } from "../sound-line.js";
import type { FailedKeys, LineLocation } from "./failed-keys.js";

const FLUSH_BYTES = 64 * 1024;

/** One line of `failed.jsonl`. */
export interface FailedItem {
  readonly key: string;
  readonly class: string;
  readonly message: string;
  readonly stack?: string;
  readonly attempts: number;
  /** The run it failed in. */
  readonly run: string;
  readonly item?: unknown;
  /** Instead of an item of more than 64 KB: the size of its JSON. */
  readonly itemBytes?: number;
}

interface FoldRequest {
  /** The ledger as it was loaded when this run began. */
  readonly index: LedgerIndex;
  /** This run's own segment, if it has one: the writer has already updated `index.failed`. */
  readonly ownFile?: string;
  /** Where `failed.jsonl` goes. */
  readonly path: string;
  readonly durable: boolean;
}

/**
 * Writes `failed.jsonl`: one line per key whose latest outcome is a failure, replaced as a whole by a rename, removed when
 * nothing has failed. Reads first what concurrent runs of other shards have recorded. Memory grows only with the number of
 * failed keys.
 * @returns how many keys there are in it
 */
export async function foldFailures(request: FoldRequest): Promise<number> {
  const { index, path, durable } = request;
  await catchUp(index, request.ownFile);
  if (index.failed.size === 0) {
    rmSync(path, { force: true });
    return 0;
  }
  // Pids are not unique among machines that share a root; runs are.
  const temporary = `${path}.${request.ownFile?.replace(/\.jsonl$/, "") ?? process.pid}.tmp`;
  try {
    makeOwnDirectory(dirname(path));
    using file = new StagedFile({ temporary, durable });
    const written = writeLines(file.fd, failedItems(index));
    file.finish();
    file.renameTo(path);
    if (durable) syncPath(dirname(path));
    return written;
  } catch (error) {
    throw environmentError("write", path, error);
  }
}

function writeLines(fd: number, items: Iterable<FailedItem>): number {
  const buffer = new LineBuffer(FLUSH_BYTES);
  let written = 0;
  const flush = (): void => {
    writeFully(fd, buffer.bytes, buffer.size);
    buffer.drop(buffer.size);
  };
  for (const item of items) {
    buffer.append(stringifyJson(item));
    written++;
    if (buffer.size >= FLUSH_BYTES) flush();
  }
  flush();
  return written;
}

/** Brings `index.failed` up to date with what other runs have appended since it was loaded. */
async function catchUp(index: LedgerIndex, ownFile: string | undefined): Promise<void> {
  const known = new Map<string, number>();
  for (const { file, sizeBytes } of index.segments) known.set(file, Math.max(known.get(file) ?? 0, sizeBytes));
  for (const segment of listSegments(index.dir)) {
    if (segment.file === ownFile) continue;
    for await (const block of readBlocks(join(index.dir, segment.file), known.get(segment.file) ?? 0))
      scanLines(block, failureSink(index.failed, segment));
  }
}

function failureSink(failed: FailedKeys, segment: Segment): LineSink {
  const { file } = segment;
  const run = runOf(segment);
  return {
    isChecked: segment.header?.c !== undefined,
    plain(_status, bytes, start, end) {
      const hash = hashAsciiBytes(bytes, start, end);
      if (failed.mayHave(fingerprintLow(hash), fingerprintHigh(hash)))
        failed.forget(Buffer.from(bytes.subarray(start, end)).toString("latin1"));
    },
    parsed(line, offset, length) {
      if (!isOutcomeLine(line)) return;
      if (line.s === "failed") failed.remember(line.k, { file, run, offset, length });
      else failed.forget(line.k);
    },
  };
}

/** The failed items of the ledger at the time of the call, those with wanted keys; later lines do not change them. */
export function* failedItems(index: LedgerIndex, isWanted?: (key: string) => boolean): Generator<FailedItem> {
  // Keys of one segment mostly follow one another, so one open file is enough.
  let open: { file: string; fd: number } | undefined;
  try {
    for (const [key, location] of [...index.failed.entries()]) {
      if (isWanted && !isWanted(key)) continue;
      if (open?.file !== location.file) {
        if (open) closeSync(open.fd);
        open = undefined;
        const path = join(index.dir, location.file);
        try {
          open = { file: location.file, fd: openOwn(path, "read") };
        } catch (error) {
          throw environmentError("read", path, error);
        }
      }
      const line = readFailedLine(open.fd, location);
      if (line?.k !== key) continue;
      yield {
        key,
        class: line.class,
        message: line.error?.message ?? "",
        ...(line.error?.stack === undefined ? {} : { stack: line.error.stack }),
        attempts: line.n ?? 1,
        run: location.run,
        ...(line.item === undefined ? {} : { item: line.item }),
        ...(line.itemBytes === undefined ? {} : { itemBytes: line.itemBytes }),
      };
    }
  } finally {
    if (open) closeSync(open.fd);
  }
}

function readFailedLine(fd: number, location: LineLocation): FailedLine | undefined {
  const bytes = Buffer.allocUnsafe(location.length);
  if (readFully(fd, bytes, location.offset) < location.length) return undefined;
  const line = parseSound(bytes, 0, bytes.length, false);
  return line !== undefined && isOutcomeLine(line) && line.s === "failed" ? line : undefined;
}
