import { existsSync, lstatSync, rmSync } from "node:fs";
import { join } from "node:path";
import { checkLine, withChecksum } from "../../base/checksum.js";
import { environmentError, errnoOf, listDirectory } from "../../base/disk.js";
import { makeOwnDirectory } from "../../base/make-directory.js";
import { readOwn } from "../../base/own-file.js";
import { createFile, createWhole } from "../../base/whole-file.js";
import { isPartition, type Partition } from "../../contracts/partition.js";
import type { ProcessFacts } from "./host.js";

/**
 * The files of one lease, a directory per partition:
 *
 *     gen-7.json   the holder that acquired generation 7; never changed
 *     gen-7.beat   a number that goes up while its holder lives
 *     gen-7.free   its holder has released it
 *
 * The highest generation holds the lease. A new one is created by link(2) from a complete file, so it appears complete and
 * only one contender succeeds. The highest generation is never unlinked: a contender that acted on an old listing lists
 * again, finds a higher generation than its own, and knows that it was too late.
 */
export interface LeaseRecord extends ProcessFacts {
  readonly v: 1;
  readonly run: string;
  /** ISO time, for people; no decision uses it. */
  readonly started: string;
  readonly scope: Partition;
}

export interface Highest {
  readonly generation: number;
  readonly free: boolean;
  /** null: damaged, or just being written on a file system without hard links. */
  readonly record: LeaseRecord | null;
}

export const beatPath = (dir: string, generation: number): string => join(dir, `gen-${generation}.beat`);
export const recordPath = (dir: string, generation: number): string => join(dir, `gen-${generation}.json`);
const freePath = (dir: string, generation: number): string => join(dir, `gen-${generation}.free`);

/** The leases of a root, each the directory of one partition. */
export const leasesIn = (leaseDir: string): string[] =>
  listDirectory("read the leases in", leaseDir)
    .map((name) => join(leaseDir, name))
    .filter((dir) => lstatSync(dir, { throwIfNoEntry: false })?.isDirectory());

/** The highest generation of a lease; undefined: none exists. */
export function highestGeneration(dir: string): Highest | undefined {
  const generation = Math.max(0, ...list(dir).map(({ generation, kind }) => (kind === "json" ? generation : 0)));
  if (generation === 0) return undefined;
  return { generation, free: existsSync(freePath(dir, generation)), record: readRecord(dir, generation) };
}

function readRecord(dir: string, generation: number): LeaseRecord | null {
  try {
    const line = readOwn(recordPath(dir, generation)).trimEnd();
    const record = JSON.parse(line) as LeaseRecord;
    const bytes = Buffer.from(line);
    // Older versions wrote no checksum.
    const isWhole = checkLine(bytes, 0, bytes.length) === (Object.hasOwn(record, "c") ? "sound" : "none");
    return isWhole && isRecord(record) ? record : null;
  } catch {
    return null;
  }
}

/** What is damaged tells nothing: the heartbeat shows whether the holder lives. */
const isRecord = ({ host, pid, run, started, scope }: LeaseRecord): boolean =>
  [host, run, started].every((one) => typeof one === "string") && Number.isSafeInteger(pid) && isPartition(scope);

/** The current counter of the heartbeat: a change shows that the holder is alive. */
export function readBeat(dir: string, generation: number): string {
  try {
    return readOwn(beatPath(dir, generation));
  } catch {
    return "";
  }
}

/** Creates a generation. False: another contender created it, or a higher one exists. */
export function createGeneration(dir: string, generation: number, record: LeaseRecord): boolean {
  try {
    makeOwnDirectory(dir);
    const text = `${withChecksum(JSON.stringify(record))}\n`;
    // False also where the winner has removed our temporary file.
    if (!createWhole(recordPath(dir, generation), text, temporaryIn(dir))) return false;
  } catch (error) {
    throw environmentError("write the lease in", dir, error);
  }
  const tooLate = list(dir).some((file) => file.kind === "json" && file.generation > generation);
  // Only the highest generation holds the lease, so this one may be removed.
  if (tooLate) rmSync(recordPath(dir, generation), { force: true });
  return !tooLate;
}

/** Releases a generation. Its files stay until the next one is created. */
export function freeGeneration(dir: string, generation: number): void {
  try {
    createFile(freePath(dir, generation), "");
  } catch (error) {
    // The directory was removed: there is no lease to release.
    if (errnoOf((error as Error).cause) !== "ENOENT") throw environmentError("release the lease in", dir, error);
  }
}

/**
 * Removes the files of lower generations, in ascending order: a former holder that looks for the generation after its own,
 * and then for its own, always notices that its own is no longer the highest.
 */
export function sweepBelow(dir: string, generation: number): void {
  const below = list(dir).filter((file) => file.generation < generation);
  try {
    for (const { name } of below.sort((a, b) => a.generation - b.generation)) rmSync(join(dir, name), { force: true });
  } catch {
    // Remaining files are harmless: only the highest generation holds the lease.
  }
}

/** Whether a generation is still the highest, in two look-ups; `sweepBelow` explains their order. */
export function stillHolds(dir: string, generation: number): boolean {
  return !existsSync(recordPath(dir, generation + 1)) && existsSync(recordPath(dir, generation));
}

interface LeaseFile {
  readonly name: string;
  readonly generation: number;
  readonly kind: string;
}

function list(dir: string): LeaseFile[] {
  return listDirectory("read the lease in", dir).flatMap((name) => {
    const match = /^gen-(\d+)\.(json|beat|free)$/.exec(name);
    // Temporary files of crashed contenders count as generation 0, so the next sweep removes them.
    if (!match) return name.startsWith("tmp-") ? [{ name, generation: 0, kind: "tmp" }] : [];
    return [{ name, generation: Number(match[1]), kind: match[2]! }];
  });
}

let temporaries = 0;

const temporaryIn = (dir: string): string =>
  join(dir, `tmp-${process.pid}-${Date.now().toString(36)}-${temporaries++}`);
