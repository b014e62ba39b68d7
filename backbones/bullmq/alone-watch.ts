import type { FleetJob, FleetRequest } from "../../src/kit.js";
import { keysOf } from "./keys.js";
import type { RedisConnections } from "./redis.js";
import { decodeNodeReport } from "./wire.js";

const START_ONE = "Start one: kagurazaka worker TASK_FILE TASK --redis URL, or give --with_worker";
const SAY_EVERY_MS = 10_000;

/** Says why no node works for the run, and what to do, as long as that lasts. */
export class AloneWatch {
  readonly #redis: RedisConnections;
  readonly #request: FleetRequest;
  #sinceMs = performance.now();

  constructor(redis: RedisConnections, request: FleetRequest) {
    this.#redis = redis;
    this.#request = request;
  }

  /** @param isAlone items wait, and no node has been heard of */
  check(isAlone: boolean, nowMs: number): void {
    if (isAlone && nowMs - this.#sinceMs <= SAY_EVERY_MS) return;
    this.#sinceMs = nowMs;
    if (isAlone) void whyAlone(this.#redis, this.#request.job()).then(this.#request.onWarning, () => {});
  }
}

/** Why no node works for the run, and what to do. */
async function whyAlone(redis: RedisConnections, { run, task }: FleetJob): Promise<string> {
  const keys = keysOf(redis.prefix);
  const names = await redis.main.zrange(keys.nodes, 0, -1);
  const texts = names.length === 0 ? [] : await redis.main.mget(...names.map((name) => keys.node(name)));
  const nodes = texts.flatMap((text) => (text === null ? [] : (decodeNodeReport(text) ?? [])));
  const ours = nodes.filter((node) => node.task === task.baseId);
  const busy = ours.filter((node) => node.run !== undefined && node.run !== run);
  if (busy.length > 0)
    return `${busy.length} ${busy.length === 1 ? "node works" : "nodes work"} for run ${busy[0]!.run} of this task: a node does one run at a time, the oldest first. ${START_ONE}`;
  if (ours.length > 0) return `no node works for this run yet; ${ours.length} of ${task.baseId} are connected`;
  if (nodes.length > 0) return `no node of ${task.baseId} is there; ${nodes.length} of other tasks are. ${START_ONE}`;
  return `no node is there. ${START_ONE}`;
}
