import { closeSync, openSync, readSync, unlinkSync, writeSync } from "node:fs";
import { join } from "node:path";
import { environmentError } from "../../../base/disk.js";
import { makeDirectory } from "../../../base/make-directory.js";

/** Fingerprints in a file, in sorted runs, behind Bloom filters. */
export interface SpilledPrints {
  /** Brings the memory that `mayHave` will read into the CPU cache, for many hashes of four cells each. The result means nothing. */
  touch(hashes: Uint32Array, count: number): number;
  /** False: surely not in the file. True for all that are, and for about four in a thousand that are not. */
  mayHave(low: number, high: number): boolean;
  /** Exact, at one read of 4 KB for each run that the filter could not rule out. */
  has(low: number, high: number): boolean;
  /** Adds a run, whose memory may be reused afterwards. */
  append(sorted: BigUint64Array<ArrayBuffer>): void;
  close(): void;
}

/** One of this many fingerprints of a run is in its sparse index in memory. */
const STRIDE = 512;

interface Run {
  /** Byte position in the file. */
  readonly position: number;
  readonly prints: number;
  /** Every `STRIDE`-th fingerprint. */
  readonly sparse: BigUint64Array;
}

/** Each layer holds twice as many runs under one filter as the one before (1, 2, 4, 8 …), so that there are few filters. */
interface Layer {
  readonly filter: Uint32Array;
  readonly maxRuns: number;
  readonly runs: Run[];
}

/** The file is unlinked when this returns, so it disappears with the process, however that ends. */
export function openSpilledPrints(options: { readonly dir: string; readonly runPrints: number }): SpilledPrints {
  const path = join(options.dir, `seen-keys-${process.pid}-${Math.random().toString(36).slice(2)}`);
  const guard = <T>(doing: string, act: () => T): T => {
    try {
      return act();
    } catch (error) {
      throw environmentError(doing, path, error);
    }
  };
  const fd = guard("make", () => {
    makeDirectory(options.dir);
    const opened = openSync(path, "wx+");
    unlinkSync(path);
    return opened;
  });
  const layers: Layer[] = [];
  const block = new BigUint64Array(STRIDE);
  let size = 0;
  let closed = false;

  const runHas = (run: Run, print: bigint): boolean => {
    const index = lastNotAbove(run.sparse, run.sparse.length, print);
    if (index < 0) return false;
    const from = index * STRIDE;
    const bytes = Math.min(STRIDE, run.prints - from) * 8;
    guard("read", () => readExactly(fd, new Uint8Array(block.buffer, 0, bytes), run.position + from * 8));
    const found = lastNotAbove(block, bytes / 8, print);
    return found >= 0 && block[found] === print;
  };

  return {
    touch(hashes, count) {
      let sum = 0;
      for (const { filter } of layers) {
        for (let i = 0; i < count; i++) sum ^= filter[blockOf(filter, (hashes[4 * i + 1]! - hashes[4 * i]!) >>> 0)]!;
      }
      return sum;
    },
    mayHave(low, high) {
      for (let i = layers.length - 1; i >= 0; i--) if (filterHas(layers[i]!.filter, low, high)) return true;
      return false;
    },
    has(low, high) {
      const print = (BigInt(high) << 32n) | BigInt(low);
      return layers.some((layer) => filterHas(layer.filter, low, high) && layer.runs.some((run) => runHas(run, print)));
    },
    append(sorted) {
      const bytes = new Uint8Array(sorted.buffer, sorted.byteOffset, sorted.byteLength);
      guard("write", () => writeExactly(fd, bytes, size));
      let layer = layers.at(-1);
      if (layer === undefined || layer.runs.length === layer.maxRuns) {
        const maxRuns = 2 ** layers.length;
        layer = { filter: createFilter(maxRuns * options.runPrints), maxRuns, runs: [] };
        layers.push(layer);
      }
      const lanes = new Uint32Array(sorted.buffer, sorted.byteOffset, sorted.length * 2);
      for (let i = 0; i < lanes.length; i += 2) filterAdd(layer.filter, lanes[i]!, lanes[i + 1]!);
      const sparse = BigUint64Array.from({ length: Math.ceil(sorted.length / STRIDE) }, (_, i) => sorted[i * STRIDE]!);
      layer.runs.push({ position: size, prints: sorted.length, sparse });
      size += bytes.length;
    },
    close() {
      if (!closed) closeSync(fd);
      closed = true;
    },
  };
}

/** Index of the last of the first `length` sorted numbers that is not above `print`, or -1. */
function lastNotAbove(sorted: BigUint64Array, length: number, print: bigint): number {
  let below = -1;
  let above = length;
  while (above - below > 1) {
    const middle = (below + above) >>> 1;
    if (sorted[middle]! <= print) below = middle;
    else above = middle;
  }
  return below;
}

/*
 * Split-block Bloom filter (as in Apache Parquet): a key has one bit in each of the eight words of one block of 256 bits, so
 * that a lookup touches one cache line. 13 bits per key: about 0.4 % false positives.
 */
const SALTS = [0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d, 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31].map(
  (salt) => salt | 0,
);
const BITS_PER_KEY = 13;

function createFilter(keys: number): Uint32Array {
  return new Uint32Array(8 * Math.ceil((keys * BITS_PER_KEY) / 256));
}

function filterAdd(filter: Uint32Array, low: number, high: number): void {
  const block = blockOf(filter, low);
  for (let i = 0; i < 8; i++) filter[block + i]! |= 1 << (Math.imul(high, SALTS[i]!) >>> 27);
}

function filterHas(filter: Uint32Array, low: number, high: number): boolean {
  const block = blockOf(filter, low);
  for (let i = 0; i < 8; i++) if ((filter[block + i]! & (1 << (Math.imul(high, SALTS[i]!) >>> 27))) === 0) return false;
  return true;
}

const blockOf = (filter: Uint32Array, low: number): number =>
  Math.floor((low / 0x1_0000_0000) * (filter.length >>> 3)) << 3;

function readExactly(fd: number, bytes: Uint8Array, position: number): void {
  for (let at = 0; at < bytes.length; ) {
    const size = readSync(fd, bytes, at, bytes.length - at, position + at);
    if (size === 0) throw new Error("the file is shorter than the data written to it");
    at += size;
  }
}

function writeExactly(fd: number, bytes: Uint8Array, position: number): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, position + at);
}
