import type { ErrorRecord } from "../base/errors.js";
import type { OptionSpecs } from "../base/option-spec.js";
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
  cautious?(options: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> | undefined;
  open(request: BackboneRequest): Promise<BackboneSession>;
}

export interface BackboneRequest {
  /** Parsed values of `options`. */
  readonly options: Readonly<Record<string, unknown>>;
  /** How many workers will be asked for. */
  readonly workers: number;
  /** URL of the module to run in each worker; its default export is a `WorkerMain`. */
  readonly entry: string;
}

export interface BackboneSession extends AsyncDisposable {
  /**
   * Starts one worker. Messages may be sent at once; they wait until the worker listens.
   * `onExit` is called exactly once, with the error that ended it or null after `close` / `kill`.
   */
  startWorker(boot: { setup: WorkerSetup; marks: SharedArrayBuffer }, events: WorkerEvents): WorkerChannel;
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
}

/** The worker's end of a channel: a MessagePort, or two functions in the same thread. */
export interface WorkerPort {
  post(message: FromWorker): void;
  onMessage(listener: (message: ToWorker) => void): void;
}

export type WorkerMain = (boot: { port: WorkerPort; setup: WorkerSetup; marks: SharedArrayBuffer }) => Promise<void>;
