import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, rmdirSync, rmSync } from "node:fs";
import { monotonicMs } from "../../base/clock.js";
import { NAME_DIGITS, sha256Hex } from "../../base/hash.js";
import { makeOwnDirectory } from "../../base/make-directory.js";
import { removeLinks } from "../../base/own-directory.js";
import { killGroup } from "../../base/process-group.js";
import { createRandom } from "../../base/random.js";
import { activityLayout } from "../../contracts/activity.js";
import type { ExecutorPorts } from "../../contracts/executor.js";
import type { Filtered, ProgramEnd, ProgramOptions, TaskContext, TaskLog } from "../../contracts/task.js";
import type { WorkerShard, WorkerTask } from "../program/worker-task.js";
import { childEnv } from "./child-env.js";
import { ItemPrograms } from "./programs/item-programs.js";
import type { SpawnerPool } from "./programs/pool.js";
import type { ReceivedChunk } from "./received-chunk.js";

/** No environment holds a zero byte, and none a variable of more than 128 KiB. */
const MAX_KEY_IN_ENV = 32_768;

/** What the contexts of one executor share. */
export interface ContextShared extends Pick<ExecutorPorts, "setup" | "activityWritten" | "log"> {
  readonly processStarted?: ExecutorPorts["processStarted"];
  readonly task: WorkerTask;
  readonly activity: Float64Array;
  /** Starts the programs of `runProgram`. */
  readonly spawners: SpawnerPool;
}

/** Which item of which message, in which slot. */
interface ItemInSlot {
  readonly slot: number;
  readonly chunk: ReceivedChunk;
  readonly index: number;
}

/** The `ctx` argument of `process`. Cheap to create: everything costly is created on first use. */
export class ItemContext implements TaskContext {
  readonly seq: number;
  readonly slot: number;
  readonly attempt: number;
  /** Set by the executor just before `process` is called. */
  startedMs = 0;
  /** Set by the executor when `process` returned a promise. */
  awaited = false;
  readonly #chunk: ReceivedChunk;
  readonly #index: number;
  readonly #shared: ContextShared;
  #abort: AbortController | undefined;
  #random: (() => number) | undefined;
  #tmpDir: string | undefined;
  /** Set once the directory is known to exist. */
  #keptDir: string | undefined;
  #children: Set<ChildProcess> | undefined;
  #programs: ItemPrograms | undefined;
  #isOver = false;
  /** Set by `filtered`, whether or not the task returns its result. */
  filteredReason: string | undefined;

  /** Counted with `count`, by name. */
  amounts: Record<string, number> | undefined;

  constructor(shared: ContextShared, { slot, chunk, index }: ItemInSlot) {
    this.#shared = shared;
    this.#chunk = chunk;
    this.#index = index;
    this.slot = slot;
    this.seq = chunk.firstSeq + index;
    this.attempt = chunk.attempts[index] ?? 1;
  }

  get key(): string {
    return this.#chunk.keyAt(this.#index);
  }

  /** The item as the message carried it. */
  get wire(): unknown {
    return this.#chunk.items[this.#index];
  }

  /** The hard shard it belongs to. */
  get shard(): number {
    return this.#chunk.shard;
  }

  get #place(): WorkerShard {
    return this.#shared.task.shards[this.shard]!;
  }

  /** The item is redone, whatever the task's `isExecuted` returns. */
  get forced(): boolean {
    return this.#chunk.forced;
  }

  get run(): string {
    return this.#shared.setup.run;
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    return this.#abort.signal;
  }

  get log(): TaskLog {
    const send = (level: "info" | "warn" | "error") => (message: string, fields?: Record<string, unknown>) =>
      this.#shared.log(this.key, level, message, fields);
    return { info: send("info"), warn: send("warn"), error: send("error") };
  }

  get tmpDir(): string {
    if (this.#tmpDir === undefined) {
      const dir = `${this.#place.stagingDir}/${this.#shared.setup.worker}-${this.slot}.tmp`;
      rmSync(dir, { recursive: true, force: true });
      mkdirSync(dir);
      this.#tmpDir = dir;
    }
    return this.#tmpDir;
  }

  get keptDir(): string {
    if (!this.hasKept) {
      const dir = this.#keptPath;
      // If staging is gone, the root is gone too, and it must not be created again.
      if (existsSync(this.#place.stagingDir)) makeOwnDirectory(dir);
      else mkdirSync(dir);
      this.#keptDir = dir;
    }
    return this.#keptDir!;
  }

  get hasKept(): boolean {
    // A symbolic link is not ours, and making the directory says so.
    const isThere = () => lstatSync(this.#keptPath, { throwIfNoEntry: false })?.isDirectory();
    if (this.#keptDir === undefined && isThere()) {
      // An earlier attempt has left it, or an archive brought it.
      removeLinks(this.#keptPath);
      this.#keptDir = this.#keptPath;
    }
    return this.#keptDir !== undefined;
  }

  get #keptPath(): string {
    // Keys come from data: two crafted keys must not share a directory, hence SHA-256.
    return `${this.#place.keptDir}/${sha256Hex(this.key).slice(0, NAME_DIGITS)}`;
  }

  random(): number {
    this.#random ??= createRandom(`${this.#shared.setup.seed}\n${this.key}`);
    return this.#random();
  }

  progress(): void {
    const cell = activityLayout.slot(this.slot) + activityLayout.progress;
    this.#shared.activity[cell] = monotonicMs();
    this.#shared.activityWritten?.(cell, 1);
  }

  count(name: string, amount = 1): void {
    this.amounts ??= {};
    this.amounts[name] = (Object.hasOwn(this.amounts, name) ? this.amounts[name]! : 0) + amount;
  }

  filtered(reason: string): Filtered {
    this.filteredReason = String(reason);
    return { reason: this.filteredReason };
  }

  spawn(command: string, args: readonly string[] = [], options: SpawnOptions = {}): ChildProcess {
    // Its own process group: grandchildren are killed too when the item ends.
    const child = spawn(command, [...args], {
      ...options,
      env: { ...childEnv(options.env), ...this.#ownEnv() },
      detached: true,
    });
    // Code that goes on after the end of its item must not leave a process behind.
    if (this.#isOver) killGroup(child.pid);
    this.#children ??= new Set();
    this.#children.add(child);
    if (child.pid !== undefined) this.#shared.processStarted?.(this.seq, child.pid);
    return child;
  }

  runProgram(command: string, args: readonly string[] = [], options: ProgramOptions = {}): Promise<ProgramEnd> {
    this.#programs ??= new ItemPrograms(this.seq, this.#shared.spawners, this.#abort?.signal.aborted);
    return this.#programs.run([command, ...args], { ...options, env: { ...options.env, ...this.#ownEnv() } });
  }

  get ranPrograms(): boolean {
    return this.#programs !== undefined;
  }

  /** The owner's mark in the environment identifies processes of the run even after their parent exited. */
  #ownEnv(): Record<string, string> {
    const { key, attempt } = this;
    const { run, owner } = this.#shared.setup;
    const fits = key.length <= MAX_KEY_IN_ENV && !key.includes("\0");
    return {
      KAGURAZAKA_RUN: run,
      KAGURAZAKA_OWNER: owner,
      KAGURAZAKA_ATTEMPT: `${attempt}`,
      ...(fits ? { KAGURAZAKA_KEY: key } : {}),
    };
  }

  /** Fires the signal; its reason is the error. */
  abort(reason: "timeout" | "cancelled"): void {
    this.#abort ??= new AbortController();
    const name = reason === "timeout" ? "TimeoutError" : "AbortError";
    this.#abort.abort(
      new DOMException(reason === "timeout" ? "the item ran longer than --timeout" : "the run was stopped", name),
    );
    this.#programs?.stop();
  }

  /**
   * The attempt is over: ends its processes and removes `tmpDir`; removes `keptDir` too, unless the item is retried.
   * @param looks check for a `keptDir` of an earlier attempt, even when this attempt did not use it
   */
  end(finished: boolean, looks = false): void {
    this.#isOver = true;
    if (this.#children) for (const child of this.#children) killGroup(child.pid);
    this.#programs?.end();
    try {
      if (this.#tmpDir !== undefined) rmSync(this.#tmpDir, { recursive: true, force: true });
    } catch {
      // A dying child may still write there; the rest is removed with the run's staging.
    }
    try {
      const kept = this.#keptDir !== undefined || (finished && looks && this.hasKept);
      if (kept && finished) rmSync(this.#keptPath, { recursive: true, force: true });
      else if (kept) rmdirSync(this.#keptPath);
    } catch {
      // The directory is not empty.
    }
  }
}
