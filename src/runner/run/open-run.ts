import { openDisposalStack } from "../../base/disposal-stack.js";
import { KagurazakaError, toErrorRecord } from "../../base/errors.js";
import { settles } from "../../base/settles.js";
import { isFleetBackbone } from "../../contracts/backbone.js";
import type { RunHooks } from "../../contracts/run-hooks.js";
import { HeartbeatThread, watchHolders } from "../lease/index.js";
import type { LedgerHeader } from "../ledger/index.js";
import type { PreparedRun } from "../prepare/prepared-run.js";
import { RunCounters } from "../record/run-counters.js";
import { partitionOf } from "../record/run-record.js";
import { openFleetExecution } from "./fleet-execution.js";
import { openLocalExecution } from "./local-execution.js";
import { limitOf } from "./open-plan.js";
import { Run } from "./run.js";
import { openCheckpoints } from "./run-checkpoints.js";
import { createRunId } from "./run-id.js";
import { RunLog } from "./run-log.js";
import { type HeldShard, holdShard, Shard } from "./shard.js";

async function begin({ instance, program, sourcePath }: PreparedRun): Promise<void> {
  const name = `begin() of ${program.ref.id}`;
  try {
    await settles(name, instance.begin?.(), sourcePath);
  } catch (cause) {
    if (KagurazakaError.is(cause)) throw cause;
    throw new KagurazakaError("internal", `${name} failed: ${toErrorRecord(cause).message}`, { cause });
  }
}

/**
 * Opens a run and starts it: first the lease of every shard (so that no other run works there), then the execution, then of
 * every shard history, ledger, staging and plan. Closed in the reverse order. Rejects when the run cannot begin; no item was
 * processed then.
 */
export async function startRun(prepared: PreparedRun, hooks: RunHooks = {}): Promise<Run> {
  // Callers of `startRun` have handled dry runs already; a caller that has not must not run an item.
  if (prepared.config.run.dryRun) throw new KagurazakaError("internal", "a dry run was started as a run");
  const stack = openDisposalStack();
  try {
    const id = createRunId();
    const onWarning = (message: string): void => hooks.onWarning?.(message);
    // One heartbeat thread serves all leases.
    const beats = stack.use(new HeartbeatThread());
    const leaseDirs = prepared.shards.map(({ leaseDir }) => leaseDir);
    const dead = await watchHolders(leaseDirs, partitionOf(prepared.program, prepared.config.run), {
      onWait: onWarning,
    });
    const held: HeldShard[] = [];
    for (const number of prepared.shards.keys()) {
      const shard = await holdShard(prepared, number, { run: id, beats, onWait: onWarning, dead });
      stack.use(shard.lease);
      held.push(shard);
    }
    const { backbone } = prepared;
    const request = { prepared, held, run: id, wantValues: hooks.onOutcome !== undefined, stack, onWarning };
    const shards: Shard[] = [];
    const headers = (): LedgerHeader[] => shards.map(({ history }) => history.headerOf(id));
    const opened = isFleetBackbone(backbone)
      ? await openFleetExecution({ ...request, headers }, backbone)
      : await openLocalExecution(request, backbone);
    const counters = new RunCounters();
    const limit = limitOf(prepared.config.run);
    // A shard calls `stop` only once the run has been started.
    let run: Run | undefined;
    for (const one of held) {
      const stop: Parameters<typeof Shard.open>[0]["stop"] = (...args) => run!.stopShard(...args);
      shards.push(await Shard.open({ prepared, held: one, run: id, stack, hooks, counters, limit, stop }));
    }
    const log = stack.use(new RunLog(`${shards[0]!.runDir}/log.jsonl`, id));
    const checkpoints = prepared.config.run.durable ? undefined : stack.use(openCheckpoints(shards, log));
    await begin(prepared);
    run = new Run({ id, prepared, hooks, stack, shards, counters, log, checkpoints, ...opened });
    run.start();
    return run;
  } catch (error) {
    await stack.close();
    throw error;
  }
}
