import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { KagurazakaError } from "../../src/kit.js";
import { type Keys, LEASE_MS } from "./keys.js";
import type { RedisConnections } from "./redis.js";

/** Who coordinates a root: `fence` grows with each coordinator, so that an older one is known as such. */
const holder = z.object({ run: z.string(), fence: z.number(), host: z.string(), pid: z.number() });
type Holder = z.infer<typeof holder>;

const parseHolder = (text: string | null): Holder | undefined => {
  try {
    return text === null ? undefined : holder.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
};

/** Takes all keys or none. ARGV: lease, milliseconds, then values that may be replaced. */
const TAKE = `
for i, key in ipairs(KEYS) do
  local now = redis.call('GET', key)
  local mine = not now
  for j = 3, #ARGV do mine = mine or now == ARGV[j] end
  if not mine then return now end
end
for i, key in ipairs(KEYS) do redis.call('SET', key, ARGV[1], 'PX', ARGV[2]) end
return false
`;
/** Extends the lease, also where Redis has lost it; returns that of another coordinator, if there is one. */
const HOLD = `
for i, key in ipairs(KEYS) do
  local now = redis.call('GET', key)
  if now and now ~= ARGV[1] then return now end
end
for i, key in ipairs(KEYS) do redis.call('SET', key, ARGV[1], 'PX', ARGV[2]) end
return false
`;
const DROP = `
for i, key in ipairs(KEYS) do if redis.call('GET', key) == ARGV[1] then redis.call('DEL', key) end end
return false
`;

interface LeaseRequest {
  readonly run: string;
  readonly rootIds: readonly string[];
  /** Whether a run over one of the roots has surely ended: its lease is taken over at once. */
  isDead(run: string): boolean;
  onWarning(message: string): void;
}

/** The coordinator's lease in Redis, beside the one in each root: for machines that see different files. */
export class RedisLease {
  readonly fence: number;
  readonly #redis: RedisConnections;
  readonly #keys: readonly string[];
  readonly #text: string;

  private constructor(redis: RedisConnections, keys: readonly string[], own: Holder) {
    this.#redis = redis;
    this.#keys = keys;
    this.#text = JSON.stringify(own);
    this.fence = own.fence;
  }

  /** @throws KagurazakaError where another coordinator is alive */
  static async take(redis: RedisConnections, keys: Keys, request: LeaseRequest): Promise<RedisLease> {
    const { run, rootIds, isDead, onWarning } = request;
    const names = rootIds.map((rootId) => keys.lease(rootId));
    const full = (why: string): void => onWarning(`Redis does not take the run yet: ${why}`);
    const fence = await redis.persist(() => redis.main.incr(keys.fence), full);
    const own = { run, fence, host: hostname(), pid: process.pid };
    const lease = new RedisLease(redis, names, own);
    const replaceable: string[] = [];
    let other: string | null = null;
    let hasWarned = false;
    for (const deadline = performance.now() + LEASE_MS + 5000; performance.now() < deadline; ) {
      const words = [...names, lease.#text, LEASE_MS, ...replaceable];
      other = (await redis.persist(() => redis.main.eval(TAKE, names.length, ...words))) as string | null;
      if (other === null) return lease;
      const theirs = parseHolder(other);
      if (theirs === undefined || isDead(theirs.run)) {
        replaceable.push(other);
        continue;
      }
      if (!hasWarned)
        onWarning(`waiting to see whether the coordinator of run ${theirs.run} on ${theirs.host} is alive`);
      hasWarned = true;
      await sleep(1000);
    }
    const theirs = parseHolder(other);
    const message = `run ${theirs?.run} on ${theirs?.host} (pid ${theirs?.pid}) coordinates this output root`;
    throw new KagurazakaError("root-in-use", message, { hint: `kagurazaka status ${theirs?.run} shows it.` });
  }

  /** Extends it. @returns the coordinator that has taken it, if one has */
  async hold(): Promise<string | undefined> {
    const names = this.#keys;
    const other = (await this.#redis.main.eval(HOLD, names.length, ...names, this.#text, LEASE_MS)) as string | null;
    const theirs = parseHolder(other);
    return other === null ? undefined : `run ${theirs?.run} on ${theirs?.host}`;
  }

  async drop(): Promise<void> {
    await this.#redis.main.eval(DROP, this.#keys.length, ...this.#keys, this.#text);
  }
}
