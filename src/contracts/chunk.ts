/** A key as ASCII bytes inside others. */
export interface KeyBytes {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly length: number;
}

/** Which shard items belong to and how they are to be done: the same for all items of a chunk. */
export interface ChunkHeader {
  /** Number of the hard shard: of its roots, ledger and lease. */
  readonly shard: number;
  /** Run whatever the task's `isExecuted` says: the items are to be redone. */
  readonly forced: boolean;
}

/** An item on its way, with what is known of its tries. */
export class PendingItem {
  readonly key: string;
  readonly json: string;
  readonly header: ChunkHeader;
  /** 1 for the first try. Tries that were not the item's fault (a worker replaced, a service asked for patience) do not count. */
  attempt = 1;
  /** How often it crashed a worker in which nothing else had run. */
  crashes = 0;
  /** Its worker crashed while it ran alone, but an item that ran there before may be the cause: timers outlive items. */
  needsFreshWorker = false;
  /** The scope of the last `RetryAfterError` that the item threw. */
  scope: string | undefined;

  constructor({ key, json }: { readonly key: string; readonly json: string }, header: ChunkHeader) {
    this.key = key;
    this.json = json;
    this.header = header;
  }
}

/**
 * Items that leave the plan together, with their keys and their JSON. An execution cuts a chunk up as workers have room; an
 * item gets a `PendingItem` of its own only where something has to be remembered of it.
 */
export interface Chunk {
  readonly header: ChunkHeader;
  readonly count: number;
  keyAt(index: number): string;
  /** Characters of its JSON. */
  sizeAt(index: number): number;
  itemAt(index: number): PendingItem;
  /** The JSON of items from … to, with commas. */
  itemsText(from: number, to: number): string;
  /** Their keys, as `packKeys` packs them. */
  keysText(from: number, to: number): string;
  /** Attempt numbers that are not 1, counted from `from`. */
  attempts(from: number, to: number): Readonly<Record<number, number>> | undefined;
  /** The key as bytes that the ledger can copy, where the chunk has them. */
  keyBytesAt(index: number): KeyBytes | undefined;
}
