import type { KagurazakaError, NodeJob, NodeLink, NodeRequest } from "../../src/kit.js";
import { HEARTBEAT_MS, isSilent, type Keys, keysOf, NODE_MS } from "./keys.js";
import { NodeRun } from "./node-run.js";
import { RedisConnections } from "./redis.js";
import { followStream } from "./streams.js";
import { decodeJob } from "./wire.js";

export async function openNodeLink(request: NodeRequest): Promise<NodeLink> {
  const redis = new RedisConnections(request.options);
  await redis.open(request.onWarning);
  return new BullmqNodeLink(redis, request);
}

/** A node's end: it finds runs of its task, and tells that it is there. */
class BullmqNodeLink implements NodeLink {
  readonly #redis: RedisConnections;
  readonly #request: NodeRequest;
  readonly #keys: Keys;
  /** Runs that this node has left for good. */
  readonly #left = new Set<string>();
  readonly #timer: NodeJS.Timeout;
  readonly #events: { close(): void };
  #current: NodeRun | undefined;
  #wake: () => void = () => {};
  #isClosed = false;
  #lost: KagurazakaError | undefined;
  #answeredAtMs = performance.now();
  #isBeating = false;

  constructor(redis: RedisConnections, request: NodeRequest) {
    this.#redis = redis;
    this.#request = request;
    this.#keys = keysOf(redis.prefix);
    this.#timer = setInterval(() => void this.#beat(), HEARTBEAT_MS);
    this.#events = followStream(redis.connect(), [{ key: this.#keys.events, from: "$" }], () => {
      this.#wake();
      void this.#current?.look();
    });
    void this.#beat();
  }

  async *jobs(): AsyncGenerator<NodeJob> {
    while (!this.#isClosed) {
      const found = await this.#findJob();
      if (this.#lost) throw this.#lost;
      if (this.#isClosed) return;
      if (!found) {
        await this.#somethingNew();
        continue;
      }
      const run = new NodeRun(this.#redis, found, this.#request);
      this.#current = run;
      try {
        yield run;
      } finally {
        this.#current = undefined;
        // One that has lost its coordinator may get it back.
        if (!run.isOrphaned) this.#left.add(found.run);
        await run.close();
      }
      if (this.#lost) throw this.#lost;
    }
    if (this.#lost) throw this.#lost;
  }

  /** The oldest open run of this node's task that it has not left, and whose coordinator is alive. */
  async #findJob() {
    const { main } = this.#redis;
    const runs = await this.#whileReachable(main.smembers(this.#keys.open));
    const nowMs = await this.#whileReachable(this.#redis.nowMs());
    for (const run of (runs ?? []).sort()) {
      if (this.#left.has(run)) continue;
      const fields = main.hmget(this.#keys.run(run), "state", "baseId", "job", "beatAt");
      const [state, baseId, text, beatAt] = (await this.#whileReachable(fields)) ?? [];
      if (state !== "open" || baseId !== this.#request.taskId || !text) continue;
      if (nowMs === undefined || isSilent(beatAt, nowMs)) continue;
      const job = decodeJob(text);
      if (job && job.run === run) return job;
      this.#left.add(run);
      this.#request.onWarning(
        `the record of run ${run} in Redis is not one of this version of kagurazaka, and is left alone`,
      );
    }
    return undefined;
  }

  /** Undefined once the link is closed or Redis is lost. */
  #whileReachable<T>(command: Promise<T>): Promise<T | undefined> {
    command.catch(() => {});
    return new Promise((resolve) => {
      const stop = setInterval(() => {
        if (this.#isClosed || this.#lost) end(undefined);
      }, 100);
      const end = (value: T | undefined): void => {
        clearInterval(stop);
        resolve(value);
      };
      command.then(end, () => setTimeout(() => end(undefined), 500));
    });
  }

  /** Resolves at an event, and at least every two seconds: an event may have been missed. */
  #somethingNew(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, 2 * HEARTBEAT_MS);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #beat(): Promise<void> {
    const { main, timeoutMs } = this.#redis;
    const silentMs = performance.now() - this.#answeredAtMs;
    if (silentMs > timeoutMs && !this.#lost) {
      this.#lost = this.#redis.silent(silentMs, undefined);
      this.#current?.onQueueLost(this.#lost.message);
      this.#wake();
    }
    if (this.#isBeating || this.#isClosed) return;
    this.#isBeating = true;
    try {
      const { node } = this.#request;
      const nowMs = await this.#redis.nowMs();
      this.#answeredAtMs = performance.now();
      await main
        .pipeline()
        .set(this.#keys.node(node), JSON.stringify(this.#request.describe()), "PX", NODE_MS)
        .zadd(this.#keys.nodes, nowMs, node)
        .zremrangebyscore(this.#keys.nodes, 0, nowMs - NODE_MS)
        .exec();
      await this.#current?.look(nowMs);
    } catch {
      // The next heartbeat tries again.
    } finally {
      this.#isBeating = false;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#events.close();
    this.#wake();
    const { node } = this.#request;
    const farewell = this.#redis.main
      .pipeline()
      .del(this.#keys.node(node))
      .zrem(this.#keys.nodes, node)
      .exec()
      .catch(() => {});
    if (!this.#lost) await Promise.race([farewell, new Promise((resolve) => setTimeout(resolve, 1000))]);
    await this.#redis[Symbol.asyncDispose]();
  }
}
