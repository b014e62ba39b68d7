import { rmdirSync } from "node:fs";
import { openDisposalStack } from "../../base/disposal-stack.js";
import { KagurazakaError } from "../../base/errors.js";
import { Guardian } from "../../base/guardian.js";
import { isFleetBackbone, type WarmWorkers } from "../../contracts/backbone.js";
import type { Chunk } from "../../contracts/chunk.js";
import type { NodeJob } from "../../contracts/fleet.js";
import type { RunningItem } from "../../contracts/fleet-control.js";
import { Dispatcher } from "../dispatch/dispatcher.js";
import { shapesOf } from "../program/executor-shape.js";
import { WORKER_ENTRY } from "../worker/entry.js";
import { checkCode, checkSite, siteOf } from "./check-job.js";
import { runIsolated } from "./isolated.js";
import { NodeEvents } from "./node-events.js";
import { refusalOf } from "./refusal.js";
import type { NodeRequest } from "./run-node.js";

const HEARTBEAT_MS = 1000;

/** What a node is doing for a run. */
export interface Serving {
  readonly run: string;
  slots: number;
  inFlight: number;
  settled: number;
  /** The longest running items. */
  running: () => readonly RunningItem[];
}

/** Runs a local execution over workers of this machine, fed by the queue, to the end of the run or until the node leaves. */
export async function serve(
  job: NodeJob,
  request: NodeRequest,
  serving: Serving,
  warm: WarmWorkers | undefined,
): Promise<void> {
  const { name, signal, onWarning } = request;
  if (!request.allowCodeDrift) checkCode(job.job.task, request.task);
  const prepared = await request.prepare(job.job);
  const { backbone, program, config } = prepared;
  if (isFleetBackbone(backbone)) throw new KagurazakaError("backbone", "a node needs a worker backbone of its own");
  const { run, settings, shards, task: _, ...rest } = job.job;
  const made = await checkSite(job.job, prepared);
  // Another node of the run may be on this machine: its processes must not end with ours.
  const owner = `${run}@${name}`;
  const setup = { ...rest, task: program.ref, run, owner, shards };
  const site = siteOf(prepared);
  const stack = openDisposalStack();
  try {
    const guard = stack.use(new Guardian(owner, (message) => onWarning?.(message)));
    const { options } = config.backbone;
    const shapes = shapesOf(setup.task.kind, settings, backbone.size(options).workers);
    const workers = { options, workers: shapes.length, entry: WORKER_ENTRY, run, owner, guard };
    const session = stack.use(await backbone.openWorkers({ ...workers, warm }));
    const common = {
      setup,
      site,
      killable: backbone.killable,
      settings: { ...settings, rate: undefined, stall: undefined },
      permanentErrors: program.taskClass.permanentErrors ?? [],
      lookaheadItems: 0,
    };
    const execution = new Dispatcher({ ...common, session: () => session, shapes, namePrefix: `${name}-` });
    const executions = new Set([execution]);
    let isDraining = false;
    const drain = (graceMs: number, shard?: number): void => {
      isDraining ||= shard === undefined;
      for (const one of executions) {
        if (shard === undefined) one.drain(graceMs);
        else one.stopShard(shard);
      }
    };
    job.onDrain(drain);
    const leave = (): void => drain(settings.grace);
    signal?.addEventListener("abort", leave, { once: true });
    stack.defer(() => signal?.removeEventListener("abort", leave));
    if (signal?.aborted) leave();
    const events = new NodeEvents(job);
    const beat = (): void => {
      const snapshot = execution.snapshot();
      Object.assign(serving, { inFlight: events.open, settled: events.settled });
      job.say({ type: "heartbeat", node: name, snapshot, quietMs: execution.quietMs });
    };
    serving.slots = shapes.reduce((sum, { slots }) => sum + slots, 0);
    serving.running = () => {
      const { oldest } = execution.snapshot();
      return oldest ? [{ ...oldest, node: name }] : [];
    };
    beat();
    const heartbeat = setInterval(beat, HEARTBEAT_MS);
    stack.defer(() => clearInterval(heartbeat));
    const alone = { job, events, backbone, workers, common, executions, name, isDraining: () => isDraining };
    let isolated: Promise<void> | undefined;
    async function* chunks(): AsyncGenerator<Chunk> {
      for (let next = await job.chunks.next(); !next.done; next = await job.chunks.next()) {
        const chunk = events.decode(next.value);
        if (!next.value.isolated) {
          yield chunk;
          continue;
        }
        isolated = runIsolated(chunk, alone);
        await isolated;
      }
    }
    const cause = await execution.run(chunks(), events);
    await isolated;
    Object.assign(serving, { settled: events.settled });
    events.flush();
    // The run was over when this node came, and its coordinator removes nothing any more.
    if (events.settled === 0) for (const dir of made) removeIfEmpty(dir);
    await job.leave(cause && refusalOf(cause, job.job));
  } finally {
    await stack.close();
  }
}

function removeIfEmpty(dir: string): void {
  try {
    rmdirSync(dir);
  } catch {
    // It is in use, or gone.
  }
}
