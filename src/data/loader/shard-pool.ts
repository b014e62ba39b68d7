import type { SourceShard } from "../source/source.js";
import type { OpenedShard } from "./source-reader.js";

const MOST = 8;
const IDLE_MS = 5000;

interface Entry {
  readonly opened: Promise<OpenedShard>;
  users: number;
}

/** Shards that stay open between two reads at random places. A dataset that nobody closes holds no file for long. */
export class ShardPool {
  readonly #open: (shard: SourceShard) => Promise<OpenedShard>;
  /** The one that was used last is the last. */
  readonly #entries = new Map<SourceShard, Entry>();
  #timer: NodeJS.Timeout | undefined;

  constructor(open: (shard: SourceShard) => Promise<OpenedShard>) {
    this.#open = open;
  }

  async use<T>(shard: SourceShard, body: (opened: OpenedShard) => Promise<T>): Promise<T> {
    const entry = this.#entries.get(shard) ?? this.#opening(shard);
    this.#entries.delete(shard);
    this.#entries.set(shard, entry);
    entry.users++;
    try {
      return await body(await entry.opened);
    } finally {
      entry.users--;
      await this.#close(MOST);
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => void this.#close(0).catch(() => {}), IDLE_MS).unref();
    }
  }

  #opening(shard: SourceShard): Entry {
    const entry: Entry = { opened: this.#open(shard), users: 0 };
    // The next user tries again.
    entry.opened.catch(() => {
      if (this.#entries.get(shard) === entry) this.#entries.delete(shard);
    });
    return entry;
  }

  /** Closes shards that nobody uses, the oldest first, until so many are left. */
  async #close(left: number): Promise<void> {
    const idle: Entry[] = [];
    // They leave the pool before the first one is awaited: nobody takes up a shard that is being closed.
    for (const [shard, entry] of this.#entries) {
      if (this.#entries.size <= left) break;
      if (entry.users > 0) continue;
      this.#entries.delete(shard);
      idle.push(entry);
    }
    await Promise.all(idle.map(close));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer);
    await this.#close(0);
  }
}

/** Of a shard that could not be opened there is nothing to close. */
async function close({ opened }: Entry): Promise<void> {
  const shard = await opened.catch(() => undefined);
  await shard?.[Symbol.asyncDispose]();
}
