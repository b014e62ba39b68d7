import type { ErrorRecord } from "../base/errors.js";
import type { ExecutorShape } from "./executor.js";
import type { Root } from "./modes.js";
import type { Settled } from "./outcome.js";
import type { TaskRef } from "./task.js";

/** Both sides of the wire between an execution and a worker, whatever carries it. Everything here can be cloned. */

/** Between the keys of a message. A key that contains it makes the whole list JSON, which begins with `[`. */
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

/**
 * What a worker needs to know once, before its first item. It holds no path: where things lie on the worker's side is in its
 * `WorkerSite`.
 */
export interface WorkerSetup {
  readonly task: TaskRef;
  readonly run: string;
  /** Names the worker's staging directories: unique in the run, on whichever machine the worker is. */
  readonly worker: string;
  readonly shape: ExecutorShape;
  /** By hard shard. */
  readonly shards: readonly ShardTarget[];
  readonly seed: number;
  readonly durable: boolean;
  /** `false`: write straight to the final path. */
  readonly atomic: boolean;
  /** The values that `process` returns are wanted. */
  readonly wantValues: boolean;
  /** After so many items, or with so much memory, the worker is replaced. Put in by the backbone. */
  readonly recycle?: { readonly afterItems?: number; readonly bytes?: number };
}

/** Directories of a hard shard, as names below the `base` of its site. */
export interface ShardTarget {
  /** Holds one staging directory per slot. */
  readonly staging: string;
  /** Holds what items keep from one attempt to the next; it may not exist yet. */
  readonly kept: string;
}

/**
 * Where things lie on the worker's side of the border. It never crosses: on a node, the node itself says it, for mount points
 * and working directories differ by machine.
 */
export interface WorkerSite {
  /** URL of the task's module. */
  readonly taskUrl: string;
  /** By hard shard. */
  readonly shards: readonly ShardSite[];
}

export interface ShardSite {
  /** Undefined for a task without roots. Absolute. */
  readonly root: Root | undefined;
  /** The directory that the names of a `ShardTarget` are below: the output root, where there is one. Absolute. */
  readonly base: string;
}

export type ToWorker =
  | {
      readonly type: "items";
      /** Sequence number of the first item; the others follow without a gap. */
      readonly firstSeq: number;
      /** JSON array of the items. */
      readonly items: string;
      /** The items' keys, as one text: a list of short texts costs more to send than all the items. */
      readonly keys: string;
      /** Number of the hard shard they all belong to. */
      readonly shard: number;
      /** They run whatever the task's `isExecuted` says: they are to be redone. */
      readonly forced: boolean;
      /** Attempt numbers that are not 1, by index. */
      readonly attempts?: Readonly<Record<number, number>>;
    }
  | { readonly type: "abort"; readonly seq: number; readonly reason: "timeout" | "cancelled" }
  /** No more items come for now: an executor that waits for a full batch runs what it has. */
  | { readonly type: "flush" }
  /** Start nothing more; the answer is `leaving`. */
  | { readonly type: "drain" }
  | { readonly type: "close" };

/** An outcome that has more to say than "done, n ms". */
export interface WireOutcome extends Settled {
  readonly seq: number;
  readonly status: "done" | "skipped" | "filtered" | "failed";
}

export type FromWorker =
  | { readonly type: "ready" }
  /** `setup()` failed or the task cannot be loaded here: the run stops, once. */
  | { readonly type: "unfit"; readonly error: ErrorRecord }
  /** `plain`: pairs (seq, durationMs) of items that are done and have nothing to add. */
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
   * The worker starts nothing more, and gives back the items that it has not begun: asked to by `drain` (`why` null), or by
   * itself, for it has reached a limit of `WorkerSetup.recycle`. Then it is closed and replaced once it has nothing left.
   */
  | { readonly type: "leaving"; readonly why: string | null; readonly unstarted: readonly number[] }
  | { readonly type: "closed" };
