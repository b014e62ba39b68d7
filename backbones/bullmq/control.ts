import {
  type BackboneOptions,
  type BoardOptions,
  exitCodeOf,
  type FleetBoard,
  type FleetControl,
  type FleetNode,
  type FleetRun,
  KagurazakaError,
  type RunReport,
  toErrorRecord,
} from "../../src/kit.js";
import { type Keys, keysOf, LEASE_MS, MAX_EVENTS, NODE_MS, RUN_NAME } from "./keys.js";
import { RedisConnections } from "./redis.js";
import { decodeNodeReport, decodeRunReport } from "./wire.js";

const MAX_RUNS = 200;

export async function openControl(options: BackboneOptions): Promise<FleetControl> {
  const redis = new RedisConnections(options);
  await redis.open(() => {});
  return new BullmqControl(redis);
}

/** The last report of a run that was cancelled without its coordinator. */
const cancelled = (last: RunReport | undefined): RunReport => ({
  counts: { total: 0, done: 0, skipped: 0, filtered: 0, failed: 0, cancelled: 0 },
  listed: false,
  waiting: 0,
  retries: 0,
  elapsedMs: 0,
  failures: [],
  ...last,
  inFlight: 0,
  itemsPerSecond: 0,
  oldest: [],
  exitCode: exitCodeOf(CANCELLED),
  error: toErrorRecord(CANCELLED),
});

const CANCELLED = new KagurazakaError("interrupted", "the run was cancelled after its coordinator had gone");

class BullmqControl implements FleetControl {
  readonly #redis: RedisConnections;
  readonly #keys: Keys;

  constructor(redis: RedisConnections) {
    this.#redis = redis;
    this.#keys = keysOf(redis.prefix);
  }

  runs(): Promise<FleetRun[]> {
    return this.#redis.inTime(this.#runs());
  }

  async #runs(): Promise<FleetRun[]> {
    const [newest, open, now] = await Promise.all([
      this.#redis.main.zrevrange(this.#keys.runs, 0, MAX_RUNS - 1),
      this.#redis.main.smembers(this.#keys.open),
      this.#redis.nowMs(),
    ]);
    const names = [
      ...newest,
      ...open
        .filter((run) => !newest.includes(run))
        .sort()
        .reverse(),
    ];
    const found = await Promise.all(names.map((run) => this.#run(run, now)));
    return found.filter((run) => run !== undefined);
  }

  run(name: string): Promise<FleetRun | undefined> {
    return this.#redis.inTime(this.#redis.nowMs().then((now) => this.#run(name, now)));
  }

  async #run(run: string, nowMs: number): Promise<FleetRun | undefined> {
    // Others may write here as well.
    if (!RUN_NAME.test(run)) return undefined;
    const record = await this.#redis.main.hgetall(this.#keys.run(run));
    if (record.task === undefined) {
      await this.#redis.main.zrem(this.#keys.runs, run);
      return undefined;
    }
    const queue = `${this.#keys.queuePrefix}:${run}`;
    const [waiting, active] = await Promise.all([
      this.#redis.main.llen(`${queue}:wait`),
      this.#redis.main.llen(`${queue}:active`),
    ]);
    const report = record.report === undefined ? undefined : decodeRunReport(record.report);
    const beatAt = Number(record.beatAt);
    const ageMs = Number.isFinite(beatAt) ? Math.max(0, nowMs - beatAt) : undefined;
    const started = Date.parse(record.startedAt ?? "");
    const isAlive = (ageMs ?? 0) < LEASE_MS;
    // The nodes are told of the end first; how it ended is in the coordinator's last report.
    const isClosed = record.state === "over" || record.state === "left";
    const isEnded = report?.exitCode !== undefined || (isClosed && !isAlive);
    const isDraining = isClosed || record.state === "draining";
    return {
      run,
      task: record.task,
      rootIds: (record.rootIds ?? "").split(","),
      ...(RUN_NAME.test(record.takenOverBy ?? "") ? { takenOverBy: record.takenOverBy! } : {}),
      state: isEnded ? "ended" : isAlive ? (isDraining ? "draining" : "running") : "orphaned",
      coordinator: { host: record.host ?? "", pid: Number(record.pid) || 0 },
      startedAt: Number.isNaN(started) ? "" : new Date(started).toISOString(),
      chunks: { waiting, active },
      report,
      reportAgeMs: ageMs,
    };
  }

  nodes(): Promise<FleetNode[]> {
    return this.#redis.inTime(this.#nodes());
  }

  async #nodes(): Promise<FleetNode[]> {
    const names = await this.#redis.main.zrange(this.#keys.nodes, 0, -1);
    const reports = await Promise.all(
      names.map(async (node) => {
        const key = this.#keys.node(node);
        const [text, leftMs] = await Promise.all([this.#redis.main.get(key), this.#redis.main.pttl(key)]);
        const report = text === null ? undefined : decodeNodeReport(text);
        if (text === null) await this.#redis.main.zrem(this.#keys.nodes, node);
        return report && { ...report, run: report.run, node, ageMs: Math.max(0, NODE_MS - leftMs) };
      }),
    );
    return reports.filter((node) => node !== undefined);
  }

  cancel(run: string): Promise<boolean> {
    return this.#redis.inTime(this.#cancel(run));
  }

  async #cancel(run: string): Promise<boolean> {
    const found = await this.run(run);
    if (!found || found.state === "ended") return false;
    const key = this.#keys.run(run);
    // Without a coordinator nobody ends the run but we. What nodes send is kept for the next run of the command.
    if (found.state !== "orphaned") await this.#redis.main.hset(key, { cancel: 1 });
    else await this.#redis.main.hset(key, { state: "left", report: JSON.stringify(cancelled(found.report)) });
    await this.#redis.main.xadd(this.#keys.events, "MAXLEN", "~", MAX_EVENTS, "*", "run", run);
    return true;
  }

  async openBoard(options: BoardOptions): Promise<FleetBoard> {
    return (await import("./board.js")).openBoard(this.#redis, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#redis[Symbol.asyncDispose]();
  }
}
