import { Queue, Worker } from "bullmq";
import type { ChunkMessage } from "../../src/kit.js";
import { chunkOf, jobIdOf, type Keys, keysOf, LOCK_MS, STALLED_CHECK_MS } from "./keys.js";
import type { RedisConnections } from "./redis.js";
import { encodeChunk } from "./wire.js";

const MAX_BATCH = 64;

/** The chunks of a run in Redis, from the coordinator's side: each is a job of BullMQ, and its items stand in a hash. */
export class ChunkQueue {
  readonly #redis: RedisConnections;
  readonly #keys: Keys;
  readonly #run: string;
  readonly #queue: Queue;
  /** Looks for chunks whose lock has ended. Nodes do not: after the end of the run they would write its keys anew. */
  readonly #checker: Worker;
  readonly #onTrouble: (why: string) => void;
  readonly #onFatal: (why: string) => void;
  /** Not in Redis yet. */
  #outgoing: ChunkMessage[] = [];
  #isSending = false;
  #whenSent: Promise<void> = Promise.resolve();
  /** In Redis, as far as we know. */
  readonly #sent = new Set<number>();
  #settled: number[] = [];

  constructor(redis: RedisConnections, run: string, on: { trouble(why: string): void; fatal(why: string): void }) {
    this.#redis = redis;
    this.#keys = keysOf(redis.prefix);
    this.#run = run;
    this.#onTrouble = on.trouble;
    this.#onFatal = on.fatal;
    this.#queue = new Queue(run, {
      connection: redis.main as never,
      prefix: this.#keys.queuePrefix,
      streams: { events: { maxLen: 100 } },
      defaultJobOptions: { removeOnComplete: true, removeOnFail: true, attempts: 1 },
    });
    this.#checker = new Worker(run, null, {
      connection: redis.main as never,
      prefix: this.#keys.queuePrefix,
      autorun: false,
      lockDuration: LOCK_MS,
      stalledInterval: STALLED_CHECK_MS,
      // What has stalled is for the coordinator to judge.
      maxStalledCount: Number.MAX_SAFE_INTEGER,
    });
    // Failures show where a command is awaited; an event without a listener would end the process.
    this.#queue.on("error", () => {});
    this.#checker.on("error", () => {});
    void this.#checker.startStalledCheckTimer().catch(() => {});
  }

  send(chunk: ChunkMessage): void {
    this.#outgoing.push(chunk);
    if (this.#isSending) return;
    this.#isSending = true;
    this.#whenSent = new Promise((resolve) => setImmediate(() => void this.#sendAll().finally(resolve)));
  }

  async #sendAll(): Promise<void> {
    try {
      while (this.#outgoing.length > 0) {
        const batch = this.#outgoing.splice(0, MAX_BATCH);
        const items = batch.flatMap((chunk) => [String(chunk.id), encodeChunk(chunk)]);
        const key = this.#keys.chunks(this.#run);
        await this.#redis.persist(() => this.#redis.main.hset(key, ...items), this.#onTrouble);
        const jobs = batch.map(({ id }) => ({ name: "chunk", data: {}, opts: { jobId: jobIdOf(id) } }));
        await this.#redis.persist(() => this.#queue.addBulk(jobs), this.#onTrouble);
        for (const { id } of batch) this.#sent.add(id);
      }
    } catch (error) {
      this.#onFatal((error as Error).message);
    } finally {
      this.#isSending = false;
    }
  }

  /** All outcomes of the chunk are recorded. */
  forget(chunk: number): void {
    this.#sent.delete(chunk);
    this.#settled.push(chunk);
  }

  /** Removes the chunks that were forgotten. */
  async sweep(): Promise<void> {
    const gone = this.#settled;
    this.#settled = [];
    if (gone.length > 0) await this.#redis.main.hdel(this.#keys.chunks(this.#run), ...gone.map(String));
  }

  /** Those of the given chunks that Redis has lost, or completed without their outcomes. */
  async missing(chunks: Iterable<number>): Promise<number[]> {
    const known = [...chunks].filter((chunk) => this.#sent.has(chunk));
    const pipeline = this.#redis.main.pipeline();
    for (const chunk of known) {
      pipeline.exists(`${this.#keys.queuePrefix}:${this.#run}:${jobIdOf(chunk)}`);
      pipeline.hexists(this.#keys.chunks(this.#run), String(chunk));
    }
    const replies = (await pipeline.exec()) ?? [];
    return known.filter((_, i) => replies[2 * i]?.[1] === 0 || replies[2 * i + 1]?.[1] === 0);
  }

  /** How many chunks wait, and how many nodes have. */
  async counts(): Promise<{ waiting: number; active: number }> {
    const { wait = 0, active = 0 } = await this.#queue.getJobCounts("wait", "active");
    return { waiting: wait, active };
  }

  /** Takes out what no node has yet. @returns the numbers of those chunks */
  async takeWaiting(): Promise<number[]> {
    await this.#whenSent;
    // Not as jobs: BullMQ cannot read each that others may have put there.
    const waiting = `${this.#keys.queuePrefix}:${this.#run}:wait`;
    const taken: number[] = [];
    for (const id of await this.#redis.main.lrange(waiting, 0, -1)) {
      const removed = await this.#queue.remove(id);
      const chunk = chunkOf(id);
      if (chunk === undefined) await this.#redis.main.lrem(waiting, 0, id);
      else if (removed === 1) taken.push(chunk);
    }
    return taken;
  }

  async obliterate(): Promise<void> {
    await this.#whenSent;
    await this.#checker.close(true);
    await this.#queue.obliterate({ force: true });
  }

  async close(): Promise<void> {
    await this.#checker.close(true).catch(() => {});
    await this.#queue.close().catch(() => {});
  }
}
