import type { ErrorRecord, FromWorker, WorkerSetup, WorkerSite } from "../../src/kit.js";

/** What a worker process is started with, and says, besides what all workers say. */

/** Streams of a worker process beyond 0 to 2; 3 is Node's own channel, by which messages reach it. */
export const ACTIVITY_FD = 4;
export const MESSAGES_FD = 5;

/** The first message to it. */
export interface ChildBoot {
  readonly setup: WorkerSetup;
  readonly site: WorkerSite;
  readonly activityBytes: number;
}

export type FromChild =
  | FromWorker
  /** Its `main` has come to its end, and so has it. */
  | { readonly type: "over" }
  /** One of its items has started a process group. */
  | { readonly type: "process"; readonly seq: number; readonly leaderPid: number }
  /** An uncaught error ends it. */
  | { readonly type: "died"; readonly error: ErrorRecord };
