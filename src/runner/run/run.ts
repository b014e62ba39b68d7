import { MAX_TIMER_MS, monotonicMs } from "../../base/clock.js";
import type { DisposalStack } from "../../base/disposal-stack.js";
import { asKagurazakaError, type ErrorRecord, KagurazakaError } from "../../base/errors.js";
import { startProcessorClock } from "../../base/processor-clock.js";
import type { PendingItem } from "../../contracts/chunk.js";
import type { Execution, ExecutionEvents, TaskMessage } from "../../contracts/execution.js";
import type { Fleet } from "../../contracts/fleet.js";
import type { RunHooks, RunInfo } from "../../contracts/run-hooks.js";
import type { Checkpoints } from "../ledger/checkpoints/checkpoints.js";
import { type ChunkSource, mergeChunks } from "../plan/merge-chunks.js";
import { inShard, type PreparedRun } from "../prepare/prepared-run.js";
import type { RunCounters } from "../record/run-counters.js";
import type { IsolatedSession } from "./crash-recovery/isolated-session.js";
import { finishRun } from "./finish-run.js";
import type { RunLog } from "./run-log.js";
import { RunReports } from "./run-reports.js";
import type { RunResult, RunSnapshot } from "./run-result.js";
import type { Shard } from "./shard.js";

/** What an open run consists of. */
export interface RunParts {
  readonly id: string;
  readonly prepared: PreparedRun;
  readonly hooks: RunHooks;
  readonly stack: DisposalStack;
  readonly shards: readonly Shard[];
  readonly counters: RunCounters;
  readonly execution: Execution;
  /** Only where the execution is one. */
  readonly fleet?: Fleet | undefined;
  /** Only for a local execution. */
  readonly isolation?: IsolatedSession | undefined;
  readonly log: RunLog;
  readonly checkpoints: Checkpoints | undefined;
}

/** A run: plan and recorders on one side, the execution on the other. Opened by `startRun`. */
export class Run {
  readonly info: RunInfo;
  readonly #parts: RunParts;
  #result: Promise<RunResult> | undefined;
  #firstListedMs: number | undefined;
  /** The share of processor time that was idle since the first item was listed. */
  #idleShare: (() => number) | undefined;
  /** The execution is over: every item has an outcome. */
  #isExecuted = false;
  #isInterrupted = false;
  #reports: RunReports | undefined;
  #kill = (): void => {};
  /** Rejects when the run is told to end now. */
  readonly whenKilled = new Promise<never>((_, reject) => {
    this.#kill = () => reject(new KagurazakaError("interrupted", "the run was stopped while finalize() was running"));
  });

  constructor(parts: RunParts) {
    const { prepared, shards } = parts;
    const { program } = prepared;
    this.#parts = parts;
    this.whenKilled.catch(() => {});
    this.info = {
      run: parts.id,
      task: program.ref.id,
      backbone: prepared.backbone.name,
      workers: prepared.shapes.length,
      concurrency: prepared.shapes.reduce((sum, { slots }) => sum + slots, 0),
      shards: shards.length,
      // A task that lists its own items reads what it likes.
      inputRoot: program.modes?.inputMode ? program.roots[0]!.inputPath : null,
      outputRoot: shards[0]!.paths.outputRoot,
      runDir: shards[0]!.runDir,
    };
  }

  start(): void {
    const { prepared, shards, isolation, hooks, fleet, stack, counters } = this.#parts;
    hooks.onStart?.(this.info);
    if (fleet?.report) this.#reports = stack.use(new RunReports(fleet, counters, () => this.snapshot()));
    for (const shard of shards)
      for (const warning of shard.history.warnings) this.warn(inShard(prepared, shard.number, warning));
    if (isolation?.warning !== undefined) this.warn(isolation.warning);
    void isolation?.whenOver.then(({ allTried }) => {
      if (allTried) for (const shard of shards) shard.clearSuspects();
    });
    this.#result = this.#runToEnd();
  }

  /** Settles when everything is closed. */
  get result(): Promise<RunResult> {
    return this.#result!;
  }

  snapshot(): RunSnapshot {
    const { counters, shards, execution } = this.#parts;
    return {
      ...execution.snapshot(),
      counts: counters.counts,
      listed: shards.every(({ listed }) => listed),
      retries: counters.retries,
      elapsedMs: this.elapsedMs,
      ...this.#sizes(),
    };
  }

  #sizes(): Pick<RunSnapshot, "size"> {
    const { counters, prepared } = this.#parts;
    const name = prepared.program.taskClass.progressBy;
    return name === undefined ? {} : { size: { name, done: counters.amount(name), planned: counters.plannedSize } };
  }

  /** Starts no more items and lets running ones settle for at most `graceMs` (default `--grace`). */
  drain(cause?: KagurazakaError, graceMs = this.#parts.prepared.config.run.grace): void {
    if (cause === undefined) {
      this.#isInterrupted = true;
      // All items have settled and the run waits for the disk: a signal ends that wait.
      if (this.#isExecuted) this.#parts.checkpoints?.[Symbol.dispose]();
      // finalize() has the same time as an item.
      setTimeout(() => this.#kill(), Math.min(MAX_TIMER_MS, graceMs)).unref();
    }
    this.#parts.execution.drain(graceMs, cause);
  }

  /** `drain` was called from outside, or `kill`. */
  get isInterrupted(): boolean {
    return this.#isInterrupted;
  }

  /** The run is about to be closed. */
  reportEnd(exitCode: number, error: KagurazakaError | undefined): void {
    this.#reports?.end(exitCode, error);
  }

  /** Every item has an outcome: what is left is finalize(), and to close everything. */
  get isFinishing(): boolean {
    return this.#isExecuted;
  }

  /** Ends the run now. Items in flight are cancelled; the next run starts them again. */
  kill(): void {
    this.#isInterrupted = true;
    this.#kill();
    this.#parts.checkpoints?.[Symbol.dispose]();
    this.#parts.execution.stop();
  }

  /** For text that the task has written to stdout or stderr in this thread: handled like prints of workers. */
  print(key: string | null, text: string): void {
    this.#parts.log.write("print", key, { text });
    this.#parts.hooks.onPrint?.(key, text);
  }

  warn(message: string): void {
    this.#parts.log.write("warning", null, { message });
    this.#parts.hooks.onWarning?.(message);
  }

  /** A shard whose disk has failed stops alone, as long as another shard can go on. */
  stopShard(shard: Shard, cause: KagurazakaError, how: "now" | "drain"): void {
    const { shards, execution, prepared } = this.#parts;
    if (how === "drain") return this.drain(cause);
    if (shard.stopCause !== undefined) return;
    shard.stopCause = cause;
    if (shards.every(({ stopCause }) => stopCause !== undefined)) return execution.stop(cause);
    this.warn(inShard(prepared, shard.number, `${cause.message}; the other shards go on`));
    execution.stopShard(shard.number);
  }

  /** From the first item listed to the last one recorded, in milliseconds. */
  get elapsedMs(): number {
    if (this.#firstListedMs === undefined) return 0;
    const recorded = this.#parts.shards.map(({ recorder }) => recorder.lastRecordedMs ?? 0);
    return Math.max(0, (Math.max(...recorded) || monotonicMs()) - this.#firstListedMs);
  }

  get idleShare(): number {
    return this.#idleShare?.() ?? 0;
  }

  async #runToEnd(): Promise<RunResult> {
    const { stack, shards, execution } = this.#parts;
    try {
      const chunks = mergeChunks(shards.map((shard) => this.#sourceOf(shard)));
      const stopped = await execution.run(chunks, this.#events());
      this.#isExecuted = true;
      for (const { recorder } of shards) recorder.write();
      return await finishRun(this, this.#parts, stopped);
    } finally {
      await stack.close();
    }
  }

  #sourceOf(shard: Shard): ChunkSource {
    const { isolation, prepared, counters } = this.#parts;
    return {
      chunks: shard.chunks({
        onListed: () => {
          this.#firstListedMs ??= monotonicMs();
          this.#idleShare ??= startProcessorClock();
        },
        onSkipped: (key, reason) => {
          // The first of the repeated items has its own outcome.
          if (reason !== "listed before") isolation?.settled(shard.number, key);
          shard.recorder.skipped(key, reason);
        },
        onPlanned: (size) => {
          counters.plannedSize += size;
        },
        onCleared: (key) => shard.recorder.cleared(key),
        onRefused: (refusal) => shard.recorder.refused(refusal),
        onWarning: (message) => this.warn(inShard(prepared, shard.number, message)),
      }),
      isStopped: () => shard.stopCause !== undefined,
      onEnd: (error) => {
        shard.listed = true;
        if (error !== undefined) shard.stopCause ??= asKagurazakaError(error, "the plan failed");
      },
    };
  }

  #events(): ExecutionEvents {
    const { shards, isolation, log } = this.#parts;
    return {
      onDone: (chunk, index, durationMs) => {
        const { shard } = chunk.header;
        shards[shard]!.recorder.done(chunk, index, durationMs);
        if (isolation?.isIsolated) isolation.settled(shard, chunk.keyAt(index));
      },
      onSettled: (item, settled) => {
        const { shard } = item.header;
        shards[shard]!.recorder.settled(item, settled);
        // A cancelled item does not count as tried.
        if (isolation?.isIsolated && settled.status !== "cancelled") isolation.settled(shard, item.key);
      },
      onMessageDone: (onRecorded) => {
        const whenAll = onRecorded && countdown(shards.length, onRecorded);
        for (const { recorder } of shards) recorder.messageDone(whenAll);
      },
      onRetry: (item, error, delayMs) => this.#onRetry(item, error, delayMs),
      onShardFailed: (shard, cause) => this.stopShard(shards[shard]!, cause, "now"),
      onMessage: (message) => this.#onMessage(message),
      onWarning: (message) => this.warn(message),
      onRecycled: (worker, why) => log.write("recycled", null, { worker, why }),
    };
  }

  #onRetry({ key, attempt }: PendingItem, error: ErrorRecord, delayMs: number): void {
    const { counters, log, hooks } = this.#parts;
    counters.retries++;
    const fields = { attempt, delayMs: Math.round(delayMs), error: `${error.name}: ${error.message}` };
    log.write("retry", key, fields);
    hooks.onRetry?.(key, attempt, error, delayMs);
  }

  #onMessage(message: TaskMessage): void {
    if (message.type === "print") return this.print(message.key, message.text);
    const { log, hooks } = this.#parts;
    const { key, level, message: text, fields } = message;
    log.write("log", key, { level, message: text, ...(fields === undefined ? {} : { fields }) });
    hooks.onLog?.(key, level, text, fields);
  }
}

function countdown(count: number, onZero: () => void): () => void {
  let left = count;
  return () => {
    if (--left === 0) onZero();
  };
}
