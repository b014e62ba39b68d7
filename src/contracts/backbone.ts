import type { ErrorRecord } from "../base/errors.js";
import type { OptionSpecs } from "../base/option-spec.js";
import type { ActivityWriter } from "./activity.js";
import type { FromWorker, ToWorker, WorkerSetup } from "./wire.js";

/**
 * A backbone starts workers, carries messages to and from them, and ends them. That is all.
 *
 * Deliberately not here, because every backbone would get them wrong in its own way: the ledger, retries, timeouts,
 * blame, credits, progress, publication. The dispatcher does those from the messages and marks alone.
 */
export interface BackboneDefinition<S extends OptionSpecs = OptionSpecs> {
  readonly contract: 1;
  readonly name: string;
  readonly help: string;
  /** The backbone's own flags. */
  readonly options: S;
  /** Kinds of task it can run. */
  readonly kinds: readonly ("item" | "batch")[];
  /** `false`: a loop that blocks cannot be stopped here (and the user is told). */
  readonly killable: boolean;
  /** Workers and items at once, from the options, without starting anything: shown in headers and `--dry-run`. */
  size(options: Readonly<Record<string, unknown>>): { workers: number };
  /**
   * The same options, but with workers whose death takes nobody along; undefined where they are such already. What was under
   * way in a run that died whole goes first, in these. Left out: a worker's death cannot end the whole process.
   */
  isolated?(options: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> | undefined;
  open(request: BackboneRequest): Promise<BackboneSession>;
}

export interface BackboneRequest {
  /** Parsed values of `options`. */
  readonly options: Readonly<Record<string, unknown>>;
  /** How many workers will be asked for. */
  readonly workers: number;
  /** URL of the module to run in each worker; its default export is a `WorkerMain`. */
  readonly entry: string;
  /** The run's id. A backbone that starts processes puts it into their environment as `KAGURAZAKA_RUN`. */
  readonly run: string;
  /** Where it tells which processes it starts, so that none outlives the coordinator. */
  readonly guard: ProcessGuard;
}

/** Keeps process groups that have to end when the coordinator does, however it ends. */
export interface ProcessGuard {
  add(leaderPid: number): void;
  /** It has ended, or it may stay. */
  remove(leaderPid: number): void;
}

export interface BackboneSession extends AsyncDisposable {
  /**
   * Starts one worker. Messages may be sent at once; they wait until the worker listens.
   * `onExit` is called exactly once, with the error that ended it or null after `close` / `kill`.
   */
  startWorker(boot: { setup: WorkerSetup; activity: SharedArrayBuffer }, events: WorkerEvents): WorkerChannel;
}

export interface WorkerEvents {
  onMessage(message: FromWorker): void;
  onExit(error: ErrorRecord | null): void;
}

export interface WorkerChannel {
  send(message: ToWorker): void;
  /** Ends the worker now, blocked loop or not (where `killable`). `onExit` follows. */
  kill(): void;
  /** What its JavaScript is doing now, as lines `at f (file:line)`, where that can be seen. For reports of stalls. */
  stack?(): Promise<string | undefined>;
  /** Where the marks are no shared memory: brings the coordinator's copy up to date. Exact once the worker is dead. */
  refreshActivity?(): void;
}

/** The worker's end of a channel: a MessagePort, or two functions in the same thread. */
export interface WorkerPort {
  post(message: FromWorker): void;
  onMessage(listener: (message: ToWorker) => void): void;
}

export type WorkerMain = (boot: WorkerBoot) => Promise<void>;

export interface WorkerBoot {
  readonly port: WorkerPort;
  readonly setup: WorkerSetup;
  readonly activity: SharedArrayBuffer;
  /** Where the marks are no shared memory: called when `count` cells from `cell` on have been written. */
  readonly activityWritten?: ActivityWriter;
  /** The process is the worker's own: what is printed in it is the task's. In a thread that goes without saying. */
  readonly ownProcess?: boolean;
}
