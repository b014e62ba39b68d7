import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { existsSync, mkdirSync, rmdirSync, rmSync } from "node:fs";
import { monotonicMs } from "../../base/clock.js";
import { NAME_DIGITS, sha256Hex } from "../../base/hash.js";
import { makeDirectory } from "../../base/make-directory.js";
import { killGroup } from "../../base/process-group.js";
import { createRandom } from "../../base/random.js";
import { activityLayout } from "../../contracts/activity.js";
import type { Filtered, ProgramEnd, ProgramOptions, TaskContext, TaskLog } from "../../contracts/task.js";
import type { WorkerShard, WorkerTask } from "../program/worker-task.js";
import type { AttemptPorts } from "./attempt.js";
import { childEnv } from "./child-env.js";
import { ItemPrograms } from "./programs/item-programs.js";
import type { SpawnerPool } from "./programs/pool.js";
import type { ReceivedChunk } from "./received-chunk.js";

/** No environment holds a zero byte, and none a variable of more than 128 KiB. */
const MAX_KEY_IN_ENV = 32_768;

type ContextPorts = Pick<AttemptPorts, "setup" | "activityWritten" | "log" | "processStarted">;

/** Which item a context is of, and what it works with. */
interface ContextParts {
  readonly task: WorkerTask;
  readonly activity: Float64Array;
  readonly slot: number;
  readonly chunk: ReceivedChunk;
  readonly index: number;
  /** Start what `runProgram` runs. */
  readonly spawners: SpawnerPool;
}

/** What `process` gets besides its item. Cheap to make: everything costly is made when it is asked for. */
export class ItemContext implements TaskContext {
  readonly seq: number;
  readonly slot: number;
  readonly attempt: number;
  /** Set by the executor as `process` is about to begin. */
  startedMs = 0;
  /** Set by the executor where `process` did not answer at once. */
  awaited = false;
  readonly #chunk: ReceivedChunk;
  readonly #index: number;
  readonly #ports: ContextPorts;
  readonly #shard: WorkerShard;
  readonly #activity: Float64Array;
  readonly #spawners: SpawnerPool;
  #abort: AbortController | undefined;
  #random: (() => number) | undefined;
  #tmpDir: string | undefined;
  /** Once it is known to be there. */
  #keptDir: string | undefined;
  #children: Set<ChildProcess> | undefined;
  #programs: ItemPrograms | undefined;
  #isOver = false;
  /** Set by `filtered`, whether or not its answer is returned. */
  filteredReason: string | undefined;

  constructor(ports: ContextPorts, { task, activity, slot, chunk, index, spawners }: ContextParts) {
    this.#ports = ports;
    this.#shard = task.shards[chunk.shard]!;
    this.#activity = activity;
    this.#spawners = spawners;
    this.#chunk = chunk;
    this.#index = index;
    this.slot = slot;
    this.seq = chunk.firstSeq + index;
    this.attempt = chunk.attempts[index] ?? 1;
  }

  get key(): string {
    return this.#chunk.keyAt(this.#index);
  }

  /** The item as it crossed the border. */
  get wire(): unknown {
    return this.#chunk.items[this.#index];
  }

  /** The hard shard it belongs to. */
  get shard(): number {
    return this.#chunk.shard;
  }

  /** It is to be redone, whatever the task's `isExecuted` says. */
  get forced(): boolean {
    return this.#chunk.forced;
  }

  get run(): string {
    return this.#ports.setup.run;
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    return this.#abort.signal;
  }

  get log(): TaskLog {
    const send = (level: "info" | "warn" | "error") => (message: string, fields?: Record<string, unknown>) =>
      this.#ports.log(this.key, level, message, fields);
    return { info: send("info"), warn: send("warn"), error: send("error") };
  }

  get tmpDir(): string {
    if (this.#tmpDir === undefined) {
      const dir = `${this.#shard.stagingDir}/${this.#ports.setup.worker}-${this.slot}.tmp`;
      rmSync(dir, { recursive: true, force: true });
      mkdirSync(dir);
      this.#tmpDir = dir;
    }
    return this.#tmpDir;
  }

  get keptDir(): string {
    if (!this.hasKept) {
      const dir = this.#keptPath;
      // Where staging is gone, so is the root, and it is not made anew.
      if (existsSync(this.#shard.stagingDir)) makeDirectory(dir);
      else mkdirSync(dir);
      this.#keptDir = dir;
    }
    return this.#keptDir!;
  }

  get hasKept(): boolean {
    if (this.#keptDir === undefined && existsSync(this.#keptPath)) this.#keptDir = this.#keptPath;
    return this.#keptDir !== undefined;
  }

  get #keptPath(): string {
    // Keys come from data: nobody may choose two that share a directory.
    return `${this.#shard.keptDir}/${sha256Hex(this.key).slice(0, NAME_DIGITS)}`;
  }

  random(): number {
    this.#random ??= createRandom(`${this.#ports.setup.seed}\n${this.key}`);
    return this.#random();
  }

  progress(): void {
    const cell = activityLayout.slot(this.slot) + activityLayout.progress;
    this.#activity[cell] = monotonicMs();
    this.#ports.activityWritten?.(cell, 1);
  }

  filtered(reason: string): Filtered {
    this.filteredReason = String(reason);
    return { reason: this.filteredReason };
  }

  spawn(command: string, args: readonly string[] = [], options: SpawnOptions = {}): ChildProcess {
    // A group of its own: its children's children are reached too when the item ends.
    const child = spawn(command, [...args], {
      ...options,
      env: { ...childEnv(options.env), ...this.#ownEnv() },
      detached: true,
    });
    // Code of an item that goes on after its end can start nothing that stays.
    if (this.#isOver) killGroup(child.pid);
    this.#children ??= new Set();
    this.#children.add(child);
    if (child.pid !== undefined) this.#ports.processStarted?.(this.seq, child.pid);
    return child;
  }

  runProgram(command: string, args: readonly string[] = [], options: ProgramOptions = {}): Promise<ProgramEnd> {
    this.#programs ??= new ItemPrograms(this.seq, this.#spawners, this.#abort?.signal.aborted);
    return this.#programs.run([command, ...args], { ...options, env: { ...options.env, ...this.#ownEnv() } });
  }

  get ranPrograms(): boolean {
    return this.#programs !== undefined;
  }

  /** By the run's id what was started is found again even when nobody is left who knows its pid. */
  #ownEnv(): Record<string, string> {
    const { run, key, attempt } = this;
    const fits = key.length <= MAX_KEY_IN_ENV && !key.includes("\0");
    return { KAGURAZAKA_RUN: run, KAGURAZAKA_ATTEMPT: `${attempt}`, ...(fits ? { KAGURAZAKA_KEY: key } : {}) };
  }

  /** Fires the signal; the error says why. */
  abort(reason: "timeout" | "cancelled"): void {
    this.#abort ??= new AbortController();
    const name = reason === "timeout" ? "TimeoutError" : "AbortError";
    this.#abort.abort(
      new DOMException(reason === "timeout" ? "the item ran longer than --timeout" : "the run was stopped", name),
    );
    this.#programs?.stop();
  }

  /**
   * The attempt is over: what it started and had for itself goes, and what it kept as well, unless it is to try again.
   * @param looks an earlier attempt may have kept something, which this one need not have touched
   */
  end(finished: boolean, looks = false): void {
    this.#isOver = true;
    if (this.#children) for (const child of this.#children) killGroup(child.pid);
    this.#programs?.end();
    try {
      if (this.#tmpDir !== undefined) rmSync(this.#tmpDir, { recursive: true, force: true });
    } catch {
      // A child that is not quite dead may have written there once more: what is left goes with the run's staging.
    }
    try {
      const kept = this.#keptDir !== undefined || (finished && looks && this.hasKept);
      if (kept && finished) rmSync(this.#keptPath, { recursive: true, force: true });
      else if (kept) rmdirSync(this.#keptPath);
    } catch {
      // Something is kept in it.
    }
  }
}
