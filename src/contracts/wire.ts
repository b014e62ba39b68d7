import type { ErrorRecord } from "../base/errors.js";
import type { Root } from "./modes.js";
import type { Settled } from "./outcome.js";
import type { TaskRef } from "./task.js";

/** The messages between an execution and a worker. All can be cloned, so any transport will do. */

/** Separates the keys of a message. A list with a key that contains it is packed as JSON, which begins with `[`. */
const KEY_SEPARATOR = "\n";

export function packKeys(keys: readonly string[]): string {
  const joined = keys.join(KEY_SEPARATOR);
  const plain = keys.length > 0 && !keys[0]!.startsWith("[") && count(joined, KEY_SEPARATOR) === keys.length - 1;
  return plain ? joined : JSON.stringify(keys);
}

export function unpackKeys(packed: string): string[] {
  return packed.startsWith("[") ? (JSON.parse(packed) as string[]) : packed.split(KEY_SEPARATOR);
}

function count(text: string, part: string): number {
  let found = 0;
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + 1)) found++;
  return found;
}

/** How many items an executor takes. Depends on the task's kind; used by the feeder. */
export interface ExecutorShape {
  /** Items that run at once; each has a slot of the activity. */
  readonly slots: number;
  /**
   * Items that the executor needs before it begins: a batch executor waits for a full batch. 0: the feeder decides from
   * measured durations how many items wait in a worker.
   */
  readonly queue: number;
}

/** Sent to a worker once, before its first item. Without any path: those of the worker's machine are in its `WorkerSite`. */
export interface WorkerSetup {
  readonly task: TaskRef;
  readonly run: string;
  /** In the environment of processes that items start, as `KAGURAZAKA_OWNER`: they end with the process that has this mark. */
  readonly owner: string;
  /** Names the worker's staging directories: unique in the run, on whichever machine the worker is. */
  readonly worker: string;
  readonly shape: ExecutorShape;
  /** By hard shard. */
  readonly shards: readonly ShardTarget[];
  readonly seed: number;
  readonly durable: boolean;
  /** `false`: outputs are written to their final paths. */
  readonly atomic: boolean;
  /** The worker sends back the values that `process` returns. */
  readonly wantValues: boolean;
  /** An item that ends later than this has failed, whatever it did. */
  readonly timeoutMs?: number | undefined;
  /** The worker is replaced after this many items, or when it uses this much memory. Set by the backbone. */
  readonly recycle?: { readonly afterItems?: number | undefined; readonly bytes?: number | undefined };
}

/** Directories of a hard shard, relative to the `base` of its site. */
export interface ShardTarget {
  /** Holds one staging directory per slot. */
  readonly staging: string;
  /** Holds the `ctx.keptDir`s; it may not exist yet. */
  readonly kept: string;
}

/** The paths on the worker's machine. Never sent: a node makes its own, because mount points differ by machine. */
export interface WorkerSite {
  /** URL of the task's module. */
  readonly taskUrl: string;
  /** URL of the module that is the task's argument. */
  readonly moduleUrl?: string | undefined;
  /** By hard shard. */
  readonly shards: readonly ShardSite[];
}

export interface ShardSite {
  /** Undefined for a task without roots. Absolute. */
  readonly root: Root | undefined;
  /** The directory that a `ShardTarget` is relative to: the output root, where there is one. Absolute. */
  readonly base: string;
}

export type ToWorker =
  | {
      readonly type: "items";
      /** Sequence number of the first item; those of the others follow without a gap. */
      readonly firstSeq: number;
      /** JSON array of the items. */
      readonly items: string;
      /** The items' keys, packed by `packKeys`: cloning an array of short strings would cost more than all the items. */
      readonly keys: string;
      /** Number of the hard shard. */
      readonly shard: number;
      /** The items are redone: the task's `isExecuted` is not asked. */
      readonly forced: boolean;
      /** Attempt numbers that are not 1, by index. */
      readonly attempts?: Readonly<Record<number, number>>;
    }
  | { readonly type: "abort"; readonly seq: number; readonly reason: "timeout" | "cancelled" }
  /** No more items come for now: an executor that waits for a full batch runs the items it has. */
  | { readonly type: "flush" }
  /** Give back the items that have not begun; answered by `leaving`. More items come later. */
  | { readonly type: "give-back" }
  /** Start no more items; answered by `leaving`. */
  | { readonly type: "drain" }
  | { readonly type: "close" };

/** An outcome with more data than a duration. */
export interface WireOutcome extends Settled {
  readonly seq: number;
  readonly status: "done" | "skipped" | "filtered" | "failed";
}

export type FromWorker =
  | { readonly type: "ready" }
  /** `setup()` failed, or the task cannot be loaded here: the run stops. */
  | { readonly type: "unfit"; readonly error: ErrorRecord }
  /** `plain`: pairs (seq, durationMs) of items that are done, with nothing to add. */
  | { readonly type: "settled"; readonly plain: Float64Array; readonly rest: readonly WireOutcome[] }
  | { readonly type: "print"; readonly key: string | null; readonly text: string }
  | {
      readonly type: "log";
      readonly key: string;
      readonly level: "info" | "warn" | "error";
      readonly message: string;
      readonly fields?: unknown;
    }
  /**
   * Items that the worker has not begun: the answer to `drain` and to `give-back` (`why` null). Or the worker has reached a limit
   * of `WorkerSetup.recycle` and starts no more items: then it is replaced once its running items have settled.
   */
  | { readonly type: "leaving"; readonly why: string | null; readonly unstarted: readonly number[] }
  | { readonly type: "closed" };
