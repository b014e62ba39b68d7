import type { DisposalStack } from "../../base/disposal-stack.js";
import { Guardian } from "../../base/guardian.js";
import type { WorkerBackbone } from "../../contracts/backbone.js";
import type { WorkerSetup } from "../../contracts/wire.js";
import { Dispatcher } from "../dispatch/dispatcher.js";
import type { PreparedRun } from "../prepare/prepared-run.js";
import { WORKER_ENTRY } from "../worker/entry.js";
import { InFlightJournal } from "./crash-recovery/in-flight-journal.js";
import { type IsolatedSession, openIsolatedSession } from "./crash-recovery/isolated-session.js";
import type { HeldShard } from "./shard.js";
import { targetOf } from "./staging.js";

export interface ExecutionRequest {
  readonly prepared: PreparedRun;
  readonly held: readonly HeldShard[];
  readonly run: string;
  /** Workers send back the values that `process` returns. */
  readonly wantValues: boolean;
  readonly stack: DisposalStack;
  readonly onWarning: (message: string) => void;
}

/** The part of the setup that all workers of a run share, on all machines. */
export function setupOf({
  prepared,
  held,
  run,
  wantValues,
}: ExecutionRequest): Omit<WorkerSetup, "worker" | "shape" | "timeoutMs"> {
  const { program, config } = prepared;
  const { seed, durable } = config.run;
  const shards = held.map(({ paths }) => targetOf(paths, run));
  return { task: program.ref, run, owner: run, shards, seed, durable, atomic: program.atomic, wantValues };
}

/** A dispatcher over workers of this machine. The workers start now, while the rest of the run is being opened. */
export async function openLocalExecution(
  request: ExecutionRequest,
  backbone: WorkerBackbone,
): Promise<{ execution: Dispatcher; isolation: IsolatedSession }> {
  const { prepared, held, run, stack, onWarning } = request;
  const { program, config, shapes } = prepared;
  const guard = stack.use(new Guardian(run, onWarning));
  const workersRequest = {
    options: config.backbone.options,
    workers: shapes.length,
    entry: WORKER_ENTRY,
    run,
    owner: run,
    guard,
  };
  const isolation = await openIsolatedSession({ ...workersRequest, backbone, stack, suspects: held });
  // The journal is needed only where a crash of a worker can end the whole process.
  const journals = isolation.canCrashCoordinator
    ? held.map(({ paths }) => stack.use(new InFlightJournal(paths.inFlightDir, run)))
    : [];
  const execution = new Dispatcher({
    session: () => isolation.session,
    setup: setupOf(request),
    shapes,
    site: {
      taskUrl: program.url,
      moduleUrl: program.moduleUrl,
      shards: held.map(({ paths: { base } }, i) => ({ root: program.roots[i], base })),
    },
    killable: backbone.killable,
    settings: config.run,
    permanentErrors: program.taskClass.permanentErrors ?? [],
    inFlight: {
      sending: (worker, shard, keys) => journals[shard]?.sending(worker, keys),
      gone: (worker) => {
        for (const journal of journals) journal.gone(worker);
      },
    },
  });
  void isolation.whenOver.then(({ failure }) => {
    if (failure === undefined) execution.renewWorkers();
    else onWarning(`each worker stays in a process of its own to the end of the run: ${failure}`);
  });
  return { execution, isolation };
}
