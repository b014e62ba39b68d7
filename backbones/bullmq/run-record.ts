import { hostname } from "node:os";
import type { FleetJob, RunReport } from "../../src/kit.js";
import { KEEP_MS, type Keys, keysOf, MAX_EVENTS } from "./keys.js";
import type { RedisConnections } from "./redis.js";
import { encodeJob } from "./wire.js";

/** `left`: over, with outcomes that are not recorded. */
type RunState = "open" | "draining" | "left" | "over";

/** What Redis knows of a run: its job for nodes, its state, and the last report of its coordinator. */
export class RunRecord {
  readonly #redis: RedisConnections;
  readonly #keys: Keys;
  readonly #job: FleetJob;
  readonly #about: Readonly<Record<string, string | number>>;
  readonly #startedAt = new Date();
  readonly #drained = new Set<number>();
  #state: RunState = "open";
  #graceMs = 0;

  constructor(redis: RedisConnections, job: FleetJob, fence: number) {
    this.#redis = redis;
    this.#keys = keysOf(redis.prefix);
    this.#job = job;
    this.#about = {
      task: job.task.id,
      baseId: job.task.baseId,
      job: encodeJob(job),
      rootIds: job.shards.map(({ rootId }) => rootId).join(","),
      fence,
      host: hostname(),
      pid: process.pid,
      startedAt: this.#startedAt.toISOString(),
    };
  }

  get graceMs(): number {
    return this.#job.settings.grace;
  }

  get isOpen(): boolean {
    return this.#state === "open";
  }

  get outcomes(): string {
    return this.#keys.outcomes(this.#job.run);
  }

  get messages(): string {
    return this.#keys.messages(this.#job.run);
  }

  /** Writes all of it, at the start of the run and again where Redis has lost it. */
  async write(): Promise<void> {
    const { run } = this.#job;
    const beatAt = await this.#redis.nowMs();
    await this.#redis.persist(() =>
      this.#redis.main
        .multi()
        .hset(this.#keys.run(run), { ...this.#about, ...this.#changing, beatAt })
        .zadd(this.#keys.runs, this.#startedAt.getTime(), run)
        .sadd(this.#keys.open, run)
        // Makes the streams, where they are not there.
        .xgroup("CREATE", this.outcomes, "none", "$", "MKSTREAM")
        .xgroup("DESTROY", this.outcomes, "none")
        .xgroup("CREATE", this.messages, "none", "$", "MKSTREAM")
        .xgroup("DESTROY", this.messages, "none")
        // The coordinator may die before its first heartbeat.
        .pexpire(this.#keys.run(run), KEEP_MS)
        .pexpire(this.outcomes, KEEP_MS)
        .pexpire(this.messages, KEEP_MS)
        .exec(),
    );
    await this.#tell();
  }

  /** Nodes begin no more items, of one shard or of all. */
  async drain(graceMs: number, shard: number | undefined): Promise<void> {
    if (shard === undefined) this.#graceMs = graceMs;
    else this.#drained.add(shard);
    await this.#setState(shard === undefined ? "draining" : this.#state);
  }

  end(how: "done" | "left"): Promise<void> {
    return this.#setState(how === "done" ? "over" : "left");
  }

  /** The coordinator is alive. @returns whether somebody has asked it to stop */
  async beat(report: RunReport | undefined): Promise<{ isCancelled: boolean }> {
    const key = this.#keys.run(this.#job.run);
    const [state, cancelled] = await this.#redis.main.hmget(key, "state", "cancel");
    if (state === null && (this.#state === "open" || this.#state === "draining")) await this.write();
    const beatAt = await this.#redis.nowMs();
    const pipeline = this.#redis.main.pipeline();
    pipeline.hset(key, { beatAt, ...(report === undefined ? {} : { report: JSON.stringify(report) }) });
    for (const kept of [key, this.#keys.chunks(this.#job.run), this.outcomes, this.messages])
      pipeline.pexpire(kept, KEEP_MS);
    await pipeline.exec();
    return { isCancelled: cancelled === "1" };
  }

  /** Removes all but what `status` shows. */
  async forget(): Promise<void> {
    const { run } = this.#job;
    await this.#redis.main
      .pipeline()
      .del(this.outcomes, this.messages, this.#keys.chunks(run))
      .srem(this.#keys.open, run)
      .hdel(this.#keys.run(run), "job")
      .exec();
  }

  get #changing() {
    return { state: this.#state, graceMs: this.#graceMs, drained: [...this.#drained].join(",") };
  }

  async #setState(state: RunState): Promise<void> {
    this.#state = state;
    await this.#redis.main.hset(this.#keys.run(this.#job.run), this.#changing);
    await this.#tell();
  }

  /** Wakes the nodes. */
  async #tell(): Promise<void> {
    await this.#redis.main.xadd(this.#keys.events, "MAXLEN", "~", MAX_EVENTS, "*", "run", this.#job.run);
  }
}
