import type { ErrorRecord, FromWorker, WorkerSetup, WorkerSite } from "../../src/kit.js";

/** The messages of worker processes, in addition to those of all workers. */

/** File descriptors of a worker process after 0 to 2. 3 is Node's IPC channel, which carries messages to the worker. */
export const ACTIVITY_FD = 4;
export const MESSAGES_FD = 5;

/** The first message to a worker process. */
export interface ChildBoot {
  readonly setup: WorkerSetup;
  readonly site: WorkerSite;
  readonly activityBytes: number;
}

export type FromChild =
  | FromWorker
  /** `main` has returned, and the process exits. */
  | { readonly type: "over" }
  /** One of its items has started a process group. */
  | { readonly type: "process"; readonly seq: number; readonly leaderPid: number }
  /** An uncaught error ends the process. */
  | { readonly type: "died"; readonly error: ErrorRecord };
