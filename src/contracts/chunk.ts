/** A key as ASCII bytes within a larger buffer. */
export interface KeyBytes {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly length: number;
}

/** What all items of a chunk have in common. */
export interface ChunkHeader {
  /** Number of the hard shard. */
  readonly shard: number;
  /** The items are redone: the task's `isExecuted` is not asked. */
  readonly forced: boolean;
}

/** An item that has not settled yet, with its attempts. */
export class PendingItem {
  readonly key: string;
  readonly json: string;
  readonly header: ChunkHeader;
  /** 1 for the first attempt. Attempts that failed through no fault of the item (worker replaced, `RetryAfterError`) do not count. */
  attempt = 1;
  /** How often it crashed a worker in which no other item had run. */
  crashes = 0;
  /** It was alone when its worker crashed, but an earlier item of that worker may be the cause, e.g. by a timer. */
  needsFreshWorker = false;
  /** How often it threw a `RetryAfterError`. */
  asks = 0;
  /** The scope of the last one. */
  scope: string | undefined;

  constructor({ key, json }: { readonly key: string; readonly json: string }, header: ChunkHeader) {
    this.key = key;
    this.json = json;
    this.header = header;
  }
}

/**
 * Items that leave the plan together, with their keys and their JSON. An execution cuts a chunk into slices as workers have
 * room, and makes a `PendingItem` only for an item that needs state of its own.
 */
export interface Chunk {
  readonly header: ChunkHeader;
  readonly count: number;
  keyAt(index: number): string;
  /** Length of the item's JSON. */
  sizeAt(index: number): number;
  itemAt(index: number): PendingItem;
  /** The JSON of the items in [from, to), separated by commas, or by line ends. */
  itemsText(from: number, to: number, separator?: "," | "\n"): string;
  /** The keys of the items in [from, to), packed by `packKeys`. */
  keysText(from: number, to: number): string;
  /** Attempt numbers that are not 1, by index minus `from`. */
  attempts(from: number, to: number): Readonly<Record<number, number>> | undefined;
  /** The key as bytes for the ledger to copy; undefined where the chunk has no bytes. */
  keyBytesAt(index: number): KeyBytes | undefined;
}
