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
  readonly #entries = new Map<string, Entry>();
  #timer: NodeJS.Timeout | undefined;

  constructor(open: (shard: SourceShard) => Promise<OpenedShard>) {
    this.#open = open;
  }

  async use<T>(shard: SourceShard, body: (opened: OpenedShard) => Promise<T>): Promise<T> {
    const entry = this.#entries.get(shard.name) ?? this.#opening(shard);
    this.#entries.delete(shard.name);
    this.#entries.set(shard.name, entry);
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
      if (this.#entries.get(shard.name) === entry) this.#entries.delete(shard.name);
    });
    return entry;
  }

  /** Closes shards that nobody uses, the oldest first, until so many are left. */
  async #close(left: number): Promise<void> {
    const idle = [...this.#entries].filter(([, { users }]) => users === 0);
    for (const [name, { opened }] of idle.slice(0, Math.max(0, this.#entries.size - left))) {
      this.#entries.delete(name);
      await (await opened)[Symbol.asyncDispose]();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer);
    await this.#close(0);
  }
}
