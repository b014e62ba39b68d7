import { join } from "node:path";
import type { DisposalStack } from "../../base/disposal-stack.js";
import { KagurazakaError } from "../../base/errors.js";
import { createJsonFile, writeJsonFile } from "../../base/json-file.js";
import { makeDirectory } from "../../base/make-directory.js";
import type { Chunk } from "../../contracts/chunk.js";
import type { RunStats } from "../../contracts/task.js";
import { type Lease, type LeaseRequest, openLease } from "../lease/index.js";
import { type CheckpointLine, foldFailures, type Ledger, openLedger } from "../ledger/index.js";
import type { Limit, PlanListener } from "../plan/planner.js";
import type { PreparedRun } from "../prepare/prepared-run.js";
import type { ShardPaths } from "../prepare/shard-paths.js";
import { type History, openHistory } from "../record/history.js";
import { Recorder, type RecorderOptions } from "../record/recorder.js";
import { partitionOf, type RunEnd, runRecordOf } from "../record/run-record.js";
import { clearInFlightJournal, InFlightJournal, readInFlightJournal } from "./crash-recovery/in-flight-journal.js";
import { type OpenPlanner, openPlanner } from "./open-plan.js";
import { closeKept, closeStaging, isDeadRun, openRootId, openStaging } from "./staging.js";

/** A hard shard that this run alone may work on. */
export interface HeldShard {
  readonly number: number;
  readonly paths: ShardPaths;
  readonly lease: Lease;
  /** Whether a run of this shard has ended, however it did. */
  isDead(run: string): boolean;
  /** Keys of items that were at workers when a run of it died whole. */
  readonly suspects: ReadonlySet<string>;
}

/** Nobody else works here from now on; nothing else is touched. */
export async function holdShard(
  prepared: PreparedRun,
  number: number,
  { run, beats, onWait }: Pick<LeaseRequest, "run" | "beats" | "onWait">,
): Promise<HeldShard> {
  const paths = prepared.shards[number]!;
  const scope = partitionOf(prepared.program, prepared.config.run);
  makeDirectories(paths.stateDir, paths.outputRoot);
  const lease = await openLease({ dir: paths.leaseDir, partition: scope, run, beats, onWait });
  const isDead = (other: string): boolean => other !== run && isDeadRun(paths, scope, other);
  return { number, paths, lease, isDead, suspects: readInFlightJournal(paths.inFlightDir, isDead) };
}

export interface ShardRequest extends Pick<RecorderOptions, "hooks" | "tally"> {
  readonly prepared: PreparedRun;
  readonly held: HeldShard;
  readonly run: string;
  readonly scope: DisposalStack;
  readonly limit: Limit;
  /** Items at workers are noted on disk: a native crash would take the whole process along. */
  readonly tracksItems: boolean;
  /** Nothing of it can be recorded any more, or too much has failed. */
  stop(shard: Shard, cause: KagurazakaError, how: "now" | "drain"): void;
}

/** A hard shard of a run under way: its own roots, lease, ledger, staging and plan. */
export class Shard {
  readonly number: number;
  readonly paths: ShardPaths;
  readonly runDir: string;
  readonly history: History;
  readonly staging: string;
  readonly planner: OpenPlanner;
  readonly recorder: Recorder;
  readonly inFlightJournal: InFlightJournal | undefined;
  /** Its list has come to its end. */
  listed = false;
  /** Why it stopped before its end. */
  stopCause: KagurazakaError | undefined;
  readonly #request: ShardRequest;
  readonly #ledger: Ledger;
  readonly #rootId: string;

  private constructor(
    request: ShardRequest,
    parts: { history: History; staging: string; ledger: Ledger; planner: OpenPlanner; runDir: string; rootId: string },
  ) {
    const { held, prepared, hooks, tally, scope, run, tracksItems } = request;
    const { history, ledger } = parts;
    this.#request = request;
    this.number = held.number;
    this.paths = held.paths;
    this.runDir = parts.runDir;
    this.history = history;
    this.staging = parts.staging;
    this.planner = parts.planner;
    this.inFlightJournal = tracksItems ? scope.use(new InFlightJournal(held.paths.inFlightDir, run)) : undefined;
    this.#ledger = ledger;
    this.#rootId = parts.rootId;
    this.recorder = new Recorder({
      settings: prepared.config.run,
      index: history.index,
      book: history.book,
      ledger,
      hooks,
      tally,
      isOnlyShard: prepared.shards.length === 1,
      stop: (cause, how) => request.stop(this, cause, how),
    });
  }

  /** Opens what the shard needs; all of it is closed with the scope of the run, in the reverse order. */
  static async open(request: ShardRequest): Promise<Shard> {
    const { prepared, held, run, scope, limit } = request;
    const { config, program } = prepared;
    const { number, paths, lease } = held;
    const runDir = join(paths.runsDir, run);
    const history = await openHistory(prepared, number);
    const rootId = openRootId(paths);
    makeDirectories(runDir);
    const record = runRecordOf(prepared, run, { state: "running", rootId });
    createJsonFile(join(runDir, "run.json"), record, config.run.durable);
    const staging = openStaging(paths, run, partitionOf(program, config.run));
    scope.defer(() => closeStaging(staging));
    scope.defer(() => closeKept(paths));
    const ledger = scope.use(
      openLedger({
        dir: paths.ledgerDir,
        header: history.headerOf(run),
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
    const planner = scope.use(await openPlanner(prepared, history, limit));
    return new Shard(request, { history, staging, ledger, planner, runDir, rootId });
  }

  /** All that is in it was looked at and nothing of it is missing or failed. */
  get isComplete(): boolean {
    return this.#isThrough && this.recorder.counts.failed === 0;
  }

  /** Every item there is was looked at; whatever has become of it. */
  get sawAll(): boolean {
    return this.#isThrough && this.history.seesAll;
  }

  get #isThrough(): boolean {
    return this.listed && this.stopCause === undefined && this.recorder.counts.cancelled === 0;
  }

  /**
   * What is to run, once it is on disk that this run is there: after a power loss, an output whose line was lost is known by
   * that alone. A task of which nothing but the ledger says what is finished has nothing to lose.
   */
  async *chunks(listener: PlanListener): AsyncGenerator<Chunk> {
    const { instance, config } = this.#request.prepared;
    const leavesTraces = this.paths.outputRoot !== null || typeof instance.isExecuted === "function";
    let begun = !leavesTraces && !config.run.durable && !this.history.forced?.opens;
    for await (const chunk of this.planner.chunks(listener)) {
      if (!begun) await this.#ledger.begin();
      begun = true;
      yield chunk;
    }
  }

  noteRecorded(): number {
    this.recorder.write();
    const isLost = this.stopCause ?? this.recorder.stopCause;
    return isLost || this.#ledger.pendingBytes > 0 ? 0 : this.#ledger.recordedBytes;
  }

  checkpoint(line: CheckpointLine): Promise<void> {
    this.recorder.checkpoint(line);
    return this.#ledger.syncToDisk();
  }

  assertHeld(): void {
    this.#request.held.lease.assertHeld();
  }

  completeEpoch(): void {
    this.history.completeEpoch(this.#ledger);
  }

  /** What the suspects of dead runs were kept for is done. Where that cannot be noted, they go first once more. */
  clearSuspects(): void {
    try {
      clearInFlightJournal(this.paths.inFlightDir, this.#request.held.isDead);
    } catch {
      // The root may have gone; whoever writes there says so.
    }
  }

  /** The files that sum it up. @returns how many items of it have failed, in this run or before */
  async sumUp(stats: RunStats): Promise<number> {
    const { prepared } = this.#request;
    this.assertHeld();
    const failed = await foldFailures({
      index: this.history.index,
      ownFile: this.#ledger.file,
      path: this.paths.failedFile,
      durable: prepared.config.run.durable,
    });
    const own: RunStats = { ...stats, counts: this.recorder.counts };
    writeJsonFile(this.paths.statsFile, own);
    return failed;
  }

  writeEnd(end: Omit<RunEnd, "rootId" | "state">): void {
    const { prepared, run } = this.#request;
    const record = runRecordOf(prepared, run, { state: "ended", rootId: this.#rootId, ...end });
    writeJsonFile(join(this.runDir, "run.json"), record);
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
