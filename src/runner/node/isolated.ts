import type { WorkerBackbone, WorkersRequest } from "../../contracts/backbone.js";
import type { Chunk } from "../../contracts/chunk.js";
import type { NodeJob } from "../../contracts/fleet.js";
import { Dispatcher } from "../dispatch/dispatcher.js";
import type { DispatcherOptions } from "../dispatch/ports.js";
import type { QueueChunk } from "../plan/chunk-message.js";
import { ItemChunk } from "../plan/item-chunk.js";
import type { NodeEvents } from "./node-events.js";

interface IsolatedRequest {
  readonly job: NodeJob;
  readonly events: NodeEvents;
  readonly backbone: WorkerBackbone;
  readonly workers: WorkersRequest;
  readonly common: Omit<DispatcherOptions, "session" | "shapes" | "namePrefix">;
  /** Those that a drain reaches. */
  readonly executions: Set<Dispatcher>;
  /** The node begins no more items. */
  isDraining(): boolean;
  readonly name: string;
}

/**
 * Runs the items of a lost node one by one, in a process of their own (where the backbone offers that), while the node runs
 * nothing else. The queue is told of each before it begins, and has its outcome before the next one begins: if this node is lost
 * as well, it is known which item did it.
 */
export async function runIsolated(chunk: QueueChunk, request: IsolatedRequest): Promise<void> {
  const { job, events, backbone, workers, common, executions, name } = request;
  await events.openAtMost(chunk.count);
  const items = Array.from({ length: chunk.count }, (_, index) => chunk.itemAt(index));
  const options = backbone.isolated?.(workers.options) ?? workers.options;
  const session = await backbone.openWorkers({ ...workers, options, workers: 1 });
  const shape = { slots: 1, queue: 0 };
  let isOver = false;
  async function* one(): AsyncGenerator<Chunk> {
    for (const item of items) {
      if (isOver) return;
      await job.beginAlone(item.chunk, item.index);
      const before = events.open;
      yield new ItemChunk([item]);
      await events.openAtMost(before - 1);
      await events.whenSent;
    }
  }
  const execution = new Dispatcher({
    ...common,
    session: () => session,
    shapes: [shape],
    namePrefix: `${name}-alone-`,
  });
  executions.add(execution);
  try {
    if (!request.isDraining()) await execution.run(one(), events);
  } finally {
    isOver = true;
    executions.delete(execution);
    await session[Symbol.asyncDispose]();
    // A drain has left them unbegun.
    for (const item of items) events.giveBack(item);
    events.onMessageDone();
  }
}
