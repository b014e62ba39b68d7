import {
  type Chunk,
  type ExecutionEvents,
  type Fleet,
  type FleetExecution,
  type FleetRequest,
  KagurazakaError,
  type RunReport,
  type UnrecordedOutcomes,
} from "../../src/kit.js";
import { AloneWatch } from "./alone-watch.js";
import { ChunkQueue } from "./chunk-queue.js";
import { ClaimedChunks } from "./claimed-chunks.js";
import { HEARTBEAT_MS, keysOf } from "./keys.js";
import { RedisLease } from "./lease.js";
import { MissingChunks } from "./missing-chunks.js";
import { RedisConnections } from "./redis.js";
import { RunRecord } from "./run-record.js";
import { type Entry, followStream } from "./streams.js";
import { unrecordedOutcomes } from "./unrecorded.js";
import { decodeFromNode, decodeMessage } from "./wire.js";
import { within } from "./within.js";

const RECONCILE_MS = 5000;
const TRIM_MS = 250;
/** How long the end of a run may wait for Redis. */
const FAREWELL_MS = 5000;

export async function openCoordinator(request: FleetRequest): Promise<Fleet> {
  const redis = new RedisConnections(request.options);
  await redis.open(request.onWarning);
  try {
    const lease = await RedisLease.take(redis, keysOf(redis.prefix), request);
    return new Coordinator(redis, lease, request);
  } catch (error) {
    await redis[Symbol.asyncDispose]();
    throw error;
  }
}

/** The coordinator's end of the fleet: sends chunks, takes outcomes, and finds out what Redis or a node has lost. */
class Coordinator implements Fleet {
  readonly #redis: RedisConnections;
  readonly #lease: RedisLease;
  readonly #request: FleetRequest;
  readonly #queue: ChunkQueue;
  readonly #execution: FleetExecution;
  readonly #claims = new ClaimedChunks();
  /** Once the execution runs. */
  #record!: RunRecord;
  #isRegistered = false;
  #follower: ReturnType<typeof followStream> | undefined;
  #timers: NodeJS.Timeout[] = [];
  /** The last entry of the stream of outcomes that was read. */
  #position = "0-0";
  #messagePosition = "0-0";
  #recorded: string[] = [];
  #report: RunReport | undefined;
  #answeredAtMs = performance.now();
  readonly #alone: AloneWatch;
  /** Of the last heartbeat. */
  #lastError: unknown;
  #isBeating = false;
  #isLost = false;
  #lose: (error: KagurazakaError) => void = () => {};
  readonly #whenLost = new Promise<never>((_, reject) => {
    this.#lose = reject;
  });
  #missing!: MissingChunks;

  constructor(redis: RedisConnections, lease: RedisLease, request: FleetRequest) {
    this.#whenLost.catch(() => {});
    this.#redis = redis;
    this.#lease = lease;
    this.#request = request;
    this.#alone = new AloneWatch(redis, request);
    let isTold = false;
    this.#queue = new ChunkQueue(redis, request.run, {
      trouble: (why) => {
        if (!isTold) request.onWarning(`Redis does not take chunks, which are sent again: ${why}`);
        isTold = true;
      },
      fatal: (why) => this.#onLost(why),
    });
    this.#execution = request.createExecution({
      send: (chunk) => this.#queue.send(chunk),
      drain: (graceMs, shard) => void this.#drain(graceMs, shard).catch(() => {}),
      end: (how) => this.#end(how),
    });
    this.#timers.push(setInterval(() => void this.#beat(), HEARTBEAT_MS));
  }

  async run(chunks: AsyncIterator<Chunk>, events: ExecutionEvents) {
    this.#record = new RunRecord(this.#redis, this.#request.job(), this.#lease.fence);
    await Promise.race([this.#record.write(), this.#whenLost]);
    this.#isRegistered = true;
    this.#missing = new MissingChunks({
      redis: this.#redis,
      queue: this.#queue,
      execution: this.#execution,
      claims: this.#claims,
      outcomes: this.#record.outcomes,
      onMissing: (chunks) => {
        this.#request.onWarning(`Redis has lost ${chunks.length} chunks, which are sent again`);
        for (const chunk of chunks) this.#giveBack(chunk);
      },
    });
    const streams = [this.#record.outcomes, this.#record.messages].map((key) => ({ key, from: "0-0" }));
    this.#follower = followStream(this.#redis.connect(), streams, (entries) => this.#onEntries(entries));
    this.#timers.push(setInterval(() => void this.#missing.look(this.#position).catch(() => {}), RECONCILE_MS));
    this.#timers.push(setInterval(() => void this.#trim().catch(() => {}), TRIM_MS));
    return this.#execution.run(chunks, events);
  }

  drain(graceMs: number, cause?: KagurazakaError): void {
    this.#execution.drain(graceMs, cause);
  }

  stop(cause?: KagurazakaError): void {
    this.#execution.stop(cause);
  }

  stopShard(shard: number): void {
    this.#execution.stopShard(shard);
  }

  snapshot() {
    return this.#execution.snapshot();
  }

  async *unrecorded(): AsyncGenerator<UnrecordedOutcomes> {
    const all = unrecordedOutcomes(this.#redis, this.#request);
    try {
      for (;;) {
        const { done, value } = await Promise.race([all.next(), this.#whenLost]);
        if (done) return;
        yield value;
      }
    } finally {
      void all.return(undefined).catch(() => {});
    }
  }

  report(report: RunReport): void {
    this.#report = report;
  }

  // ── The end of the run ──────────────────────────────────────────────────────────────────────────────────────────────

  async #drain(graceMs: number, shard: number | undefined): Promise<void> {
    await this.#record.drain(graceMs, shard);
    if (shard === undefined) for (const chunk of await this.#queue.takeWaiting()) this.#giveBack(chunk);
  }

  #giveBack(chunk: number): void {
    this.#execution.onGivenBack(chunk);
    this.#queue.forget(chunk);
  }

  async #end(how: "done" | "left"): Promise<void> {
    if (this.#isLost) return;
    const farewell = async (): Promise<void> => {
      await this.#trim();
      await this.#readLastMessages();
      await this.#record.end(how);
      if (how === "left") return void (await this.#queue.takeWaiting());
      await this.#queue.obliterate();
      await this.#record.forget();
    };
    await within(FAREWELL_MS, farewell());
  }

  /** What items have printed may come a little later than their outcomes. */
  async #readLastMessages(): Promise<void> {
    const rest = await this.#redis.main.xrange(this.#record.messages, `(${this.#messagePosition}`, "+");
    for (const [, fields] of rest) this.#onMessage(fields[1] ?? "");
  }

  // ── Heartbeat ───────────────────────────────────────────────────────────────────────────────────────────────────────

  async #beat(): Promise<void> {
    const silentMs = performance.now() - this.#answeredAtMs;
    if (silentMs > this.#redis.timeoutMs) this.#onLost(this.#redis.silent(silentMs, this.#lastError).message);
    if (this.#isBeating || this.#isLost) return;
    this.#isBeating = true;
    try {
      const thief = await this.#lease.hold();
      this.#answeredAtMs = performance.now();
      this.#lastError = undefined;
      if (thief !== undefined) {
        const message = `${thief} has taken over the output root while this run was out of reach`;
        return this.#execution.stop(new KagurazakaError("root-in-use", message));
      }
      if (!this.#isRegistered) return;
      const { isCancelled } = await this.#record.beat(this.#report);
      if (isCancelled) {
        const message = "the run was cancelled by `kagurazaka cancel`";
        this.#execution.drain(this.#record.graceMs, new KagurazakaError("interrupted", message));
      }
      this.#checkNodes();
    } catch (error) {
      // The next heartbeat tries again.
      this.#lastError = error;
    } finally {
      this.#isBeating = false;
    }
  }

  #checkNodes(): void {
    const now = performance.now();
    for (const node of this.#claims.goneNodes(now)) this.#execution.onNodeLeft(node);
    for (const chunk of this.#claims.lostChunks(now)) {
      this.#execution.onLost(chunk);
      this.#queue.forget(chunk);
    }
    this.#alone.check(this.#record.isOpen && this.#claims.nodes === 0 && this.#execution.snapshot().waiting > 0, now);
  }

  #onLost(why: string): void {
    if (this.#isLost) return;
    this.#isLost = true;
    this.#execution.onQueueLost(why);
    this.#lose(new KagurazakaError("queue", `the queue cannot be used: ${why}`));
  }

  // ── What nodes send ─────────────────────────────────────────────────────────────────────────────────────────────────

  #onEntries(entries: readonly Entry[]): void {
    // Messages first: the last outcome ends the run.
    for (const { id, fields } of entries.filter(({ key }) => key === this.#record.messages)) {
      this.#messagePosition = id;
      this.#onMessage(fields[1] ?? "");
    }
    for (const { id, fields } of entries.filter(({ key }) => key === this.#record.outcomes)) {
      this.#position = id;
      this.#onOutcome(id, fields[1] ?? "");
    }
    this.#missing.check(this.#position);
  }

  #onMessage(text: string): void {
    const message = decodeMessage(text);
    if (!message) return;
    if (message.type === "heartbeat") this.#claims.claim(message.node, message.chunks ?? [], performance.now());
    this.#execution.onNodeMessage(message);
  }

  #onOutcome(id: string, text: string): void {
    const forget = (): void => void this.#recorded.push(id);
    const message = decodeFromNode(text);
    switch (message?.kind) {
      case "outcomes": {
        const { chunk } = message.outcomes;
        return this.#execution.onOutcomes(message.outcomes, () => {
          forget();
          if (!this.#execution.isOpen(chunk)) this.#queue.forget(chunk);
        });
      }
      case "given-back":
        this.#execution.onGivenBack(message.chunk, message.indices);
        if (!this.#execution.isOpen(message.chunk)) this.#queue.forget(message.chunk);
        return forget();
      case "alone":
        this.#execution.onBegunAlone(message.chunk, message.index);
        return forget();
      case "lost":
        if (this.#execution.isOpen(message.chunk)) this.#claims.suspect(message.chunk, performance.now());
        return forget();
      case "said":
        this.#execution.onNodeMessage(message.message);
        return forget();
      case "left":
        this.#claims.forget(message.node);
        this.#execution.onNodeLeft(message.node, message.error);
        return forget();
      default:
        this.#request.onWarning("an entry in the stream of outcomes is none of a node of this version, and is ignored");
        return forget();
    }
  }

  async #trim(): Promise<void> {
    const ids = this.#recorded;
    this.#recorded = [];
    if (ids.length > 0) await this.#redis.main.xdel(this.#record.outcomes, ...ids);
    await this.#queue.sweep();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#follower?.close();
    if (!this.#isLost) {
      if (this.#isRegistered) await within(FAREWELL_MS, this.#record.beat(this.#report));
      await within(FAREWELL_MS, this.#lease.drop());
    }
    await this.#queue.close();
    await this.#redis[Symbol.asyncDispose]();
  }
}
