import { toErrorRecord } from "../../base/errors.js";
import type { Chunk, PendingItem } from "../../contracts/chunk.js";
import type { ExecutionEvents } from "../../contracts/execution.js";
import type { NodeJob, NodeOutcome } from "../../contracts/fleet.js";
import { decodeChunk } from "../plan/chunk-message.js";

/** An item as the queue names it: by its chunk and its index there. */
interface QueueItem {
  readonly chunk: number;
  readonly index: number;
}

interface ChunkOutcomes {
  readonly plain: number[];
  readonly rest: NodeOutcome[];
  readonly givenBack: number[];
}

/**
 * Connects a queue with the local execution of a node: decodes chunks, collects outcomes by chunk, and sends them at the end
 * of each message from a worker. Cancelled items are given back, for another node.
 */
export function createNodeEvents(job: NodeJob): { chunks: AsyncIterator<Chunk>; events: ExecutionEvents } {
  const itemOf = new WeakMap<PendingItem, QueueItem>();
  let collected = new Map<number, ChunkOutcomes>();
  const outcomesOf = (chunk: number): ChunkOutcomes => {
    const outcomes = collected.get(chunk) ?? { plain: [], rest: [], givenBack: [] };
    collected.set(chunk, outcomes);
    return outcomes;
  };
  async function* decoded(): AsyncGenerator<Chunk> {
    for (let next = await job.chunks.next(); !next.done; next = await job.chunks.next()) {
      const { id, indices, chunk } = decodeChunk(next.value);
      for (const [i, index] of indices.entries()) itemOf.set(chunk.itemAt(i), { chunk: id, index });
      yield chunk;
    }
  }
  const events: ExecutionEvents = {
    onDone(chunk, index, durationMs) {
      const item = chunk.itemAt(index);
      if (item.attempt > 1) return events.onSettled(item, { status: "done", durationMs });
      const at = itemOf.get(item)!;
      outcomesOf(at.chunk).plain.push(at.index, durationMs);
    },
    onSettled(item, settled) {
      const { chunk, index } = itemOf.get(item)!;
      if (settled.status === "cancelled") outcomesOf(chunk).givenBack.push(index);
      else outcomesOf(chunk).rest.push({ ...settled, index, attempt: item.attempt });
    },
    onMessageDone(onRecorded) {
      const all = collected;
      collected = new Map();
      for (const [chunk, { plain, rest, givenBack }] of all) {
        if (plain.length + rest.length > 0) job.settle({ chunk, plain, rest });
        if (givenBack.length > 0) job.giveBack(chunk, givenBack);
      }
      onRecorded?.();
    },
    onRetry(item, error, delayMs) {
      job.say({ type: "retry", ...itemOf.get(item)!, attempt: item.attempt, error, delayMs });
    },
    onShardFailed: (shard, cause) => job.say({ type: "shard-failed", shard, error: toErrorRecord(cause) }),
    onMessage: (message) => job.say(message),
    onWarning: (message) => job.say({ type: "warning", message }),
    onRecycled: (worker, why) => job.say({ type: "recycled", worker, why }),
  };
  return { chunks: decoded(), events };
}
