/** A key as ASCII bytes inside others. */
export interface LedgerName {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly length: number;
}

/** Where items belong and how they are to be done: the same for all of a chunk. */
export interface ChunkHeader {
  /** Number of the hard shard: of its roots, ledger and lease. */
  readonly shard: number;
  /** Run whatever the task's `isExecuted` says: the item is to be redone. */
  readonly forced: boolean;
}

/** An item on its way, with what is known of its tries. */
export class PendingItem {
  readonly key: string;
  readonly json: string;
  readonly header: ChunkHeader;
  /** 1 for the first try. Tries that were nobody's fault (a worker replaced, a service asked for patience) do not count. */
  attempt = 1;
  /** How often it ended a worker in which nothing else had run. */
  crashes = 0;
  /** Its worker ended while it ran alone, but something that ran there before may have done that: timers outlive items. */
  needsFreshWorker = false;
  /** What it last asked to pause, by `RetryAfterError`. */
  scope: string | undefined;

  constructor({ key, json }: { readonly key: string; readonly json: string }, header: ChunkHeader) {
    this.key = key;
    this.json = json;
    this.header = header;
  }
}

/**
 * Items that leave the plan together, named and spelled. The dispatcher cuts it up as workers have room; an item gets an
 * `Envelope` of its own only where something has to be remembered of it.
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
  /** The key as the ledger can copy it, where it is kept so. */
  nameAt(index: number): LedgerName | undefined;
}
