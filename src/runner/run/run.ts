import { join } from "node:path";
import { type ErrorRecord, KagurazakaError, toErrorRecord } from "../../base/errors.js";
import { makeDirectory } from "../../base/make-directory.js";
import { openScope } from "../../base/scope.js";
import type { BackboneSession } from "../../contracts/backbone.js";
import type { RunStats } from "../../contracts/task.js";
import { Dispatcher } from "../dispatch/dispatcher.js";
import { type Lease, openLease } from "../lease/index.js";
import { foldFailures, type Ledger, openLedger } from "../ledger/index.js";
import { type OpenPlanner, openPlanner } from "../plan/open-planner.js";
import type { Envelope } from "../plan/parcel.js";
import { closeKept, closeStaging, openRootId, openStaging } from "../prepare/places.js";
import type { PreparedRun } from "../prepare/prepared-run.js";
import { exitCodeOfRun } from "./exit-code.js";
import { type History, openHistory } from "./history.js";
import { Recorder } from "./recorder.js";
import { createJsonFile, writeJsonFile } from "./run-file.js";
import type { RunHooks } from "./run-hooks.js";
import { createRunId } from "./run-id.js";
import { RunLog } from "./run-log.js";
import { runRecordOf, scopeOf } from "./run-record.js";
import type { RunInfo, RunResult, RunSnapshot } from "./run-result.js";

/** The module every worker runs. */
const WORKER_ENTRY = new URL("../worker/main.js", import.meta.url).href;

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
 * Opens what a run needs, in this order, and closes it in the reverse one: lease (nobody else works here), backbone, ledger
 * (what is known), staging. Rejects when it cannot begin; nothing was processed then.
 */
export async function startRun(prepared: PreparedRun, hooks: RunHooks = {}): Promise<Run> {
  const { config, program, places, backbone } = prepared;
  const scope = openScope();
  try {
    const id = createRunId();
    const runDir = join(places.runsDir, id);
    makeDirectories(places.stateDir, places.outputRoot);
    const lease = scope.use(
      await openLease({
        dir: places.leaseDir,
        scope: scopeOf(program, config.run),
        run: id,
        onWait: (message) => hooks.onWarning?.(message),
      }),
    );
    // Threads take their time to start; they do it while the ledger is read.
    const session = scope.use(
      await backbone.open({ options: config.backbone.options, workers: prepared.workers, entry: WORKER_ENTRY }),
    );
    const history = await openHistory(prepared);
    const rootId = openRootId(places);
    makeDirectories(runDir);
    createJsonFile(
      join(runDir, "run.json"),
      runRecordOf(prepared, id, { state: "running", rootId }),
      config.run.durable,
    );
    const staging = openStaging(places, id, scopeOf(program, config.run));
    scope.defer(() => closeStaging(staging));
    scope.defer(() => closeKept(places));
    const ledger = scope.use(
      openLedger({
        dir: places.ledgerDir,
        header: history.headerOf(id),
        durable: config.run.durable,
        beforeWrite: () => lease.assertHeld(),
        failed: history.index.failed,
      }),
    );
    if (history.forced?.opens) {
      const { epoch, scope: forcedScope, partial } = history.forced;
      ledger.appendEpochOpen({ epoch, scope: forcedScope, ...(partial ? { partial } : {}) });
      ledger.flush();
    }
    const planner = scope.use(await openPlanner(prepared, history));
    const log = scope.use(new RunLog(join(runDir, "log.jsonl"), id));
    return new OpenRun({
      id,
      runDir,
      rootId,
      prepared,
      hooks,
      scope,
      lease,
      history,
      staging,
      ledger,
      planner,
      session,
      log,
    });
  } catch (error) {
    await scope.close();
    throw error;
  }
}

function makeDirectories(...dirs: (string | null)[]): void {
  for (const dir of dirs) {
    try {
      if (dir !== null) makeDirectory(dir);
    } catch (cause) {
      throw new KagurazakaError("environment", `cannot make ${dir}: ${(cause as Error).message}`, { cause });
    }
  }
}

interface Parts {
  readonly id: string;
  readonly runDir: string;
  readonly rootId: string;
  readonly prepared: PreparedRun;
  readonly hooks: RunHooks;
  readonly scope: ReturnType<typeof openScope>;
  readonly lease: Lease;
  readonly history: History;
  readonly staging: string;
  readonly ledger: Ledger;
  readonly planner: OpenPlanner;
  readonly session: BackboneSession;
  readonly log: RunLog;
}

class OpenRun implements Run {
  readonly info: RunInfo;
  readonly result: Promise<RunResult>;
  readonly #parts: Parts;
  readonly #recorder: Recorder;
  readonly #dispatcher: Dispatcher;
  #listed = false;

  constructor(parts: Parts) {
    const { prepared, history, ledger, hooks } = parts;
    const { config, program } = prepared;
    this.#parts = parts;
    this.info = {
      run: parts.id,
      task: program.ref.id,
      backbone: prepared.backbone.name,
      workers: prepared.workers,
      concurrency: config.run.concurrency,
      inputRoot: program.roots[0]?.inputPath ?? null,
      outputRoot: prepared.places.outputRoot,
      runDir: parts.runDir,
    };
    this.#recorder = new Recorder({
      settings: config.run,
      index: history.index,
      book: history.book,
      ledger,
      hooks,
      stop: (cause, how) => (how === "now" ? this.#dispatcher.stop(cause) : this.drain(cause)),
    });
    this.#dispatcher = new Dispatcher({
      session: parts.session,
      workers: prepared.workers,
      killable: prepared.backbone.killable,
      settings: config.run,
      permanentErrors: program.taskClass.permanentErrors ?? [],
      plan: parts.planner.parcels({
        onListed: () => this.#recorder.listed(),
        onSkipped: (key, reason) => this.#recorder.skipped(key, reason),
        onRefused: (refusal) => this.#recorder.refused(refusal),
      }),
      setupOf: (workerId) => ({
        task: program.ref,
        run: parts.id,
        workerId,
        concurrency: config.run.concurrency,
        stagingDir: parts.staging,
        keptRoot: prepared.places.keptRoot,
        seed: config.run.seed,
        durable: config.run.durable,
        atomic: program.atomic,
        wantValues: hooks.onOutcome !== undefined,
        force: history.ignoresTask,
      }),
      events: {
        onDone: (parcel, index, durationMs) => this.#recorder.done(parcel, index, durationMs),
        onSettled: (envelope, settled) => this.#recorder.settled(envelope, settled),
        onBatch: () => this.#recorder.batch(),
        onRetry: (envelope, error, delayMs) => this.#onRetry(envelope, error, delayMs),
        onMessage: (_seat, message) => this.#onMessage(message),
        onWarning: (message) => this.#warn(message),
        onListed: () => {
          this.#listed = true;
        },
      },
    });
    hooks.onStart?.(this.info);
    for (const warning of history.warnings) this.#warn(warning);
    this.result = this.#runToEnd();
  }

  snapshot(): RunSnapshot {
    return {
      counts: this.#recorder.tally.counts,
      listed: this.#listed,
      inFlight: this.#dispatcher.inFlight,
      waiting: this.#dispatcher.waiting,
      retries: this.#recorder.tally.retries,
      elapsedMs: this.#recorder.elapsedMs,
      oldest: this.#dispatcher.running()[0],
    };
  }

  drain(cause?: KagurazakaError, graceMs = this.#parts.prepared.config.run.grace): void {
    this.#dispatcher.drain(graceMs, cause);
  }

  kill(): void {
    this.#dispatcher.stop();
  }

  print(key: string | null, text: string): void {
    this.#parts.log.write("print", key, { text });
    this.#parts.hooks.onPrint?.(key, text);
  }

  #onRetry(envelope: Envelope, error: ErrorRecord, delayMs: number): void {
    this.#recorder.tally.retries++;
    this.#parts.log.write("retry", envelope.key, {
      attempt: envelope.attempt,
      delayMs: Math.round(delayMs),
      error: `${error.name}: ${error.message}`,
    });
    this.#parts.hooks.onRetry?.(envelope.key, envelope.attempt, error, delayMs);
  }

  #onMessage(message: Parameters<ConstructorParameters<typeof Dispatcher>[0]["events"]["onMessage"]>[1]): void {
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
    const { scope } = this.#parts;
    try {
      const stopped = await this.#dispatcher.run();
      this.#recorder.write();
      const closed = await this.#finish(stopped ?? this.#recorder.trouble);
      return closed;
    } finally {
      await scope.close();
    }
  }

  /** After the last outcome: the epoch's end, `finalize`, and the files that sum the run up. */
  async #finish(stopped: KagurazakaError | undefined): Promise<RunResult> {
    const { prepared, history, ledger, runDir, id, scope } = this.#parts;
    const { places, config } = prepared;
    const stats = this.#stats();
    let error = stopped;
    let failedInTotal = 0;
    const attempt = async (work: () => unknown): Promise<void> => {
      try {
        await work();
      } catch (thrown) {
        error ??= KagurazakaError.is(thrown)
          ? thrown
          : new KagurazakaError("internal", (thrown as Error).message, { cause: thrown });
      }
    };
    try {
      this.#parts.lease.assertHeld();
    } catch (lost) {
      // Whoever took over has swept our staging: items that failed for it are not the reason.
      if (KagurazakaError.is(lost) && lost.code === "root-in-use") error = lost;
    }
    if (!error && this.#listed && stats.counts.cancelled === 0) {
      await attempt(() => this.#finalize(stats));
      if (stats.counts.failed === 0) await attempt(() => history.completeEpoch(ledger));
    }
    await attempt(async () => {
      this.#parts.lease.assertHeld();
      failedInTotal = await foldFailures({
        index: history.index,
        ownFile: ledger.file,
        path: places.failedFile,
        durable: config.run.durable,
      });
      writeJsonFile(places.statsFile, stats);
    });
    const exitCode = (): number =>
      exitCodeOfRun({
        error,
        counts: stats.counts,
        allowed: this.#recorder.tally.withinAllowance(config.run.allowFailures),
      });
    await attempt(() =>
      writeJsonFile(
        join(runDir, "run.json"),
        runRecordOf(prepared, id, {
          state: "ended",
          rootId: this.#parts.rootId,
          exitCode: exitCode(),
          stats,
          error: error && toErrorRecord(error),
        }),
      ),
    );
    await attempt(() => scope.close());
    const { counts, elapsedMs, itemsPerSecond } = stats;
    return {
      run: id,
      task: this.info.task,
      backbone: this.info.backbone,
      counts,
      elapsedMs,
      itemsPerSecond,
      outputRoot: places.outputRoot,
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

  #stats(): RunStats {
    const { tally } = this.#recorder;
    const elapsedMs = this.#recorder.elapsedMs;
    const slots = this.info.workers * this.info.concurrency;
    const settled = tally.counts.total - tally.counts.cancelled;
    return {
      run: this.info.run,
      task: this.info.task,
      counts: { ...tally.counts },
      retries: tally.retries,
      elapsedMs: round(elapsedMs),
      itemsPerSecond: elapsedMs > 0 ? round((settled * 1000) / elapsedMs) : 0,
      durationMs: {
        p50: round(tally.durations.percentile(0.5)),
        p95: round(tally.durations.percentile(0.95)),
        max: round(tally.durations.maxMs),
      },
      utilisation: elapsedMs > 0 ? Math.min(1, round(tally.busyMs / (elapsedMs * slots))) : 0,
      failures: tally.failures.map((failure) => ({ class: failure.class, count: failure.count })),
      slowest: tally.slowest.map(({ key, durationMs }) => ({ key, durationMs: round(durationMs) })),
    };
  }
}

const round = (value: number): number => Math.round(value * 1000) / 1000;
