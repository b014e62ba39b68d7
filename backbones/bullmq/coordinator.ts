import { hostname } from "node:os";
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
import { ChunkQueue } from "./chunk-queue.js";
import { ClaimedChunks } from "./claimed-chunks.js";
import { HEARTBEAT_MS, KEEP_MS, type Keys, keysOf, MAX_EVENTS } from "./keys.js";
import { RedisLease } from "./lease.js";
import { RedisConnections } from "./redis.js";
import { type Entry, followStream } from "./streams.js";
import { unrecordedOutcomes } from "./unrecorded.js";
import { decodeFromNode, decodeMessage, encodeJob } from "./wire.js";

const RECONCILE_MS = 5000;
const TRIM_MS = 100;
/** How long the end of a run may wait for Redis. */
const FAREWELL_MS = 5000;
const NO_NODE_MS = 10_000;

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

/** `left`: over, with outcomes that are not recorded. */
type RunState = "open" | "draining" | "left" | "over";

/** The coordinator's end of the fleet: sends chunks, takes outcomes, and finds out what Redis or a node has lost. */
class Coordinator implements Fleet {
  readonly #redis: RedisConnections;
  readonly #lease: RedisLease;
  readonly #request: FleetRequest;
  readonly #keys: Keys;
  readonly #queue: ChunkQueue;
  readonly #execution: FleetExecution;
  readonly #claims = new ClaimedChunks();
  readonly #startedAt = new Date();
  #job = "";
  #follower: ReturnType<typeof followStream> | undefined;
  #timers: NodeJS.Timeout[] = [];
  #position = { outcomes: "0-0", messages: "0-0" };
  #recorded: string[] = [];
  #report: RunReport | undefined;
  #state: RunState = "open";
  #graceMs = 0;
  readonly #drained = new Set<number>();
  #answeredAtMs = performance.now();
  #aloneSinceMs = performance.now();
  /** Of the last heartbeat. */
  #lastError: unknown;
  #isBeating = false;
  #isLost = false;
  /** Chunks that seem to be lost, once all outcomes up to this entry are read. */
  #missing: { readonly chunks: readonly number[]; readonly until: string } | undefined;

  constructor(redis: RedisConnections, lease: RedisLease, request: FleetRequest) {
    this.#redis = redis;
    this.#lease = lease;
    this.#request = request;
    this.#keys = keysOf(redis.prefix);
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
    this.#job = encodeJob(this.#request.job());
    await this.#register();
    const { outcomes, messages } = this.#streams;
    const streams = [
      { key: outcomes, from: "0-0" },
      { key: messages, from: "0-0" },
    ];
    this.#follower = followStream(this.#redis.connect(), streams, (entries) => this.#onEntries(entries));
    this.#timers.push(setInterval(() => void this.#reconcile().catch(() => {}), RECONCILE_MS));
    this.#timers.push(setInterval(() => void this.#trim().catch(() => {}), TRIM_MS));
    this.#aloneSinceMs = performance.now();
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

  unrecorded(): AsyncIterable<UnrecordedOutcomes> {
    return unrecordedOutcomes(this.#redis, this.#request);
  }

  report(report: RunReport): void {
    this.#report = report;
  }

  get #streams() {
    const { run } = this.#request;
    return { outcomes: this.#keys.outcomes(run), messages: this.#keys.messages(run) };
  }

  // ── The run in Redis ────────────────────────────────────────────────────────────────────────────────────────────────

  /** Writes the run's record, at its start and again where Redis has lost it. */
  async #register(): Promise<void> {
    const { run, rootIds } = this.#request;
    const { outcomes, messages } = this.#streams;
    const task = (JSON.parse(this.#job) as { task: { id: string } }).task.id;
    const about = { task, job: this.#job, rootIds: rootIds.join(","), fence: this.#lease.fence };
    const who = { host: hostname(), pid: process.pid, startedAt: this.#startedAt.toISOString() };
    const state = { state: this.#state, graceMs: this.#graceMs, drained: [...this.#drained].join(",") };
    await this.#redis.persist(() =>
      this.#redis.main
        .multi()
        .hset(this.#keys.run(run), { ...about, ...who, ...state })
        .zadd(this.#keys.runs, this.#startedAt.getTime(), run)
        .sadd(this.#keys.open, run)
        // Makes the streams, where they are not there.
        .xgroup("CREATE", outcomes, "none", "$", "MKSTREAM")
        .xgroup("DESTROY", outcomes, "none")
        .xgroup("CREATE", messages, "none", "$", "MKSTREAM")
        .xgroup("DESTROY", messages, "none")
        .exec(),
    );
    await this.#tell();
  }

  /** Wakes the nodes: the state of the run has changed. */
  async #tell(): Promise<void> {
    await this.#redis.main.xadd(this.#keys.events, "MAXLEN", "~", MAX_EVENTS, "*", "run", this.#request.run);
  }

  async #setState(state: RunState): Promise<void> {
    this.#state = state;
    const drained = [...this.#drained].join(",");
    await this.#redis.main.hset(this.#keys.run(this.#request.run), { state, graceMs: this.#graceMs, drained });
    await this.#tell();
  }

  async #drain(graceMs: number, shard: number | undefined): Promise<void> {
    if (shard === undefined) this.#graceMs = graceMs;
    else this.#drained.add(shard);
    await this.#setState(shard === undefined ? "draining" : this.#state);
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
      await this.#setState(how === "done" ? "over" : "left");
      if (how === "left") return void (await this.#queue.takeWaiting());
      const { run } = this.#request;
      const { outcomes, messages } = this.#streams;
      await this.#queue.obliterate();
      await this.#redis.main
        .pipeline()
        .del(outcomes, messages, this.#keys.chunks(run))
        .srem(this.#keys.open, run)
        .hdel(this.#keys.run(run), "job")
        .exec();
    };
    await within(FAREWELL_MS, farewell());
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
      if (this.#job === "") return;
      const key = this.#keys.run(this.#request.run);
      const [state, cancelled] = await this.#redis.main.hmget(key, "state", "cancel");
      if (state === null && (this.#state === "open" || this.#state === "draining")) await this.#register();
      await this.#writeReport();
      if (cancelled === "1") {
        const message = "the run was cancelled by `kagurazaka cancel`";
        this.#execution.drain(this.#request.job().settings.grace, new KagurazakaError("interrupted", message));
      }
      this.#checkNodes();
    } catch (error) {
      // The next heartbeat tries again.
      this.#lastError = error;
    } finally {
      this.#isBeating = false;
    }
  }

  async #writeReport(): Promise<void> {
    const { run } = this.#request;
    const [seconds, micros] = await this.#redis.main.time();
    const beatAt = Number(seconds) * 1000 + Math.round(Number(micros) / 1000);
    const report = this.#report === undefined ? {} : { report: JSON.stringify(this.#report) };
    const pipeline = this.#redis.main.pipeline().hset(this.#keys.run(run), { beatAt, ...report });
    for (const key of [this.#keys.run(run), this.#keys.chunks(run), ...Object.values(this.#streams)])
      pipeline.pexpire(key, KEEP_MS);
    await pipeline.exec();
  }

  #checkNodes(): void {
    const now = performance.now();
    for (const node of this.#claims.goneNodes(now)) this.#execution.onNodeLeft(node);
    for (const chunk of this.#claims.lostChunks(now)) {
      this.#execution.onLost(chunk);
      this.#queue.forget(chunk);
    }
    const isWaiting = this.#state === "open" && this.#claims.nodes === 0 && this.#execution.snapshot().inFlight > 0;
    if (!isWaiting) this.#aloneSinceMs = now;
    else if (now - this.#aloneSinceMs > NO_NODE_MS) {
      this.#aloneSinceMs = now;
      this.#request.onWarning(
        "no node is there. Start one: kagurazaka worker TASK_FILE TASK --redis URL, or give --with_worker",
      );
    }
  }

  #onLost(why: string): void {
    if (this.#isLost) return;
    this.#isLost = true;
    this.#execution.onQueueLost(why);
  }

  // ── What nodes send ─────────────────────────────────────────────────────────────────────────────────────────────────

  #onEntries(entries: readonly Entry[]): void {
    for (const { key, id, fields } of entries) {
      const text = fields[1] ?? "";
      if (key === this.#streams.messages) {
        this.#position.messages = id;
        this.#onMessage(text);
      } else {
        this.#position.outcomes = id;
        this.#onOutcome(id, text);
      }
    }
    this.#resendMissing();
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
    if (ids.length > 0) await this.#redis.main.xdel(this.#streams.outcomes, ...ids);
    await this.#queue.sweep();
  }

  // ── What Redis has lost ─────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Redis may forget: the last second of writes in a crash, everything by FLUSHALL. A chunk that is not there although it has
   * not settled is sent again, once all outcomes that came before are read.
   */
  async #reconcile(): Promise<void> {
    if (this.#missing) return this.#resendMissing();
    const chunks = await this.#queue.missing(this.#execution.openChunks());
    if (chunks.length === 0) return;
    const last = (await this.#redis.main.xrevrange(this.#streams.outcomes, "+", "-", "COUNT", 1)) as [
      string,
      string[],
    ][];
    this.#missing = { chunks, until: last[0]?.[0] ?? "0-0" };
    this.#resendMissing();
  }

  #resendMissing(): void {
    if (!this.#missing || isBefore(this.#position.outcomes, this.#missing.until)) return;
    const now = performance.now();
    const lost = this.#missing.chunks.filter(
      (chunk) => this.#execution.isOpen(chunk) && !this.#claims.isKnown(chunk, now),
    );
    this.#missing = undefined;
    if (lost.length > 0) this.#request.onWarning(`Redis has lost ${lost.length} chunks, which are sent again`);
    for (const chunk of lost) this.#giveBack(chunk);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#follower?.close();
    if (!this.#isLost) {
      if (this.#job !== "") await within(FAREWELL_MS, this.#writeReport());
      await within(FAREWELL_MS, this.#lease.drop());
    }
    await this.#queue.close();
    await this.#redis[Symbol.asyncDispose]();
  }
}

/** Ids of entries: milliseconds, and a number within them. */
function isBefore(a: string, b: string): boolean {
  const [aMs = 0, aNumber = 0] = a.split("-").map(Number);
  const [bMs = 0, bNumber = 0] = b.split("-").map(Number);
  return aMs < bMs || (aMs === bMs && aNumber < bNumber);
}

async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work.catch(() => {}), late]);
  clearTimeout(timer);
}
