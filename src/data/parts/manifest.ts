import { existsSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { replaceFile } from "../../base/whole-file.js";
import { toHuggingFace } from "../features/hugging-face.js";
import { FACTS_DIRECTORY, MANIFEST_FILE, REJECTED_DIRECTORY } from "./layout.js";
import type { PartsPlan } from "./plan-file.js";

/** What is known of a part. Published with it, in `_parts`. */
export interface PartFacts {
  /** File name of the part. */
  readonly name: string;
  readonly split: string;
  readonly rows: number;
  readonly bytes: number;
  readonly sha256: string;
  readonly rowsIn: number;
  readonly dropped: number;
  /** Reason → rows. */
  readonly rejected: Readonly<Record<string, number>>;
}

export interface Manifest {
  readonly rows: number;
  readonly bytes: number;
  readonly rowsIn: number;
  readonly dropped: number;
  readonly rejected: Readonly<Record<string, number>>;
  /** Every part is there. */
  readonly complete: boolean;
  readonly splits: Readonly<Record<string, { readonly rows: number; readonly parts: number }>>;
  readonly features: unknown;
  readonly parts: readonly PartFacts[];
}

export const factsPath = (partName: string): string => `${FACTS_DIRECTORY}/${partName}.json`;

/** Sums up a folder of parts. Rows that were left out by an earlier attempt at a part, and are no more, are removed. */
export function writeManifest(folder: string, plan: PartsPlan): Manifest {
  const parts = readFacts(folder);
  const sum = (of: (part: PartFacts) => number): number => parts.reduce((total, part) => total + of(part), 0);
  const splits: Record<string, { rows: number; parts: number }> = {};
  const rejected: Record<string, number> = {};
  for (const part of parts) {
    splits[part.split] ??= { rows: 0, parts: 0 };
    const split = splits[part.split]!;
    split.rows += part.rows;
    split.parts++;
    for (const [reason, rows] of Object.entries(part.rejected)) rejected[reason] = (rejected[reason] ?? 0) + rows;
  }
  const manifest: Manifest = {
    rows: sum(({ rows }) => rows),
    bytes: sum(({ bytes }) => bytes),
    rowsIn: sum(({ rowsIn }) => rowsIn),
    dropped: sum(({ dropped }) => dropped),
    rejected,
    complete: parts.length === plan.slices,
    splits,
    features: plan.output ? toHuggingFace(plan.output) : null,
    parts,
  };
  const path = join(folder, MANIFEST_FILE);
  replaceFile(path, `${JSON.stringify({ v: 1, ...manifest }, null, 1)}\n`, { temporary: `${path}.${process.pid}.tmp` });
  removeOldRejected(folder, parts);
  return manifest;
}

/** Whether all parts are there, and nothing became of one since the manifest was written. */
export function isManifestCurrent(folder: string, plan: PartsPlan): boolean {
  const timeOf = (name: string): bigint | undefined =>
    statSync(join(folder, name), { bigint: true, throwIfNoEntry: false })?.mtimeNs;
  const [manifest, facts] = [timeOf(MANIFEST_FILE), timeOf(FACTS_DIRECTORY)];
  if (manifest === undefined || facts === undefined || manifest <= facts) return false;
  const stems = new Set(readdirSync(folder).map(stemOf));
  const known = readdirSync(join(folder, FACTS_DIRECTORY)).filter((name) => name.endsWith(".json"));
  return known.length === plan.slices && known.every((name) => stems.has(stemOf(name)));
}

/** Of parts that are there. */
function readFacts(folder: string): PartFacts[] {
  const dir = join(folder, FACTS_DIRECTORY);
  if (!existsSync(dir)) return [];
  const names = readdirSync(dir)
    .filter((name) => name.endsWith(".json"))
    .sort();
  return names
    .map((name) => JSON.parse(readFileSync(join(dir, name), "utf8")) as PartFacts)
    .filter(({ name }) => existsSync(join(folder, name)));
}

function removeOldRejected(folder: string, parts: readonly PartFacts[]): void {
  const dir = join(folder, REJECTED_DIRECTORY);
  if (!existsSync(dir)) return;
  const clean = new Set(
    parts.filter(({ rejected }) => Object.keys(rejected).length === 0).map(({ name }) => stemOf(name)),
  );
  for (const name of readdirSync(dir)) if (clean.has(stemOf(name))) rmSync(join(dir, name), { force: true });
}

/** `train-00000-of-00012` of `train-00000-of-00012.jsonl.gz`. */
export const stemOf = (partName: string): string => /^[^.]*/.exec(partName)![0];
