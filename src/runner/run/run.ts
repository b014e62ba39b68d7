import { monotonicMs } from "../../base/clock.js";
import { type DisposalStack, openDisposalStack } from "../../base/disposal-stack.js";
import { type ErrorRecord, KagurazakaError, toErrorRecord } from "../../base/errors.js";
import { Guardian } from "../../base/guardian.js";
import type { PendingItem } from "../../contracts/chunk.js";
import type { RunHooks, RunInfo } from "../../contracts/run-hooks.js";
import type { RunStats } from "../../contracts/task.js";
import { Dispatcher } from "../dispatch/dispatcher.js";
import type { DispatcherEvents } from "../dispatch/ports.js";
import { HeartbeatThread } from "../lease/index.js";
import type { Checkpoints } from "../ledger/checkpoints/checkpoints.js";
import { mergeChunks } from "../plan/merge-chunks.js";
import { inShard, type PreparedRun } from "../prepare/prepared-run.js";
import { RunCounters } from "../record/run-counters.js";
import { statsOf } from "../record/run-stats.js";
import { type CarefulEnd, type IsolatedSession, openIsolatedSession } from "./crash-recovery/isolated-session.js";
import { exitCodeOfRun } from "./exit-code.js";
import { limitOf } from "./open-plan.js";
import { finalCheckpoint, openCheckpoints } from "./run-checkpoints.js";
import { createRunId } from "./run-id.js";
import { RunLog } from "./run-log.js";
import type { RunResult, RunSnapshot } from "./run-result.js";
import { holdShard, Shard } from "./shard.js";

/** A run under way. Made by `startRun`; `result` settles when all is closed. */
export interface Run {
  readonly info: RunInfo;
  readonly result: Promise<RunResult>;
  snapshot(): RunSnapshot;
  /** Lets what runs settle for at most `graceMs` (default `--grace`), starts nothing more. */
  drain(cause?: KagurazakaError, graceMs?: number): void;
  /** Ends now. What was under way is cancelled and run again next time. */
  kill(): void;
  /** Something the task wrote in this thread: goes where prints of workers go. */
  print(key: string | null, text: string): void;
}

/**
 * Opens what a run needs, in this order, and closes it in the reverse one: the lease of every shard (nobody else works
 * there), the backbone, and of every shard what is known and where it goes. Rejects when it cannot begin; nothing was
 * processed then.
 */
export async function startRun(prepared: PreparedRun, hooks: RunHooks = {}): Promise<Run> {
  const scope = openDisposalStack();
  try {
    const id = createRunId();
    // One thread beats for all of them.
    const beats = scope.use(new HeartbeatThread());
    const held = [];
    for (const number of prepared.shards.keys()) {
      const shard = await holdShard(prepared, number, { run: id, beats, onWait: (text) => hooks.onWarning?.(text) });
      scope.use(shard.lease);
      held.push(shard);
    }
    // Workers take their time to start; they do it while the ledger is read.
    const guard = scope.use(new Guardian(id, (message) => hooks.onWarning?.(message)));
    const workforce = await openIsolatedSession({ prepared, held, scope, run: id, guard });
    const tally = new RunCounters();
    const limit = limitOf(prepared.config.run);
    // Shards speak up only when the run is under way.
    let run: OpenRun | undefined;
    const shards: Shard[] = [];
    for (const one of held) {
      const stop = (shard: Shard, cause: KagurazakaError, how: "now" | "drain"): void =>
        run!.shardStops(shard, cause, how);
      shards.push(
        await Shard.open({
          prepared,
          held: one,
          run: id,
          scope,
          hooks,
          tally,
          limit,
          tracksItems: workforce.mayFallWhole,
          stop,
        }),
      );
    }
    const log = scope.use(new RunLog(`${shards[0]!.runDir}/log.jsonl`, id));
    const marks = prepared.config.run.durable ? undefined : scope.use(openCheckpoints(shards, log));
    run = new OpenRun({ id, prepared, hooks, scope, shards, tally, workforce, guard, log, marks });
    return run;
  } catch (error) {
    await scope.close();
    throw error;
  }
}

interface Parts {
  readonly id: string;
  readonly prepared: PreparedRun;
  readonly hooks: RunHooks;
  readonly scope: DisposalStack;
  readonly shards: readonly Shard[];
  readonly tally: RunCounters;
  readonly workforce: IsolatedSession;
  readonly guard: Guardian;
  readonly log: RunLog;
  readonly marks: Checkpoints | undefined;
}

class OpenRun implements Run {
  readonly info: RunInfo;
  readonly result: Promise<RunResult>;
  readonly #parts: Parts;
  readonly #dispatcher: Dispatcher;
  #firstListedMs: number | undefined;
  /** Every outcome is there; what is left is to close. */
  #dispatched = false;

  constructor(parts: Parts) {
    const { prepared, shards, workforce, hooks } = parts;
    const { config, program } = prepared;
    this.#parts = parts;
    this.info = {
      run: parts.id,
      task: program.ref.id,
      backbone: prepared.backbone.name,
      workers: prepared.workers,
      concurrency: config.run.concurrency,
      shards: shards.length,
      inputRoot: program.roots[0]?.inputPath ?? null,
      outputRoot: shards[0]!.paths.outputRoot,
      runDir: shards[0]!.runDir,
    };
    this.#dispatcher = new Dispatcher({
      session: () => workforce.session,
      guard: parts.guard,
      workers: prepared.workers,
      killable: prepared.backbone.killable,
      settings: config.run,
      permanentErrors: program.taskClass.permanentErrors ?? [],
      plan: mergeChunks(shards.map((shard) => this.#sourceOf(shard))),
      setupOf: (workerId) => ({
        task: program.ref,
        run: parts.id,
        workerId,
        concurrency: config.run.concurrency,
        stagingDirs: shards.map(({ staging }) => staging),
        keptRoots: shards.map(({ paths }) => paths.keptRoot),
        seed: config.run.seed,
        durable: config.run.durable,
        atomic: program.atomic,
        wantValues: hooks.onOutcome !== undefined,
      }),
      events: this.#dispatcherEvents(),
    });
    hooks.onStart?.(this.info);
    for (const shard of shards)
      for (const warning of shard.history.warnings) this.#warn(inShard(prepared, shard.number, warning));
    if (workforce.warning !== undefined) this.#warn(workforce.warning);
    void workforce.whenOver.then((end) => this.#endCare(end));
    this.result = this.#runToEnd();
  }

  #sourceOf(shard: Shard): Parameters<typeof mergeChunks>[0][number] {
    const { workforce } = this.#parts;
    return {
      chunks: shard.chunks({
        onListed: () => {
          this.#firstListedMs ??= monotonicMs();
        },
        onSkipped: (key, reason) => {
          workforce.settled(shard.number, key);
          shard.recorder.skipped(key, reason);
        },
        onRefused: (refusal) => shard.recorder.refused(refusal),
        onWarning: (message) => this.#warn(inShard(this.#parts.prepared, shard.number, message)),
      }),
      isStopped: () => shard.stopCause !== undefined,
      onEnd: (error) => {
        shard.listed = true;
        if (error !== undefined) shard.stopCause ??= asError(error, "the plan failed");
      },
    };
  }

  #dispatcherEvents(): DispatcherEvents {
    const { shards, workforce } = this.#parts;
    const shardOf = ({ header }: { readonly header: { readonly shard: number } }): Shard => shards[header.shard]!;
    return {
      onChunkSent: (worker, slice, keys) => shardOf(slice.chunk).inFlightJournal?.sent(worker, keys),
      onWorkerGone: (worker) => {
        for (const { inFlightJournal } of shards) inFlightJournal?.gone(worker);
      },
      onDone: (chunk, index, durationMs) => {
        shards[chunk.header.shard]!.recorder.done(chunk, index, durationMs);
        if (workforce.isCareful) workforce.settled(chunk.header.shard, chunk.keyAt(index));
      },
      onSettled: (pending, settled) => {
        shardOf(pending).recorder.settled(pending, settled);
        // What was cancelled was not tried.
        if (workforce.isCareful && settled.status !== "cancelled") workforce.settled(pending.header.shard, pending.key);
      },
      onMessageDone: () => {
        for (const { recorder } of shards) recorder.batch();
      },
      onRetry: (pending, error, delayMs) => this.#onRetry(pending, error, delayMs),
      onShardFailed: (shard, cause) => this.shardStops(shards[shard]!, cause, "now"),
      onMessage: (_seat, message) => this.#onMessage(message),
      onWarning: (message) => this.#warn(message),
      onRecycled: (worker, why) => this.#parts.log.write("recycled", null, { worker, why }),
    };
  }

  snapshot(): RunSnapshot {
    const { tally, shards } = this.#parts;
    return {
      counts: tally.counts,
      listed: shards.every(({ listed }) => listed),
      inFlight: this.#dispatcher.inFlight,
      waiting: this.#dispatcher.waiting,
      retries: tally.retries,
      elapsedMs: this.#elapsedMs,
      oldest: this.#dispatcher.running()[0],
    };
  }

  drain(cause?: KagurazakaError, graceMs = this.#parts.prepared.config.run.grace): void {
    // Nothing is left to be let through: whoever asks then waits for the disk no longer.
    if (this.#dispatched && cause === undefined) this.#parts.marks?.[Symbol.dispose]();
    this.#dispatcher.drain(graceMs, cause);
  }

  kill(): void {
    this.#parts.marks?.[Symbol.dispose]();
    this.#dispatcher.stop();
  }

  print(key: string | null, text: string): void {
    this.#parts.log.write("print", key, { text });
    this.#parts.hooks.onPrint?.(key, text);
  }

  /** A shard whose disk is dead stops alone, as long as another one can go on. */
  shardStops(shard: Shard, cause: KagurazakaError, how: "now" | "drain"): void {
    if (how === "drain") return this.drain(cause);
    if (shard.stopCause !== undefined) return;
    shard.stopCause = cause;
    if (this.#parts.shards.every(({ stopCause }) => stopCause !== undefined)) return this.#dispatcher.stop(cause);
    this.#warn(inShard(this.#parts.prepared, shard.number, `${cause.message}; the other shards go on`));
    this.#dispatcher.stopShard(shard.number);
  }

  /** What was under way in a dead run is through: the rest goes as it was asked to. */
  #endCare({ allTried, failure }: CarefulEnd): void {
    if (allTried) for (const shard of this.#parts.shards) shard.clearSuspects();
    if (failure === undefined) this.#dispatcher.renewWorkers();
    else this.#warn(`the run goes on in workers that can die alone: ${failure}`);
  }

  #onRetry(pending: PendingItem, error: ErrorRecord, delayMs: number): void {
    this.#parts.tally.retries++;
    this.#parts.log.write("retry", pending.key, {
      attempt: pending.attempt,
      delayMs: Math.round(delayMs),
      error: `${error.name}: ${error.message}`,
    });
    this.#parts.hooks.onRetry?.(pending.key, pending.attempt, error, delayMs);
  }

  #onMessage(message: Parameters<DispatcherEvents["onMessage"]>[1]): void {
    const { log, hooks } = this.#parts;
    if (message.type === "print") {
      this.print(message.key, message.text);
    } else {
      const { key, level, message: text, fields } = message;
      log.write("log", key, { level, message: text, ...(fields === undefined ? {} : { fields }) });
      hooks.onLog?.(key, level, text, fields);
    }
  }

  #warn(message: string): void {
    this.#parts.log.write("warning", null, { message });
    this.#parts.hooks.onWarning?.(message);
  }

  async #runToEnd(): Promise<RunResult> {
    const { scope, shards } = this.#parts;
    try {
      const stopped = await this.#dispatcher.run();
      this.#dispatched = true;
      for (const { recorder } of shards) recorder.write();
      return await this.#finish(stopped);
    } finally {
      await scope.close();
    }
  }

  /** After the last outcome: the epochs' ends, `finalize`, and the files that sum the run up. */
  async #finish(stopped: KagurazakaError | undefined): Promise<RunResult> {
    const { prepared, shards, tally, scope, marks } = this.#parts;
    const stats = this.#stats();
    // What could not be recorded may be the last of it, when there was nothing left to stop.
    let error = stopped ?? shards.map(({ stopCause, recorder }) => stopCause ?? recorder.stopCause).find(Boolean);
    let failedInTotal = 0;
    const attempt = async (work: () => unknown): Promise<void> => {
      try {
        await work();
      } catch (thrown) {
        error ??= asError(thrown, "");
      }
    };
    for (const shard of shards) {
      try {
        shard.assertHeld();
      } catch (lost) {
        // Whoever took over has swept our staging: items that failed for it are not the reason.
        if (KagurazakaError.is(lost) && lost.code === "root-in-use") error = lost;
      }
    }
    if (!error && stats.counts.cancelled === 0 && shards.every(({ listed }) => listed))
      await attempt(() => this.#finalize(stats));
    if (!error) for (const shard of shards) if (shard.isComplete) await attempt(() => shard.completeEpoch());
    const { cancelled } = stats.counts;
    if (marks)
      await attempt(() => finalCheckpoint(marks, shards, { error, cancelled, warn: (text) => this.#warn(text) }));
    for (const shard of shards)
      await attempt(async () => {
        failedInTotal += await shard.sumUp(stats);
      });
    for (const shard of shards) if (shard.sawAll) shard.clearSuspects();
    const { allowFailures } = prepared.config.run;
    const exitCode = (): number =>
      exitCodeOfRun({ error, counts: stats.counts, allowed: tally.withinAllowance(allowFailures) });
    for (const shard of shards)
      await attempt(() => shard.writeEnd({ exitCode: exitCode(), stats, error: error && toErrorRecord(error) }));
    await attempt(() => scope.close());
    const { run, task, backbone, outputRoot, runDir } = this.info;
    const { counts, elapsedMs, itemsPerSecond } = stats;
    return {
      run,
      task,
      backbone,
      counts,
      elapsedMs,
      itemsPerSecond,
      outputRoot,
      runDir,
      exitCode: exitCode(),
      stats,
      error,
      failedInTotal,
    };
  }

  async #finalize(stats: RunStats): Promise<void> {
    const { instance } = this.#parts.prepared;
    try {
      await instance.finalize?.(stats);
    } catch (cause) {
      throw new KagurazakaError("internal", `finalize() failed: ${toErrorRecord(cause).message}`, { cause });
    }
  }

  /** From the first item listed to the last one recorded, in milliseconds. */
  get #elapsedMs(): number {
    if (this.#firstListedMs === undefined) return 0;
    const recorded = this.#parts.shards.map(({ recorder }) => recorder.lastRecordedMs ?? 0);
    return Math.max(0, (Math.max(...recorded) || monotonicMs()) - this.#firstListedMs);
  }

  #stats(): RunStats {
    const slots = this.info.workers * this.info.concurrency;
    return statsOf({
      run: this.info.run,
      task: this.info.task,
      tally: this.#parts.tally,
      elapsedMs: this.#elapsedMs,
      slots,
    });
  }
}

const asError = (thrown: unknown, what: string): KagurazakaError =>
  KagurazakaError.is(thrown)
    ? thrown
    : new KagurazakaError("internal", [what, toErrorRecord(thrown).message].filter(Boolean).join(": "), {
        cause: thrown,
      });
