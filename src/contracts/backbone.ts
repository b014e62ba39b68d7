import type { ErrorRecord } from "../base/errors.js";
import type { OptionSpecs } from "../base/option-spec.js";
import type { ActivityWriter } from "./activity.js";
import type { Fleet, FleetRequest, NodeLink, NodeRequest } from "./fleet.js";
import type { FleetControl } from "./fleet-control.js";
import type { BackboneOptions } from "./run-config.js";
import type { TaskKind } from "./task.js";
import type { FromWorker, ToWorker, WorkerSetup, WorkerSite } from "./wire.js";

/**
 * Where items are executed. A **worker backbone** starts workers on this machine; a **fleet backbone** sends chunks to nodes
 * on other machines and receives outcomes (see `fleet.ts`).
 *
 * Deliberately not here, so that all backbones behave alike: ledger, retries, timeouts, blame, credits, progress, publication.
 * The runner does those, from messages and from the activity of workers.
 */
export type BackboneDefinition<S extends OptionSpecs = OptionSpecs> = WorkerBackbone<S> | FleetBackbone<S>;

interface BackboneBase<S extends OptionSpecs> {
  readonly contract: 2;
  readonly name: string;
  readonly help: string;
  /** The backbone's own flags. */
  readonly options: S;
  /** Kinds of task it can run. */
  readonly kinds: readonly TaskKind[];
}

export interface WorkerBackbone<S extends OptionSpecs = OptionSpecs> extends BackboneBase<S> {
  /** `false`: a worker whose loop is blocked cannot be stopped (the user is told). */
  readonly killable: boolean;
  /** How many workers the options ask for, without starting any: shown in headers and by `--dry-run`. */
  size(options: BackboneOptions): { workers: number };
  /**
   * The same options, but with each worker in a process of its own; undefined where the options ask for that already. After a
   * crash of a run's process, the items that were in flight go first, in such workers. Left out: a crash of a worker cannot
   * end the coordinator's process.
   */
  isolated?(options: BackboneOptions): BackboneOptions | undefined;
  /**
   * Starts workers of a run that is still to come, on a node that waits: they load the task, so that the first items begin
   * sooner. Left out: workers start with their run.
   */
  warmUp?(request: WarmUpRequest): Promise<WarmWorkers | undefined>;
  openWorkers(request: WorkersRequest): Promise<WorkerSession>;
}

export interface FleetBackbone<S extends OptionSpecs = OptionSpecs> extends BackboneBase<S> {
  /** The coordinator's end. */
  openFleet(request: FleetRequest): Promise<Fleet>;
  /** A node's end. */
  openNode(request: NodeRequest): Promise<NodeLink>;
  /** For those who watch the fleet. Left out: the fleet cannot be watched, and a second start of a run is refused. */
  openControl?(options: BackboneOptions): Promise<FleetControl>;
}

export const isFleetBackbone = (backbone: BackboneDefinition): backbone is FleetBackbone => "openFleet" in backbone;

export interface WarmUpRequest extends Pick<WorkersRequest, "options" | "workers" | "entry"> {
  /** URL of the task's module. */
  readonly taskUrl: string;
}

/** Workers without a run. Handed to `openWorkers`, they belong to its session; else they have to be disposed of. */
export type WarmWorkers = AsyncDisposable;

export interface WorkersRequest {
  readonly options: BackboneOptions;
  /** How many workers will be asked for. */
  readonly workers: number;
  /** URL of the module to run in each worker; its default export is a `WorkerMain`. */
  readonly entry: string;
  /** The run's id. A backbone that starts processes puts it into their environment as `KAGURAZAKA_RUN`. */
  readonly run: string;
  /** The mark of processes that must end with this process: in their environment as `KAGURAZAKA_OWNER`. */
  readonly owner: string;
  /** Every process that the backbone starts has to be added, so that none outlives the coordinator. */
  readonly guard: ProcessGuard;
  /** What `warmUp` of this backbone has returned; ignored where the request asks for other workers. */
  readonly warm?: WarmWorkers | undefined;
}

/** Kills process groups when the coordinator ends, even by SIGKILL. */
export interface ProcessGuard {
  add(leaderPid: number): void;
  /** The group has ended, or may outlive the coordinator. */
  remove(leaderPid: number): void;
}

export interface WorkerSession extends AsyncDisposable {
  /**
   * Starts one worker. Messages may be sent at once; they are queued until the worker listens. `onExit` is called exactly once,
   * and no message comes after it.
   */
  startWorker(start: WorkerStart, events: WorkerEvents): WorkerChannel;
  /** After the disposal: threads that could not be ended, because each is blocked in a native call. Left out: none. */
  blocked?(): number;
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

/** How a worker ended. Only after `crashed` are the items that were running suspected. */
export type WorkerExit =
  /** After `close` or `kill`. */
  | { readonly kind: "ended" }
  /** By itself: a crash, an exit, an uncaught error. */
  | { readonly kind: "crashed"; readonly error: ErrorRecord }
  /** Out of reach: a connection or a machine failed. */
  | { readonly kind: "lost"; readonly why: string };

export interface WorkerChannel {
  send(message: ToWorker): void;
  /** Ends the worker now, even if its loop is blocked (where `killable`). `onExit` follows. */
  kill(): void;
  /** The current JavaScript stack, as lines `at f (file:line)`, for reports of stalls. Undefined where it is not known. */
  stack?(): Promise<string | undefined>;
  /** Where memory cannot be shared: updates the coordinator's copy of the activity. Exact once the worker is dead. */
  refreshActivity?(): void;
  /** The processes that items of this worker have started. Left out: the channel cannot end them. */
  readonly processes?: ItemProcesses;
}

/** The processes that items of one worker have started. Their pids stay inside the backbone. */
export interface ItemProcesses {
  /** The item has settled, and its worker has ended the item's processes. */
  release(seq: number): void;
  /** The worker is gone: kills all processes of its items, and those that are reported later. */
  killAll(): void;
}

/** The worker's end of a channel: a MessagePort, or two functions in the same thread. */
export interface WorkerPort {
  post(message: FromWorker): void;
  onMessage(listener: (message: ToWorker) => void): void;
  /**
   * An item has started a process group. `seq` 0 stands for the worker itself; such a process ends by itself when the worker
   * does. Left out: the backbone does not track processes.
   */
  processStarted?(seq: number, leaderPid: number): void;
}

export type WorkerMain = (boot: WorkerBoot) => Promise<void>;

export interface WorkerBoot extends WorkerStart {
  readonly port: WorkerPort;
  /** Where memory cannot be shared: has to be called after cells were written. */
  readonly activityWritten?: ActivityWriter;
  /**
   * Everything printed in this thread or process comes from the task, and is sent to the coordinator. Default: true in a thread.
   */
  readonly ownProcess?: boolean;
}
