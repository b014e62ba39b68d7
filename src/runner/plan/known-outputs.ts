import { fingerprintHigh, fingerprintLow, hashText } from "../../base/hash.js";
import { foldName } from "../../base/names-on-disk.js";
import type { OutputEntry } from "../../contracts/modes.js";
import { FingerprintTable } from "../ledger/fingerprint-table.js";

/** The outputs of many items, in about 20 bytes each. Paths are relative to the output root. */
export class KnownOutputs {
  readonly #table = new FingerprintTable();
  readonly #folds: boolean;

  /** @param folds the file system tells no upper from lower case */
  constructor(folds: boolean) {
    this.#folds = folds;
  }

  add({ relPath, type }: Pick<OutputEntry, "relPath" | "type">): void {
    const hash = this.#hashOf(type === "directory" ? `${relPath}/` : relPath);
    this.#table.set(fingerprintLow(hash), fingerprintHigh(hash), 1);
  }

  #hashOf(path: string): Uint32Array {
    return hashText(this.#folds ? foldName(path) : path);
  }

  hasFile(relPath: string): boolean {
    const hash = this.#hashOf(relPath);
    return this.#table.find(fingerprintLow(hash), fingerprintHigh(hash)) !== 0;
  }

  /** Whether a directory is an output, or lies in one. */
  hasDirectory(relDir: string): boolean {
    for (let end = relDir.indexOf("/"); end >= 0; end = relDir.indexOf("/", end + 1))
      if (this.hasFile(relDir.slice(0, end + 1))) return true;
    return this.hasFile(`${relDir}/`);
  }
}
