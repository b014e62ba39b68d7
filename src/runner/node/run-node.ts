import { hostname } from "node:os";
import { toErrorRecord } from "../../base/errors.js";
import { RecentRate } from "../../base/recent-rate.js";
import type { FleetBackbone, WarmWorkers } from "../../contracts/backbone.js";
import type { FleetJob } from "../../contracts/fleet.js";
import type { NodeReport } from "../../contracts/fleet-control.js";
import type { BackboneOptions } from "../../contracts/run-config.js";
import type { PreparedRun } from "../prepare/prepared-run.js";
import { WORKER_ENTRY } from "../worker/entry.js";
import type { NodeTask } from "./check-job.js";
import { refusalOf } from "./refusal.js";
import { type Serving, serve } from "./serve.js";

export interface NodeRequest {
  /** The task as this node has it. */
  readonly task: NodeTask;
  /** The node works for runs with other code as well. */
  readonly allowCodeDrift?: boolean;
  /** The task with a run's options, and with this node's roots and worker backbone. Rejects where the node cannot work for it. */
  prepare(job: FleetJob): Promise<PreparedRun>;
  readonly fleet: FleetBackbone;
  readonly fleetOptions: BackboneOptions;
  /** The node's name, unique in the fleet. */
  readonly name: string;
  /** Of kagurazaka. */
  readonly version: string;
  /** Starts workers for the next run. Left out: they start with it. */
  warmUp?(entry: string): Promise<WarmWorkers | undefined>;
  /** Name and width of the worker backbone, for reports. */
  readonly backbone: string;
  readonly slots: number;
  /** Aborting it lets running items settle for at most the run's `grace`; the rest goes to other nodes. */
  readonly signal?: AbortSignal;
  /** The node leaves after one run. */
  readonly once?: boolean;
  /** The node leaves when it has been without a run for so long. */
  readonly idleExitMs?: number | undefined;
  readonly onWarning?: (message: string) => void;
  /** The node is connected, and about to look for runs. */
  readonly onReady?: () => void;
  /** A run begins (its id), or ends (undefined). */
  readonly onRun?: (run: string | undefined, node: NodeReport) => void;
}

/** Serves the runs of one task, one after another, until the signal aborts. Rejects where the node cannot work at all. */
export async function runNode(request: NodeRequest): Promise<void> {
  const { fleet, fleetOptions: options, name, task, signal, onRun } = request;
  const onWarning = request.onWarning ?? (() => {});
  const startedAt = new Date().toISOString();
  let serving: Serving | undefined;
  let settledBefore = 0;
  const rate = new RecentRate();
  const describe = (): NodeReport => {
    const settled = settledBefore + (serving?.settled ?? 0);
    return {
      host: hostname(),
      pid: process.pid,
      version: request.version,
      task: task.id,
      moduleHash: task.moduleHash,
      startedAt,
      backbone: request.backbone,
      slots: serving?.slots ?? request.slots,
      run: serving?.run,
      inFlight: serving?.inFlight ?? 0,
      running: serving?.running() ?? [],
      settled,
      itemsPerSecond: rate.at(settled, performance.now()),
      rssBytes: process.memoryUsage.rss(),
      leaving: signal?.aborted === true,
    };
  };
  await using link = await fleet.openNode({ options, node: name, taskId: task.id, describe, onWarning });
  let idle: NodeJS.Timeout | undefined;
  // During a run, `serve` leaves: the outcomes of running items have to be sent first.
  const leave = (): void => void (serving || link[Symbol.asyncDispose]());
  const whenIdle = (): void => {
    if (request.idleExitMs !== undefined) idle = setTimeout(leave, request.idleExitMs);
  };
  signal?.addEventListener("abort", leave, { once: true });
  if (signal?.aborted) return;
  request.onReady?.();
  whenIdle();
  // Where this fails, the run's own workers fail as well, and say why.
  const warmUp = async (): Promise<WarmWorkers | undefined> => request.warmUp?.(WORKER_ENTRY).catch(() => undefined);
  let warm = warmUp();
  try {
    for await (const job of link.jobs()) {
      clearTimeout(idle);
      const ready: Serving = { run: job.job.run, slots: request.slots, inFlight: 0, settled: 0, running: () => [] };
      serving = ready;
      onRun?.(job.job.run, describe());
      try {
        await serve(job, request, ready, await warm);
      } catch (error) {
        const record = toErrorRecord(error);
        onWarning(`run ${job.job.run}: ${record.message}${record.hint === undefined ? "" : `. ${record.hint}`}`);
        await job.leave(refusalOf(error, job.job));
      }
      settledBefore += ready.settled;
      serving = undefined;
      onRun?.(undefined, describe());
      if (signal?.aborted || request.once) return;
      // Those of another shape than the run's were not used.
      await (await warm)?.[Symbol.asyncDispose]();
      warm = warmUp();
      whenIdle();
    }
  } finally {
    await (await warm)?.[Symbol.asyncDispose]();
  }
}
