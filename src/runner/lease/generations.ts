import { existsSync, lstatSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { environmentError, errnoOf, listDirectory } from "../../base/disk.js";
import { makeDirectory } from "../../base/make-directory.js";
import { createFile, StagedFile } from "../../base/whole-file.js";
import type { Partition } from "../../contracts/partition.js";
import type { ProcessFacts } from "./host.js";

/**
 * The files of one lease, a directory per partition:
 *
 *     gen-7.json   who acquired generation 7; never changed once it is there
 *     gen-7.beat   a number that goes up while its holder lives
 *     gen-7.free   its holder has given it back
 *
 * The highest generation holds. A new one is a link(2) to a finished file, so it appears whole and for one contender only.
 * The highest is never unlinked: a contender that acts on an old listing finds, when it lists again, a higher generation
 * than the one it has just made, and knows that it came too late.
 */
export interface LeaseRecord extends ProcessFacts {
  readonly v: 1;
  readonly run: string;
  /** ISO time, for people: nothing is decided by it. */
  readonly started: string;
  readonly scope: Partition;
}

export interface Highest {
  readonly generation: number;
  readonly free: boolean;
  /** null: it cannot be read, for it is being written on a file system without hard links. */
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

/** The highest generation of a lease; undefined: there never was one. */
export function highestGeneration(dir: string): Highest | undefined {
  const generation = Math.max(0, ...list(dir).map(({ generation, kind }) => (kind === "json" ? generation : 0)));
  if (generation === 0) return undefined;
  return { generation, free: existsSync(freePath(dir, generation)), record: readRecord(dir, generation) };
}

function readRecord(dir: string, generation: number): LeaseRecord | null {
  try {
    return JSON.parse(readFileSync(recordPath(dir, generation), "utf8")) as LeaseRecord;
  } catch {
    return null;
  }
}

/** The counter of the heartbeat now: a change of it shows that the holder lives. */
export function readBeat(dir: string, generation: number): string {
  try {
    return readFileSync(beatPath(dir, generation), "utf8");
  } catch {
    return "";
  }
}

/** Makes a generation. False: another contender has made it, or a higher one is there already. */
export function createGeneration(dir: string, generation: number, record: LeaseRecord): boolean {
  try {
    makeDirectory(dir);
    if (!appear(dir, recordPath(dir, generation), `${JSON.stringify(record)}\n`)) return false;
  } catch (error) {
    throw environmentError("write the lease in", dir, error);
  }
  const tooLate = list(dir).some((file) => file.kind === "json" && file.generation > generation);
  // A generation below the highest holds nothing, so this one may go again.
  if (tooLate) rmSync(recordPath(dir, generation), { force: true });
  return !tooLate;
}

/** Gives a generation back. Its files stay until the next one is made. */
export function freeGeneration(dir: string, generation: number): void {
  try {
    writeFileSync(freePath(dir, generation), "");
  } catch (error) {
    // Without the directory there is nothing to give back.
    if (errnoOf(error) !== "ENOENT") throw environmentError("give back the lease in", dir, error);
  }
}

/**
 * Removes what generations below left, in ascending order: a former holder that looks for the one after its own, and then
 * for its own, misses at least one of the two at any moment.
 */
export function sweepBelow(dir: string, generation: number): void {
  const below = list(dir).filter((file) => file.generation < generation);
  try {
    for (const { name } of below.sort((a, b) => a.generation - b.generation)) rmSync(join(dir, name), { force: true });
  } catch {
    // Files that stay do no harm: a generation below the highest holds nothing.
  }
}

/** Whether a generation still is the highest, in two look-ups; see `sweepBelow` for their order. */
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
    // Temporary files of contenders that died sort lowest and go with the next sweep.
    if (!match) return name.startsWith("tmp-") ? [{ name, generation: 0, kind: "tmp" }] : [];
    return [{ name, generation: Number(match[1]), kind: match[2]! }];
  });
}

let temporaries = 0;

/** A file that appears with its content or not at all. False: it is there already. */
function appear(dir: string, path: string, content: string): boolean {
  const temporary = join(dir, `tmp-${process.pid}-${Date.now().toString(36)}-${temporaries++}`);
  using file = new StagedFile({ temporary }, "wx");
  file.write(content);
  file.finish();
  try {
    file.linkTo(path);
    return true;
  } catch (error) {
    const code = errnoOf(error) ?? "";
    // ENOENT: the winner has swept our temporary file away.
    if (code === "EEXIST" || code === "ENOENT") return false;
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"].includes(code)) throw error;
    // Without hard links: exclusive all the same, though for a moment without content.
    return createFile(path, content);
  }
}
