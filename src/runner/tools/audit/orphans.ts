import { fingerprintHigh, fingerprintLow, hashText } from "../../../base/hash.js";
import type { OutputEntry } from "../../../contracts/modes.js";
import { joinRelative, walkFiles } from "../../../data/walk.js";
import { FingerprintTable } from "../../ledger/fingerprint-table.js";

/** The outputs of all listed items, finished or not, in about 20 bytes each. */
export class KnownOutputs {
  readonly #table = new FingerprintTable();

  add({ relPath, type }: OutputEntry): void {
    const hash = hashText(type === "directory" ? `${relPath}/` : relPath);
    this.#table.set(fingerprintLow(hash), fingerprintHigh(hash), 1);
  }

  hasFile(relPath: string): boolean {
    const hash = hashText(relPath);
    return this.#table.find(fingerprintLow(hash), fingerprintHigh(hash)) !== 0;
  }

  hasDirectory(relDir: string): boolean {
    return this.hasFile(`${relDir}/`);
  }
}

export interface Orphans {
  readonly count: number;
  /** The first files, relative to the output root. */
  readonly files: readonly string[];
}

const EXAMPLES = 3;

/**
 * Files below an output root that belong to no listed item. A task may write more than it declares, so an item also owns
 * everything in its output directory, and files whose names extend its output's (`a.json.idx` beside `a.json`).
 */
export function findOrphans(root: string, leaveOut: readonly string[], known: KnownOutputs): Orphans {
  const files: string[] = [];
  let count = 0;
  for (const { relDir, names } of walkFiles({ root, leaveOut, hidden: true })) {
    if (isWithinKnown(relDir, known)) continue;
    for (const name of names) {
      if (belongs(relDir, name, known)) continue;
      count++;
      if (files.length < EXAMPLES) files.push(joinRelative(relDir, name));
    }
  }
  return { count, files };
}

function isWithinKnown(relDir: string, known: KnownOutputs): boolean {
  for (let end = relDir.indexOf("/"); end >= 0; end = relDir.indexOf("/", end + 1))
    if (known.hasDirectory(relDir.slice(0, end))) return true;
  return known.hasDirectory(relDir);
}

function belongs(relDir: string, name: string, known: KnownOutputs): boolean {
  if (known.hasFile(joinRelative(relDir, name))) return true;
  for (let dot = name.lastIndexOf("."); dot > 0; dot = name.lastIndexOf(".", dot - 1))
    if (known.hasFile(joinRelative(relDir, name.slice(0, dot)))) return true;
  return false;
}
