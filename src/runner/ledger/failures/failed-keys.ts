import { fingerprintHigh, fingerprintLow, hashText } from "../../../base/hash.js";
import { FingerprintTable } from "../fingerprint-table.js";

/** Where a failed line lies: `length` bytes at `offset` of a segment, without the newline. */
export interface LineLocation {
  /** Name of the segment inside the ledger directory. */
  readonly file: string;
  /** The run that wrote it. */
  readonly run: string;
  readonly offset: number;
  readonly length: number;
}

/** The keys whose latest outcome is `failed`, and where its line lies: the only keys that are kept as text. */
export class FailedKeys {
  readonly #locations = new Map<string, LineLocation>();
  /** Fingerprints of all keys that ever failed: a scan need not decode the other keys. */
  readonly #ever = new FingerprintTable();

  get size(): number {
    return this.#locations.size;
  }

  has(key: string): boolean {
    return this.#locations.has(key);
  }

  keys(): IterableIterator<string> {
    return this.#locations.keys();
  }

  entries(): IterableIterator<[string, LineLocation]> {
    return this.#locations.entries();
  }

  mayHave(low: number, high: number): boolean {
    return this.#ever.size > 0 && this.#ever.find(low, high) !== 0;
  }

  remember(key: string, location: LineLocation): void {
    this.#locations.set(key, location);
    const hash = hashText(key);
    this.#ever.set(fingerprintLow(hash), fingerprintHigh(hash), 1);
  }

  forget(key: string): void {
    if (this.#locations.size > 0) this.#locations.delete(key);
  }
}
