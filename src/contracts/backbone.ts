import type { ErrorRecord } from "../base/errors.js";
import type { OptionSpecs } from "../base/option-spec.js";
import type { ActivityWriter } from "./activity.js";
import type { Fleet, FleetRequest, NodeLink, NodeRequest } from "./fleet.js";
import type { FromWorker, ToWorker, WorkerSetup, WorkerSite } from "./wire.js";

/**
 * Where items are executed. Two kinds: a **worker backbone** starts workers on this machine; a **fleet backbone** carries
 * chunks to nodes on other machines and outcomes back (see `fleet.ts`).
 *
 * Deliberately not here, because every backbone would get them wrong in its own way: the ledger, retries, timeouts, blame,
 * credits, progress, publication. The runner does those, from messages and from the activity of workers alone.
 */
export type BackboneDefinition<S extends OptionSpecs = OptionSpecs> = WorkerBackbone<S> | FleetBackbone<S>;

interface BackboneBase<S extends OptionSpecs> {
  readonly contract: 2;
  readonly name: string;
  readonly help: string;
  /** The backbone's own flags. */
  readonly options: S;
  /** Kinds of task it can run. */
  readonly kinds: readonly ("item" | "batch")[];
}

/** Values of a backbone's `options`, parsed. */
export type BackboneOptions = Readonly<Record<string, unknown>>;

export interface WorkerBackbone<S extends OptionSpecs = OptionSpecs> extends BackboneBase<S> {
  /** `false`: a loop that blocks cannot be stopped here (and the user is told). */
  readonly killable: boolean;
  /** How many workers the options ask for, without starting any: shown in headers and by `--dry-run`. */
  size(options: BackboneOptions): { workers: number };
  /**
   * The same options, but with each worker in a process of its own, so that a crash of one cannot take the coordinator along;
   * undefined where the options ask for that already. Items that were in flight when a run's process crashed go first, in
   * such workers. Left out: a crash of a worker cannot end the coordinator's process.
   */
  isolated?(options: BackboneOptions): BackboneOptions | undefined;
  openWorkers(request: WorkersRequest): Promise<WorkerSession>;
}

export interface FleetBackbone<S extends OptionSpecs = OptionSpecs> extends BackboneBase<S> {
  /** The coordinator's end. */
  openFleet(request: FleetRequest): Promise<Fleet>;
  /** A node's end. */
  openNode(request: NodeRequest): Promise<NodeLink>;
}

export const isFleetBackbone = (backbone: BackboneDefinition): backbone is FleetBackbone => "openFleet" in backbone;

export interface WorkersRequest {
  readonly options: BackboneOptions;
  /** How many workers will be asked for. */
  readonly workers: number;
  /** URL of the module to run in each worker; its default export is a `WorkerMain`. */
  readonly entry: string;
  /** The run's id. A backbone that starts processes puts it into their environment as `KAGURAZAKA_RUN`. */
  readonly run: string;
  /** To be told of each process that is started, so that none outlives the coordinator. */
  readonly guard: ProcessGuard;
}

/** Keeps process groups that have to end when the coordinator does, however it ends. */
export interface ProcessGuard {
  add(leaderPid: number): void;
  /** The group has ended, or it may stay. */
  remove(leaderPid: number): void;
}

export interface WorkerSession extends AsyncDisposable {
  /**
   * Starts one worker. Messages may be sent at once; they wait until the worker listens. `onExit` is called exactly once,
   * and no message comes after it.
   */
  startWorker(start: WorkerStart, events: WorkerEvents): WorkerChannel;
}

export interface WorkerStart {
  readonly setup: WorkerSetup;
  readonly site: WorkerSite;
  readonly activity: SharedArrayBuffer;
}

export interface WorkerEvents {
  onMessage(message: FromWorker): void;
  onExit(exit: WorkerExit): void;
}

/** How a worker ended. Only `crashed` is held against the items that were running in it. */
export type WorkerExit =
  /** After `close` or `kill`. */
  | { readonly kind: "ended" }
  /** By itself: a crash, an exit, an error that nothing caught. */
  | { readonly kind: "crashed"; readonly error: ErrorRecord }
  /** Out of reach: a connection broke, a machine went away. No item is to blame. */
  | { readonly kind: "lost"; readonly why: string };

export interface WorkerChannel {
  send(message: ToWorker): void;
  /** Ends the worker now, blocked loop or not (where `killable`). `onExit` follows. */
  kill(): void;
  /** What its JavaScript is doing now, as lines `at f (file:line)`, where that can be seen. For reports of stalls. */
  stack?(): Promise<string | undefined>;
  /** Where the activity is no shared memory: brings the coordinator's copy up to date. Exact once the worker is dead. */
  refreshActivity?(): void;
  /** Processes that items of this worker have started. Left out: none that this side could end. */
  readonly processes?: ItemProcesses;
}

/** Processes of items as the channel knows them. Their pids stay inside the backbone: the runner never sees one. */
export interface ItemProcesses {
  /** The item has left its worker, which has ended the item's processes itself. */
  release(seq: number): void;
  /** The worker can no longer end them: all processes of its items end now, and those that are told of later as well. */
  killAll(): void;
}

/** The worker's end of a channel: a MessagePort, or two functions in the same thread. */
export interface WorkerPort {
  post(message: FromWorker): void;
  onMessage(listener: (message: ToWorker) => void): void;
  /**
   * An item has started a process group. Number 0 is no item but the worker itself: such a process ends by itself when the
   * worker does. Left out: the backbone does not keep them.
   */
  processStarted?(seq: number, leaderPid: number): void;
}

export type WorkerMain = (boot: WorkerBoot) => Promise<void>;

export interface WorkerBoot extends WorkerStart {
  readonly port: WorkerPort;
  /** Where the activity is no shared memory: to be called after cells were written. */
  readonly activityWritten?: ActivityWriter;
  /** The process is the worker's own: what is printed in it is the task's. In a thread that goes without saying. */
  readonly ownProcess?: boolean;
}
