import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { environmentError, listDirectory } from "../../../base/disk.js";
import { OWN_DIRECTORY } from "../../../base/own-directory.js";
import { withOwnFile } from "../../../base/own-file.js";
import { compareCodePoints, joinRelative, type WalkedDirectory } from "../../../data/files/walk.js";
import { readJsonl } from "../../../data/lists/jsonl.js";
import { openJsonlWriter } from "../../../data/lists/jsonl-writer.js";
import type { Assignment } from "./assignment.js";

/**
 * Which file goes to which shard, written before the first file is placed: `<base>/.kagurazaka/split/<name>.jsonl`, in the
 * order of the walk, so that an old plan and a new walk are joined as two sorted streams. A file of the plan keeps its shard
 * for ever, also when it has left the input (moved, or deleted); new files are added at their places.
 */
export interface PlannedDirectory {
  readonly relDir: string;
  readonly files: readonly PlannedFile[];
}

interface PlannedFile {
  readonly name: string;
  readonly shard: number;
  readonly bytes: number;
}

/** A directory of more files takes several lines. */
export const FILES_PER_LINE = 1000;

type Line = { dir: string; files: [name: string, shard: number, bytes: number][] };

export async function* readPlan(path: string): AsyncGenerator<PlannedDirectory> {
  if (!existsSync(path)) return;
  checkOwn(path);
  for await (const records of readJsonl(path)) {
    for (const { value } of records) {
      const { dir, files } = value as Line;
      yield { relDir: dir, files: files.map(([name, shard, bytes]) => ({ name, shard, bytes })) };
    }
  }
}

/** Refuses a symbolic link, which the reader would follow. */
function checkOwn(path: string): void {
  try {
    withOwnFile(path, () => {});
  } catch (error) {
    throw environmentError("read", path, error);
  }
}

/** Replaces the plan by a new one, as a whole. */
export async function writePlan(path: string, plan: AsyncIterable<PlannedDirectory>): Promise<void> {
  try {
    await using writer = await openJsonlWriter(path);
    for await (const { relDir, files } of plan) {
      for (let from = 0; from < files.length; from += FILES_PER_LINE) {
        const some = files.slice(from, from + FILES_PER_LINE);
        const line = { dir: relDir, files: some.map(({ name, shard, bytes }) => [name, shard, bytes]) } as Line;
        await writer.write([line]);
      }
    }
    await writer.commit();
  } catch (error) {
    throw (error as NodeJS.ErrnoException).syscall === undefined ? error : environmentError("write", path, error);
  }
}

/** Removes the plans that killed commands were writing. */
export function sweepPlans(dir: string): void {
  for (const name of listDirectory("read the plans in", dir))
    if (/^\..*\.tmp$/.test(name)) rmSync(join(dir, name), { force: true });
}

interface Joining {
  readonly old: () => AsyncIterable<PlannedDirectory>;
  readonly walk: Iterable<WalkedDirectory>;
  readonly assignment: Assignment;
  /** The size of a file that is not planned yet; undefined: it cannot be read. */
  sizeOf(relDir: string, name: string): number | undefined;
}

/** The old plan with all other files of the walk at their places. Memory: one directory. */
export async function* joinPlan({ old, walk, assignment, sizeOf }: Joining): AsyncGenerator<PlannedDirectory> {
  for await (const { files } of old()) for (const { shard, bytes } of files) assignment.decided(shard, bytes);
  const known = whole(old());
  let planned = await known.next();
  for (const { relDir, names } of walk) {
    while (!planned.done && compareDirectories(planned.value.relDir, relDir) < 0) {
      yield planned.value;
      planned = await known.next();
    }
    const here = !planned.done && planned.value.relDir === relDir ? planned.value.files : [];
    if (here.length > 0) planned = await known.next();
    const files = joinDirectory(here, names, (name) => {
      const bytes = sizeOf(relDir, name);
      if (bytes === undefined) return undefined;
      return { name, shard: assignment.assign(joinRelative(relDir, name), bytes), bytes };
    });
    if (files.length > 0) yield { relDir, files };
  }
  for (; !planned.done; planned = await known.next()) yield planned.value;
}

function joinDirectory(
  planned: readonly PlannedFile[],
  names: readonly string[],
  add: (name: string) => PlannedFile | undefined,
): PlannedFile[] {
  const files: PlannedFile[] = [];
  let at = 0;
  for (const name of names) {
    while (at < planned.length && compareCodePoints(planned[at]!.name, name) < 0) files.push(planned[at++]!);
    const file = planned[at]?.name === name ? planned[at++] : add(name);
    if (file) files.push(file);
  }
  return [...files, ...planned.slice(at)];
}

/** One array for each directory, however many lines it takes. */
async function* whole(lines: AsyncIterable<PlannedDirectory>): AsyncGenerator<PlannedDirectory> {
  let last: { relDir: string; files: PlannedFile[] } | undefined;
  for await (const { relDir, files } of lines) {
    if (last?.relDir === relDir) for (const file of files) last.files.push(file);
    else {
      if (last) yield last;
      last = { relDir, files: [...files] };
    }
  }
  if (last) yield last;
}

/** The order of the walk: a directory before those in it, siblings by code point. No name has a NUL. */
function compareDirectories(a: string, b: string): number {
  if (a === b) return 0;
  if (a === "." || b === ".") return a === "." ? -1 : 1;
  return compareCodePoints(a.replaceAll("/", "\0"), b.replaceAll("/", "\0"));
}

export const planPath = (base: string, name: string): string => join(stateDir(base), `${name}.jsonl`);

export const stateDir = (base: string): string => join(base, OWN_DIRECTORY, "split");
