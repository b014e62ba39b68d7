import { parseJson } from "../../base/exact-json.js";
import { type ToWorker, unpackKeys } from "../../contracts/wire.js";

/** The items of one message. Packed keys are split on first use. */
export class ReceivedChunk {
  readonly items: readonly unknown[];
  readonly firstSeq: number;
  readonly shard: number;
  readonly forced: boolean;
  readonly attempts: Readonly<Record<number, number>>;
  readonly #packedKeys: string;
  #keys: readonly string[] | undefined;
  /** Index of the first item that was not started. */
  next = 0;

  constructor({ items, keys, firstSeq, shard, forced, attempts = {} }: Extract<ToWorker, { type: "items" }>) {
    this.items = parseJson(items) as unknown[];
    this.firstSeq = firstSeq;
    this.shard = shard;
    this.forced = forced;
    this.attempts = attempts;
    this.#packedKeys = keys;
  }

  keyAt(index: number): string {
    this.#keys ??= unpackKeys(this.#packedKeys);
    return this.#keys[index]!;
  }

  /** Sequence numbers of the items that were not started. */
  unstarted(): number[] {
    return Array.from({ length: this.items.length - this.next }, (_, i) => this.firstSeq + this.next + i);
  }
}
