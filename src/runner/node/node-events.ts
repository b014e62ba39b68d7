import { toErrorRecord } from "../../base/errors.js";
import type { Chunk, PendingItem } from "../../contracts/chunk.js";
import type { ExecutionEvents } from "../../contracts/execution.js";
import type { NodeJob, NodeOutcome } from "../../contracts/fleet.js";
import { decodeChunk } from "../plan/chunk-message.js";

/** Which item of which message of the queue. */
interface MessageItem {
  readonly chunk: number;
  readonly index: number;
}

interface Gathered {
  readonly plain: number[];
  readonly rest: NodeOutcome[];
  readonly givenBack: number[];
}

/**
 * Between a queue and the local execution of a node: chunks are decoded on their way in; outcomes are gathered by chunk and
 * sent when a message of a worker is through. Cancelled items are given back: another node may do them.
 */
export function createNodeEvents(job: NodeJob): { chunks: AsyncIterator<Chunk>; events: ExecutionEvents } {
  const itemOf = new WeakMap<PendingItem, MessageItem>();
  let gathered = new Map<number, Gathered>();
  const gather = (chunk: number): Gathered => {
    const found = gathered.get(chunk) ?? { plain: [], rest: [], givenBack: [] };
    gathered.set(chunk, found);
    return found;
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
      gather(at.chunk).plain.push(at.index, durationMs);
    },
    onSettled(item, settled) {
      const { chunk, index } = itemOf.get(item)!;
      if (settled.status === "cancelled") gather(chunk).givenBack.push(index);
      else gather(chunk).rest.push({ ...settled, index, attempt: item.attempt });
    },
    onMessageDone(onRecorded) {
      const all = gathered;
      gathered = new Map();
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
