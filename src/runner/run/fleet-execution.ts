import type { FleetBackbone } from "../../contracts/backbone.js";
import type { Fleet, FleetJob, FleetQueue } from "../../contracts/fleet.js";
import type { Json } from "../../contracts/item.js";
import { FleetBookkeeping } from "../dispatch/fleet-bookkeeping.js";
import type { LedgerHeader } from "../ledger/index.js";
import { recordUnrecorded } from "../record/unrecorded.js";
import { type ExecutionRequest, setupOf } from "./local-execution.js";

interface FleetExecutionRequest extends ExecutionRequest {
  /** The ledger header of each shard, once the shards are open. */
  readonly headers: () => readonly LedgerHeader[];
}

/** An execution by the nodes of a fleet. Outcomes that dead coordinators of these shards left in the queue are recorded first. */
export async function openFleetExecution(
  request: FleetExecutionRequest,
  backbone: FleetBackbone,
): Promise<{ execution: Fleet; fleet: Fleet }> {
  const { prepared, held, run, stack, onWarning } = request;
  const { config } = prepared;
  const execution = await backbone.openFleet({
    options: config.backbone.options,
    run,
    rootIds: held.map(({ rootId }) => rootId),
    isDead: (other) => held.some((shard) => shard.isDead(other)),
    job: () => jobOf(request),
    onWarning,
    createExecution: (queue: FleetQueue) => new FleetBookkeeping(queue, config.run),
  });
  stack.use(execution);
  const shards = held.map(({ rootId, paths, lease }) => ({ rootId, ledgerDir: paths.ledgerDir, lease }));
  const recorded = await recordUnrecorded(execution.unrecorded(), { shards, run, durable: config.run.durable });
  if (recorded > 0) onWarning(`recorded ${recorded} outcomes of earlier runs whose coordinator had crashed`);
  return { execution, fleet: execution };
}

function jobOf(request: FleetExecutionRequest): FleetJob {
  const { concurrency, chunksize, retries, backoff, timeout, grace } = request.prepared.config.run;
  const { task, owner: _, ...setup } = setupOf(request);
  const { source, id, kind, moduleHash } = task;
  const { baseId, fileHashes: files, config } = request.prepared;
  const headers = request.headers();
  return {
    ...setup,
    task: { source, id, baseId, kind, moduleHash, files, config: config.written() },
    shards: request.held.map(({ rootId }, i) => ({
      ...setup.shards[i]!,
      rootId,
      record: headers[i] as unknown as Json,
    })),
    settings: { concurrency, chunksize, retries, backoff, timeout, grace },
  };
}
