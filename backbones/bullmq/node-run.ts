import { type Job, Worker } from "bullmq";
import type {
  ChunkMessage,
  ErrorRecord,
  FleetJob,
  NodeJob,
  NodeMessage,
  NodeOutcomes,
  NodeRequest,
} from "../../src/kit.js";
import { HeldChunk } from "./held-chunk.js";
import { chunkOf, isSilent, type Keys, keysOf, LOCK_MS, MAX_MESSAGES } from "./keys.js";
import { Outbox } from "./outbox.js";
import type { RedisConnections } from "./redis.js";
import { decodeChunk, encodeFromNode, encodeMessage } from "./wire.js";

/** A run may be gone from Redis for so many looks (it was emptied) until its coordinator has written it again. */
const MAX_MISSING = 15;
/** A chunk of so many items holds short ones: the next one is fetched ahead. Of long ones, another node may be free earlier. */
const LARGE_CHUNK = 128;
/** After a fetch that failed. */
const AGAIN_MS = 200;
/** What the task prints is dropped beyond so many messages that Redis has not taken yet. */
const MAX_WAITING_MESSAGES = 1000;

/** One run, on a node: takes chunks from its queue in BullMQ, keeps their locks, and sends outcomes. */
export class NodeRun implements NodeJob {
  readonly job: FleetJob;
  readonly chunks: AsyncIterator<ChunkMessage>;
  /** The coordinator is dead, and nothing of the run waits. */
  isOrphaned = false;
  readonly #redis: RedisConnections;
  readonly #request: NodeRequest;
  readonly #keys: Keys;
  readonly #queue: Worker;
  readonly #held = new Map<number, HeldChunk>();
  readonly #outcomes: Outbox;
  readonly #messages: Outbox;
  readonly #locks: NodeJS.Timeout;
  readonly #drainedShards = new Set<number>();
  #onDrain: (graceMs: number, shard?: number) => void = () => {};
  #end: () => void = () => {};
  readonly #whenEnded = new Promise<void>((resolve) => {
    this.#end = resolve;
  });
  #isEnded = false;
  #isDraining = false;
  #isClosed = false;
  readonly #completing = new Set<Promise<unknown>>();
  /** The next chunk, fetched while the last one is being run. */
  #ahead: Promise<ChunkMessage | undefined> | undefined;
  #missing = 0;
  #dropped = 0;

  constructor(redis: RedisConnections, job: FleetJob, request: NodeRequest) {
    this.job = job;
    this.#redis = redis;
    this.#request = request;
    this.#keys = keysOf(redis.prefix);
    const { run } = job;
    this.#queue = new Worker(run, null, {
      connection: redis.main as never,
      prefix: this.#keys.queuePrefix,
      autorun: false,
      lockDuration: LOCK_MS,
      skipStalledCheck: true,
      drainDelay: 2,
    });
    // Failures show where a command is awaited; an event without a listener would end the process.
    this.#queue.on("error", () => {});
    this.#outcomes = new Outbox(redis, this.#keys.outcomes(run), undefined, request.onWarning);
    this.#messages = new Outbox(redis, this.#keys.messages(run), MAX_MESSAGES);
    this.#locks = setInterval(() => void this.#extendLocks(), LOCK_MS / 4);
    this.chunks = { next: () => this.#next() };
  }

  onDrain(listener: (graceMs: number, shard?: number) => void): void {
    this.#onDrain = listener;
    void this.look();
  }

  async settle(outcomes: NodeOutcomes): Promise<void> {
    const whenSent = this.#outcomes.add(encodeFromNode({ kind: "outcomes", outcomes }));
    const { chunk, plain, rest } = outcomes;
    const held = this.#held.get(chunk);
    for (let i = 0; i < plain.length; i += 2) held?.take(plain[i]!);
    for (const { index } of rest) held?.take(index);
    this.#completeIfDone(chunk, whenSent);
    await whenSent;
  }

  giveBack(chunk: number, indices: readonly number[]): void {
    const held = this.#held.get(chunk);
    for (const index of indices) held?.take(index);
    this.#completeIfDone(chunk, this.#outcomes.add(encodeFromNode({ kind: "given-back", chunk, indices })));
  }

  beginAlone(chunk: number, index: number): Promise<void> {
    return this.#outcomes.add(encodeFromNode({ kind: "alone", chunk, index }));
  }

  say(message: NodeMessage): void {
    if (message.type === "shard-failed" || message.type === "retry")
      return void this.#outcomes.add(encodeFromNode({ kind: "said", message }));
    if (message.type === "heartbeat") {
      if (this.#dropped > 0)
        void this.#messages.add(
          encodeMessage({
            type: "warning",
            message: `${this.#dropped} messages of items on node ${message.node} were dropped: Redis did not take them in time`,
          }),
        );
      this.#dropped = 0;
      return void this.#messages.add(encodeMessage({ ...message, chunks: [...this.#held.keys()] }));
    }
    if (this.#messages.waiting < MAX_WAITING_MESSAGES) void this.#messages.add(encodeMessage(message));
    else this.#dropped++;
  }

  async leave(error?: ErrorRecord): Promise<void> {
    this.#finish();
    for (const [chunk, held] of this.#held) if (held.left > 0) this.giveBack(chunk, held.open);
    await this.#outcomes.add(encodeFromNode({ kind: "left", node: this.#request.node, ...(error && { error }) }));
    await Promise.all([...this.#completing]);
  }

  /**
   * Reads the state of the run, and acts on what has changed.
   * @param nowMs by the clock of Redis: then a run whose coordinator is dead is left, once this node has nothing of it
   */
  async look(nowMs?: number): Promise<void> {
    if (this.#isClosed) return;
    const [state, graceMs, drained, beatAt] = await this.#redis.main.hmget(
      this.#keys.run(this.job.run),
      "state",
      "graceMs",
      "drained",
      "beatAt",
    );
    if (this.#isClosed) return;
    if (state === null) {
      if (++this.#missing >= MAX_MISSING) this.#abandon();
      return;
    }
    this.#missing = 0;
    // Also to a node that leaves already: nobody reads what it still sends.
    if (state === "over") return this.#abandon();
    if (this.#isEnded) return;
    for (const shard of shardsOf(drained)) {
      if (this.#drainedShards.has(shard)) continue;
      this.#drainedShards.add(shard);
      this.#onDrain(0, shard);
    }
    if (state === "draining") this.#drain(Number(graceMs) || 0);
    else if (state !== "open") this.#drain(0);
    else if (nowMs !== undefined && isSilent(beatAt, nowMs) && this.#held.size === 0) {
      this.isOrphaned = true;
      this.#drain(0);
    }
  }

  onQueueLost(why: string): void {
    this.#request.onWarning(why);
    this.#abandon();
  }

  /** Nobody reads what this node sends. */
  #abandon(): void {
    this.#outcomes.abandon();
    this.#messages.abandon();
    this.#drain(0);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#finish();
    clearInterval(this.#locks);
    await this.#queue.close(true).catch(() => {});
  }

  #drain(graceMs: number): void {
    if (this.#isDraining) return;
    this.#isDraining = true;
    this.#finish();
    this.#onDrain(graceMs);
  }

  #finish(): void {
    this.#isEnded = true;
    this.#end();
    void this.#ahead?.then((chunk) => this.#handBack(chunk));
    this.#ahead = undefined;
  }

  async #next(): Promise<IteratorResult<ChunkMessage>> {
    while (!this.#isEnded) {
      const fetched = this.#ahead ?? this.#fetch();
      this.#ahead = undefined;
      const chunk = await Promise.race([fetched, this.#whenEnded]);
      if (this.#isEnded) {
        // The fetch may still bring one.
        void fetched.then((late) => this.#handBack(late));
        break;
      }
      if (!chunk) continue;
      if (chunk.count >= LARGE_CHUNK) this.#ahead = this.#fetch();
      return { done: false, value: chunk };
    }
    return { done: true, value: undefined };
  }

  /** Undefined where none has come for a while, or none that this node is to run. Never rejects. */
  async #fetch(): Promise<ChunkMessage | undefined> {
    try {
      const job = await this.#queue.getNextJob(this.#request.node, { block: true });
      return job && (await this.#take(job));
    } catch (error) {
      // BullMQ has fetched a job with another content than it writes. The coordinator removes it with the queue.
      if (error instanceof SyntaxError)
        await this.#countRejected(`a job cannot be read: ${error.message}`).catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      return undefined;
    }
  }

  /** The chunk of a job; undefined where this node is not to run it. */
  async #take(job: Job): Promise<ChunkMessage | undefined> {
    const id = job.name === "chunk" ? chunkOf(job.id) : undefined;
    if (id === undefined) return this.#reject(job, "its id is none of a chunk");
    if (job.stalledCounter > 0) {
      await this.#outcomes.add(encodeFromNode({ kind: "lost", chunk: id }));
      return this.#complete(job);
    }
    const bytes = await this.#redis.main.hgetBuffer(this.#keys.chunks(this.job.run), String(id));
    // The coordinator has it no more: all of it was settled elsewhere.
    if (!bytes) return this.#complete(job);
    let chunk: ChunkMessage;
    try {
      chunk = decodeChunk(bytes);
    } catch (error) {
      return this.#reject(job, (error as Error).message.split("\n", 1)[0]!);
    }
    if (chunk.id !== id || chunk.shard >= this.job.shards.length) return this.#reject(job, "it is of another run");
    this.#held.set(id, new HeldChunk(job, chunk.count));
    return chunk;
  }

  async #reject(job: Job, why: string): Promise<undefined> {
    await this.#countRejected(`job ${job.id} is no chunk and was not run: ${why}`);
    return this.#complete(job);
  }

  async #countRejected(why: string): Promise<void> {
    this.say({ type: "warning", message: `in the queue of the run, ${why}` });
    await this.#redis.main.hincrby(this.#keys.run(this.job.run), "rejected", 1);
  }

  #handBack(chunk: ChunkMessage | undefined): void {
    const held = chunk && this.#held.get(chunk.id);
    if (held && held.left > 0) this.giveBack(chunk.id, held.open);
  }

  #completeIfDone(chunk: number, whenSent: Promise<void>): void {
    const held = this.#held.get(chunk);
    if (!held || held.left > 0) return;
    const completed = whenSent.then(() => {
      this.#held.delete(chunk);
      return this.#complete(held.job);
    });
    this.#completing.add(completed);
    void completed.finally(() => this.#completing.delete(completed)).catch(() => {});
  }

  /** A lock that was lost means that the chunk was given away: then the other node completes it. */
  async #complete(job: Job): Promise<undefined> {
    await job.moveToCompleted(null, this.#request.node, false).catch(() => {});
    return undefined;
  }

  async #extendLocks(): Promise<void> {
    const ids = [...this.#held.values()].map(({ job }) => job.id!);
    if (ids.length === 0) return;
    await this.#queue
      .extendJobLocks(
        ids,
        ids.map(() => this.#request.node),
        LOCK_MS,
      )
      .catch(() => {});
  }
}

function shardsOf(text: string | null | undefined): number[] {
  return (text ?? "")
    .split(",")
    .filter((one) => /^\d+$/.test(one))
    .map(Number);
}
