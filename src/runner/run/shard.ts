import { join } from "node:path";
import { environmentError } from "../../base/disk.js";
import type { DisposalStack } from "../../base/disposal-stack.js";
import type { KagurazakaError } from "../../base/errors.js";
import { createJsonFile, writeJsonFile } from "../../base/json-file.js";
import { makeDirectory, makeOwnDirectory } from "../../base/make-directory.js";
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
import { claimState } from "./claim-state.js";
import { clearInFlightJournal, readInFlightJournal } from "./crash-recovery/in-flight-journal.js";
import { type OpenPlanner, openPlanner } from "./open-plan.js";
import { closeKept, closeStaging, isDeadRun, openRootId, openStaging } from "./staging.js";

/** A hard shard whose lease this run holds: no other run works on it. */
export interface HeldShard {
  readonly number: number;
  readonly paths: ShardPaths;
  readonly lease: Lease;
  /** Names the shard's state directory. */
  readonly rootId: string;
  /** Whether a run of this shard has ended, however it did. */
  isDead(run: string): boolean;
  /** Keys of items that were in flight when the process of a run crashed. */
  readonly suspects: ReadonlySet<string>;
}

export async function holdShard(
  prepared: PreparedRun,
  number: number,
  { run, beats, onWait, dead }: Pick<LeaseRequest, "run" | "beats" | "onWait" | "dead">,
): Promise<HeldShard> {
  const paths = prepared.shards[number]!;
  const partition = partitionOf(prepared.program, prepared.config.run);
  makeDirectories(paths, paths.stateDir);
  const lease = await openLease({ dir: paths.leaseDir, partition, run, beats, onWait, dead });
  try {
    const note = claimState(paths, prepared.program.ref.id, run);
    if (note !== undefined) onWait?.(note);
  } catch (error) {
    await lease[Symbol.asyncDispose]();
    throw error;
  }
  const isDead = (other: string): boolean => other !== run && isDeadRun(paths, partition, other);
  const suspects = readInFlightJournal(paths.inFlightDir, isDead);
  return { number, paths, lease, rootId: openRootId(paths), isDead, suspects };
}

interface ShardRequest extends Pick<RecorderOptions, "hooks" | "counters"> {
  readonly prepared: PreparedRun;
  readonly held: HeldShard;
  readonly run: string;
  readonly stack: DisposalStack;
  readonly limit: Limit;
  /** Called when its outcomes cannot be recorded, or when too many items have failed. */
  stop(shard: Shard, cause: KagurazakaError, how: "now" | "drain"): void;
}

/** A hard shard of an open run, with its own roots, lease, ledger, staging and plan. */
export class Shard {
  readonly number: number;
  readonly paths: ShardPaths;
  readonly runDir: string;
  readonly history: History;
  readonly recorder: Recorder;
  /** The plan has come to its end. */
  listed = false;
  /** Why the shard stopped early. */
  stopCause: KagurazakaError | undefined;
  readonly #request: ShardRequest;
  readonly #planner: OpenPlanner;
  readonly #ledger: Ledger;

  private constructor(
    request: ShardRequest,
    { history, ledger, planner, runDir }: { history: History; ledger: Ledger; planner: OpenPlanner; runDir: string },
  ) {
    const { held, prepared, hooks, counters } = request;
    this.#request = request;
    this.number = held.number;
    this.paths = held.paths;
    this.runDir = runDir;
    this.history = history;
    this.#planner = planner;
    this.#ledger = ledger;
    this.recorder = new Recorder({
      settings: prepared.config.run,
      index: history.index,
      book: history.book,
      ledger,
      lease: held.lease,
      hooks,
      counters,
      isOnlyShard: prepared.shards.length === 1,
      stop: (cause, how) => request.stop(this, cause, how),
    });
  }

  /** Opens ledger, staging and plan; the stack of the run closes them in the reverse order. */
  static async open(request: ShardRequest): Promise<Shard> {
    const { prepared, held, run, stack, limit } = request;
    const { config, program } = prepared;
    const { number, paths, rootId } = held;
    const { durable } = config.run;
    const runDir = join(paths.runsDir, run);
    const history = await openHistory(prepared, number);
    makeDirectories(paths, runDir);
    createJsonFile(join(runDir, "run.json"), runRecordOf(prepared, run, { state: "running", rootId }), durable);
    const staging = openStaging(paths, run, partitionOf(program, config.run));
    stack.defer(() => closeStaging(staging));
    stack.defer(() => closeKept(paths));
    const { failed } = history.index;
    const ledger = stack.use(openLedger({ dir: paths.ledgerDir, header: history.headerOf(run), durable, failed }));
    const planner = stack.use(await openPlanner(prepared, history, limit));
    const shard = new Shard(request, { history, ledger, planner, runDir });
    stack.use(shard.recorder);
    if (history.forced?.opens) {
      const { epoch, scope, partial } = history.forced;
      ledger.appendEpochOpen({ epoch, scope, ...(partial ? { partial } : {}) });
      shard.recorder.commit();
    }
    return shard;
  }

  /** Every selected item is finished. */
  get isComplete(): boolean {
    return this.#isThrough && this.recorder.counts.failed === 0;
  }

  /** Every item of the input was listed and settled, failed ones included. */
  get sawAll(): boolean {
    return this.#isThrough && this.history.seesAll;
  }

  get #isThrough(): boolean {
    return this.listed && this.stopCause === undefined && this.recorder.counts.cancelled === 0;
  }

  /**
   * The items to run. The first chunk waits until the beginning of the ledger's segment is on disk: after a power loss, only
   * that tells that there may be outputs whose lines were lost. Not needed where the ledger alone says what is finished.
   */
  async *chunks(listener: PlanListener): AsyncGenerator<Chunk> {
    const { instance, config } = this.#request.prepared;
    const leavesTraces = this.paths.outputRoot !== null || typeof instance.isExecuted === "function";
    let hasBegun = !leavesTraces && !config.run.durable && !this.history.forced?.opens;
    for await (const chunk of this.#planner.chunks(listener)) {
      if (!hasBegun) await this.recorder.begin();
      hasBegun = true;
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
    this.recorder.commit();
  }

  /** The suspects of dead runs were tried. Where their journal cannot be removed, they go first in the next run as well. */
  clearSuspects(): void {
    try {
      clearInFlightJournal(this.paths.inFlightDir, this.#request.held.isDead);
    } catch {
      // Where the root is gone, the next write there fails with a message of its own.
    }
  }

  /** Writes failed.jsonl and stats.json. @returns how many items of the shard have failed, in this run or before */
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
    const { prepared, run, held } = this.#request;
    const record = runRecordOf(prepared, run, { state: "ended", rootId: held.rootId, ...end });
    writeJsonFile(join(this.runDir, "run.json"), record);
  }
}

/** Makes the roots, which may be symbolic links, and a directory of ours, which may not. */
function makeDirectories({ outputRoot, stateRoot }: ShardPaths, own: string): void {
  for (const dir of [outputRoot, stateRoot, own]) {
    try {
      if (dir === own) makeOwnDirectory(dir);
      else if (dir !== null) makeDirectory(dir);
    } catch (cause) {
      throw environmentError("make", dir!, cause);
    }
  }
}
