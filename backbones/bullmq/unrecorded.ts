import { setTimeout as sleep } from "node:timers/promises";
import type { ChunkMessage, FleetJob, FleetRequest, UnrecordedOutcomes } from "../../src/kit.js";
import { ChunkQueue } from "./chunk-queue.js";
import { KEEP_MS, keysOf, MAX_EVENTS } from "./keys.js";
import type { RedisConnections } from "./redis.js";
import { decodeChunk, decodeFromNode, decodeJob } from "./wire.js";

/** Nodes may finish what they have begun, however long it takes. */
const GRACE_MS = 2 ** 31 - 1;
const LOOK_MS = 200;
const SAY_MS = 10_000;

/**
 * What nodes have sent to runs whose coordinators are dead. Such a run is drained first: what waits in its queue is removed (it
 * is planned again), and what nodes have begun is awaited.
 */
export async function* unrecordedOutcomes(
  redis: RedisConnections,
  request: FleetRequest,
): AsyncGenerator<UnrecordedOutcomes> {
  const keys = keysOf(redis.prefix);
  const runs = await redis.main.smembers(keys.open);
  for (const run of runs.sort()) {
    if (run === request.run || !request.isDead(run)) continue;
    const [text] = await redis.main.hmget(keys.run(run), "job");
    if (text === null) await sweepForgotten(redis, run);
    const job = text ? decodeJob(text) : undefined;
    if (!job?.shards.some(({ rootId }) => request.rootIds.includes(rootId))) continue;
    yield* ofRun(redis, request, job);
  }
}

/** Nobody has taken the run over before its record was forgotten: what lives for ever goes as well. */
async function sweepForgotten(redis: RedisConnections, run: string): Promise<void> {
  const keys = keysOf(redis.prefix);
  const startedAt = await redis.main.zscore(keys.runs, run);
  if (startedAt !== null && (await redis.nowMs()) - Number(startedAt) < KEEP_MS) return;
  const queue = new ChunkQueue(redis, run, { trouble() {}, fatal() {} });
  try {
    await queue.obliterate();
    await redis.main.pipeline().del(keys.chunks(run)).srem(keys.open, run).exec();
  } finally {
    await queue.close();
  }
}

async function* ofRun(
  redis: RedisConnections,
  request: FleetRequest,
  job: FleetJob,
): AsyncGenerator<UnrecordedOutcomes> {
  const { run } = job;
  const keys = keysOf(redis.prefix);
  const queue = new ChunkQueue(redis, run, { trouble() {}, fatal() {} });
  const isOurs = job.shards.map(({ rootId }) => request.rootIds.includes(rootId));
  const chunks = new Map<number, ChunkMessage | undefined>();
  const done: string[] = [];
  try {
    await redis.main.hset(keys.run(run), { state: "draining", graceMs: GRACE_MS });
    await redis.main.xadd(keys.events, "MAXLEN", "~", MAX_EVENTS, "*", "run", run);
    let position = "-";
    let saidAtMs = performance.now();
    for (let isLast = false; ; ) {
      await queue.takeWaiting();
      const { active, waiting } = await queue.counts();
      const entries = (await redis.main.xrange(keys.outcomes(run), position, "+", "COUNT", 1000)) as [
        string,
        string[],
      ][];
      for (const [id, fields] of entries) {
        position = `(${id}`;
        const message = decodeFromNode(fields[1] ?? "");
        if (message?.kind !== "outcomes") continue;
        const { outcomes } = message;
        if (!chunks.has(outcomes.chunk)) chunks.set(outcomes.chunk, await chunkOf(redis, run, outcomes.chunk));
        const chunk = chunks.get(outcomes.chunk);
        const shard = chunk && job.shards[chunk.shard];
        if (chunk && shard && isOurs[chunk.shard]) yield { shard, chunk, outcomes, recorded: () => void done.push(id) };
      }
      if (entries.length > 0) continue;
      if (isLast) break;
      // The last outcomes are sent before the chunk is completed.
      isLast = active + waiting === 0;
      if (isLast) continue;
      if (performance.now() - saidAtMs > SAY_MS) {
        saidAtMs = performance.now();
        request.onWarning(
          `waiting for ${active} chunks that nodes still have from run ${run}, whose coordinator is gone`,
        );
      }
      await sleep(LOOK_MS);
    }
    if (isOurs.every(Boolean)) await forget(redis, job, queue, request.run);
    else if (done.length > 0) await redis.main.xdel(keys.outcomes(run), ...done);
  } finally {
    await queue.close();
  }
}

async function forget(
  redis: RedisConnections,
  { run }: FleetJob,
  queue: ChunkQueue,
  takenOverBy: string,
): Promise<void> {
  const keys = keysOf(redis.prefix);
  await redis.main.hset(keys.run(run), { state: "over", takenOverBy });
  await queue.obliterate();
  await redis.main
    .pipeline()
    .del(keys.outcomes(run), keys.messages(run), keys.chunks(run))
    .srem(keys.open, run)
    .hdel(keys.run(run), "job")
    .xadd(keys.events, "MAXLEN", "~", MAX_EVENTS, "*", "run", run)
    .exec();
}

async function chunkOf(redis: RedisConnections, run: string, chunk: number): Promise<ChunkMessage | undefined> {
  const bytes = await redis.main.hgetBuffer(keysOf(redis.prefix).chunks(run), String(chunk));
  try {
    return bytes ? decodeChunk(bytes) : undefined;
  } catch {
    return undefined;
  }
}
