import { existsSync } from "node:fs";
import { join } from "node:path";
import { openDisposalStack } from "../../base/disposal-stack.js";
import { KagurazakaError, toErrorRecord } from "../../base/errors.js";
import { Guardian } from "../../base/guardian.js";
import { makeOwnDirectory } from "../../base/make-directory.js";
import { readOwn } from "../../base/own-file.js";
import { type FleetBackbone, isFleetBackbone } from "../../contracts/backbone.js";
import type { FleetJob, NodeJob } from "../../contracts/fleet.js";
import type { BackboneOptions } from "../../contracts/run-config.js";
import type { WorkerSite } from "../../contracts/wire.js";
import { Dispatcher } from "../dispatch/dispatcher.js";
import type { PreparedRun } from "../prepare/prepared-run.js";
import { shapesOf } from "../program/executor-shape.js";
import { WORKER_ENTRY } from "../worker/entry.js";
import { createNodeEvents } from "./node-events.js";

const HEARTBEAT_MS = 1000;

interface NodeRequest {
  /** The task as this node has it: its file, its roots, its worker backbone. */
  readonly prepared: PreparedRun;
  readonly fleet: FleetBackbone;
  readonly fleetOptions: BackboneOptions;
  /** The node's name, unique in the fleet. */
  readonly name: string;
  /** Aborting it lets running items settle for at most the run's `grace`; the rest goes to other nodes. */
  readonly signal?: AbortSignal;
  readonly onWarning?: (message: string) => void;
}

/** Serves the runs of one task, one after another, until the signal aborts. Rejects where the node cannot work at all. */
export async function runNode(request: NodeRequest): Promise<void> {
  const { prepared, fleet, fleetOptions: options, name, signal } = request;
  await using link = await fleet.openNode({ options, node: name, taskId: prepared.program.ref.id });
  let isServing = false;
  // During a run, `serve` leaves: the outcomes of running items have to be sent first.
  const leave = (): void => void (isServing || link[Symbol.asyncDispose]());
  signal?.addEventListener("abort", leave, { once: true });
  for await (const job of link.jobs()) {
    isServing = true;
    try {
      await serve(job, request);
    } catch (error) {
      request.onWarning?.(`run ${job.job.run}: ${toErrorRecord(error).message}`);
      await job.leave(toErrorRecord(error));
    }
    isServing = false;
    if (signal?.aborted) return;
  }
}

/** Runs a local execution over workers of this machine, fed by the queue. */
async function serve(job: NodeJob, request: NodeRequest): Promise<void> {
  const { prepared, name, signal, onWarning } = request;
  const { backbone, program, config } = prepared;
  if (isFleetBackbone(backbone)) throw new KagurazakaError("backbone", "a node needs a worker backbone of its own");
  const { run, settings, shards, ...setup } = job.job;
  checkCode(job.job, prepared);
  const site = siteOf(job.job, prepared);
  for (const [i, { base }] of site.shards.entries())
    if (existsSync(base)) makeOwnDirectory(join(base, shards[i]!.staging));
  const stack = openDisposalStack();
  try {
    const guard = stack.use(new Guardian(run, (message) => onWarning?.(message)));
    const { options } = config.backbone;
    const shapes = shapesOf(setup.task.kind, settings, backbone.size(options).workers);
    const session = stack.use(
      await backbone.openWorkers({ options, workers: shapes.length, entry: WORKER_ENTRY, run, guard }),
    );
    const execution = new Dispatcher({
      session: () => session,
      setup: { ...setup, run, shards },
      shapes,
      site,
      namePrefix: `${name}-`,
      killable: backbone.killable,
      settings: { ...settings, rate: undefined, stall: undefined },
      permanentErrors: program.taskClass.permanentErrors ?? [],
      lookaheadItems: 0,
    });
    const drain = (graceMs: number, shard?: number): void =>
      shard === undefined ? execution.drain(graceMs) : execution.stopShard(shard);
    job.onDrain(drain);
    const leave = (): void => drain(settings.grace);
    signal?.addEventListener("abort", leave, { once: true });
    stack.defer(() => signal?.removeEventListener("abort", leave));
    const beat = (): void =>
      job.say({ type: "heartbeat", node: name, snapshot: execution.snapshot(), quietMs: execution.quietMs });
    const heartbeat = setInterval(beat, HEARTBEAT_MS);
    stack.defer(() => clearInterval(heartbeat));
    const { chunks, events } = createNodeEvents(job);
    const cause = await execution.run(chunks, events);
    await job.leave(cause && toErrorRecord(cause));
  } finally {
    await stack.close();
  }
}

/** A node must run the code that the coordinator has loaded. */
function checkCode({ task }: FleetJob, { program, sourcePath }: PreparedRun): void {
  if (task.moduleHash === program.ref.moduleHash) return;
  const message = `the code of ${task.id} differs on this node (${sourcePath}) from the coordinator's`;
  const hint = "Bring both to the same version and start the node again.";
  throw new KagurazakaError("task-load", message, { hint });
}

/** The paths on this machine. Mount points may differ from the coordinator's, the directories must be the same. */
function siteOf({ shards }: FleetJob, { program, shards: paths }: PreparedRun): WorkerSite {
  if (shards.length !== paths.length)
    throw new KagurazakaError("input-root", `the run has ${shards.length} shards, this node has ${paths.length}`);
  for (const [i, { rootId }] of shards.entries()) {
    const { stateDir, outputRoot } = paths[i]!;
    const file = join(stateDir, "root-id");
    if (!existsSync(file) || readOwn(file).trim() === rootId) continue;
    const message = `${outputRoot ?? stateDir} on this node is not the directory of the run`;
    const hint = "Mount the coordinator's output root here, and give its path with --out.";
    throw new KagurazakaError("output-root", message, { hint });
  }
  return { taskUrl: program.url, shards: paths.map(({ base }, i) => ({ root: program.roots[i], base })) };
}
