import type { ErrorRecord } from "../base/errors.js";
import type { SinkFrame } from "./sink.js";
import type { TaskRef } from "./task.js";

/** Both sides of the wire between the dispatcher and a worker, whatever carries it. Everything here can be cloned. */

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

/** What a worker needs to know once, before its first item. */
export interface WorkerSetup {
  readonly task: TaskRef;
  readonly run: string;
  readonly workerId: number;
  /** Items at once in this worker. */
  readonly concurrency: number;
  /** By hard shard: the directory that holds one staging directory per slot. */
  readonly stagingDirs: readonly string[];
  /** By hard shard: the directory that holds what items keep from one attempt to the next; it may not exist yet. */
  readonly keptRoots: readonly string[];
  readonly seed: number;
  readonly durable: boolean;
  /** `false`: write straight to the final path. */
  readonly atomic: boolean;
  /** Somebody wants what `process` returns. */
  readonly wantValues: boolean;
  /** After so many items, or with so much memory, the worker makes room for a fresh one. Put in by the backbone. */
  readonly recycle?: { readonly afterItems?: number; readonly bytes?: number };
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
  /** Start nothing more; what was not started comes back as `held`. */
  | { readonly type: "hold" }
  | { readonly type: "close" };

/** An outcome that has more to say than "done, n ms". */
export interface WireOutcome {
  readonly seq: number;
  readonly status: "done" | "skipped" | "filtered" | "failed";
  readonly durationMs: number;
  readonly reason?: string;
  readonly error?: ErrorRecord;
  readonly value?: unknown;
  readonly frame?: SinkFrame;
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
   * A child process of an item: it dies with the item even when the worker can no longer see to it. Number 0 is no item: what
   * the worker itself has started, which ends by itself when the worker does.
   */
  | { readonly type: "spawned"; readonly seq: number; readonly pid: number }
  /** Sequence numbers that were never started and are given back: the answer to `hold`, or the worker is `worn`. */
  | { readonly type: "held"; readonly unstarted: readonly number[] }
  /** It starts nothing more, by `WorkerSetup.recycle`: once it has nothing left, it is to be closed and replaced. */
  | { readonly type: "worn"; readonly why: string }
  | { readonly type: "closed" };
