import type { Client } from "./redis.js";

/** An entry: its id, and its fields in turn with their values. */
export interface Entry {
  readonly key: string;
  readonly id: string;
  readonly fields: readonly string[];
}

const BLOCK_MS = 1000;
/** A reply to a blocking read that is so late will not come: its connection is dead. */
const DEAD_MS = 10_000;
const AGAIN_MS = 500;
const COUNT = 256;

/**
 * Reads streams from a connection of their own, until closed. A connection that hangs is made anew.
 * @param onEntries called with all entries of one read; awaited
 */
export function followStream(
  client: Client,
  streams: readonly { readonly key: string; readonly from: string }[],
  onEntries: (entries: readonly Entry[]) => void | Promise<void>,
): { close(): void; readonly idle: boolean } {
  const position = new Map(streams.map(({ key, from }) => [key, from]));
  const state = { isClosed: false, idle: false };
  const loop = async (): Promise<void> => {
    await fixStart(client, position);
    while (!state.isClosed) {
      const entries = await read(client, position);
      if (state.isClosed) return;
      for (const { key, id } of entries) position.set(key, id);
      state.idle = entries.length === 0;
      if (entries.length > 0) await onEntries(entries);
    }
  };
  const start = (): void => {
    loop().catch(() => {
      if (!state.isClosed) setTimeout(start, AGAIN_MS);
    });
  };
  client.connect().catch(() => {});
  start();
  return {
    close() {
      state.isClosed = true;
      client.disconnect();
    },
    get idle() {
      return state.idle;
    },
  };
}

/** "$" would be another moment at each read. */
async function fixStart(client: Client, position: Map<string, string>): Promise<void> {
  for (const [key, from] of position) {
    if (from !== "$") continue;
    const last = (await client.xrevrange(key, "+", "-", "COUNT", 1)) as [string, string[]][];
    position.set(key, last[0]?.[0] ?? "0-0");
  }
}

async function read(client: Client, position: ReadonlyMap<string, string>): Promise<Entry[]> {
  const command = client.xread("COUNT", COUNT, "BLOCK", BLOCK_MS, "STREAMS", ...position.keys(), ...position.values());
  command.catch(() => {});
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), DEAD_MS);
  });
  try {
    const reply = await Promise.race([command, late]);
    if (reply === "late") {
      // Its commands are sent again by the new connection, where they answer to nobody.
      client.disconnect(true);
      return [];
    }
    return (reply ?? []).flatMap(([key, entries]) => entries.map(([id, fields]) => ({ key, id, fields })));
  } finally {
    clearTimeout(timer);
  }
}

/** Ids of entries: milliseconds, and a number within them. */
export function isBefore(a: string, b: string): boolean {
  const [aMs = 0, aNumber = 0] = a.split("-").map(Number);
  const [bMs = 0, bNumber = 0] = b.split("-").map(Number);
  return aMs < bMs || (aMs === bMs && aNumber < bNumber);
}
