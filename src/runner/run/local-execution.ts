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
  /** The values that `process` returns are wanted. */
  readonly wantValues: boolean;
  readonly stack: DisposalStack;
  readonly onWarning: (message: string) => void;
}

/** What every worker of a run is told, wherever it is. */
export function setupOf({ prepared, held, run, wantValues }: ExecutionRequest): Omit<WorkerSetup, "worker" | "shape"> {
  const { program, config } = prepared;
  const { seed, durable } = config.run;
  const shards = held.map(({ paths }) => targetOf(paths, run));
  return { task: program.ref, run, shards, seed, durable, atomic: program.atomic, wantValues };
}

/** A dispatcher over workers of this machine; they start now, while the run is being opened. */
export async function openLocalExecution(
  request: ExecutionRequest,
  backbone: WorkerBackbone,
): Promise<{ execution: Dispatcher; isolation: IsolatedSession }> {
  const { prepared, held, run, stack, onWarning } = request;
  const { program, config, workers } = prepared;
  const guard = stack.use(new Guardian(run, onWarning));
  const { options } = config.backbone;
  const isolation = await openIsolatedSession({
    backbone,
    options,
    workers,
    entry: WORKER_ENTRY,
    run,
    guard,
    stack,
    suspects: held,
  });
  // Only where a crash of a worker can take the whole process along is it worth noting what is in flight.
  const journals = isolation.canCrashCoordinator
    ? held.map(({ paths }) => stack.use(new InFlightJournal(paths.inFlightDir, run)))
    : [];
  const execution = new Dispatcher({
    session: () => isolation.session,
    setup: { ...setupOf(request), shape: { slots: config.run.concurrency, queue: 0 } },
    site: { taskUrl: program.url, shards: held.map(({ paths: { base } }, i) => ({ root: program.roots[i], base })) },
    workers,
    killable: backbone.killable,
    settings: config.run,
    permanentErrors: program.taskClass.permanentErrors ?? [],
    inFlight: {
      sent: (worker, shard, keys) => journals[shard]?.sent(worker, keys),
      gone: (worker) => {
        for (const journal of journals) journal.gone(worker);
      },
    },
  });
  void isolation.whenOver.then(({ failure }) => {
    if (failure === undefined) execution.renewWorkers();
    else onWarning(`the run goes on with each worker in a process of its own: ${failure}`);
  });
  return { execution, isolation };
}
