import type { ErrorRecord } from "../base/errors.js";
import type { ChunkHeader } from "./chunk.js";
import type { Execution, ExecutionSnapshot, TaskMessage } from "./execution.js";
import type { Json } from "./item.js";
import type { Settled } from "./outcome.js";
import type { BackboneOptions, RunSettings } from "./run-config.js";
import type { ShardTarget, WorkerSetup } from "./wire.js";

/**
 * A fleet: one coordinator, any number of nodes, and a queue between them. The coordinator plans and records; each node runs
 * a local execution over a worker backbone of its own. The queue carries three things:
 *
 *   coordinator ──chunks──▶ queue ──chunks──▶ node         an item is given to one node at a time
 *               ◀─outcomes─       ◀─outcomes─              kept until the coordinator has recorded them
 *               ◀─give-backs──────give-backs──             items that a node has not begun: for another node
 *
 * When a node is lost (killed, cut off), the items that it has not settled go to another node, and the lost attempt does not
 * count. All messages can be cloned; frames of sinks hold bytes.
 *
 * Deliberately not here: retries, timeouts, blame (the node's execution), the ledger (the coordinator).
 */
export interface FleetRequest {
  readonly options: BackboneOptions;
  readonly run: string;
  /** `rootId` of each hard shard whose lease the coordinator holds. */
  readonly rootIds: readonly string[];
  /** Whether a run over one of these shards has surely ended, cleanly or not. */
  isDead(run: string): boolean;
  /** The run as nodes get it. May be called once the execution runs. */
  job(): FleetJob;
  /** The coordinator's bookkeeping over a queue. `openFleet` returns it together with `unrecorded`. */
  createExecution(queue: FleetQueue): FleetExecution;
}

/** A run as nodes get it, without any path. */
export interface FleetJob extends Omit<WorkerSetup, "worker" | "shape" | "shards" | "recycle" | "timeoutMs"> {
  /** By hard shard. */
  readonly shards: readonly FleetShard[];
  readonly settings: Pick<RunSettings, "concurrency" | "chunksize" | "retries" | "backoff" | "timeout" | "grace">;
}

export interface FleetShard extends ShardTarget {
  /** Identifies the shard's state directory in all runs: the content of its `root-id`. */
  readonly rootId: string;
  /** Comes back with outcomes that this run leaves unrecorded. Opaque to the queue. */
  readonly record: Json;
}

/** The coordinator's end of a fleet. */
export interface Fleet extends Execution, AsyncDisposable {
  /**
   * Outcomes that nodes have sent to runs over these shards whose coordinators are dead. Asked once, with the leases held,
   * before the plan is made. Nodes that still work for such a run are stopped. What is told of here may be forgotten once it is
   * recorded; what such a run left of other shards is kept.
   */
  unrecorded(): AsyncIterable<UnrecordedOutcomes>;
}

export interface UnrecordedOutcomes {
  /** From the job of the dead run. */
  readonly shard: FleetShard;
  readonly chunk: ChunkMessage;
  readonly outcomes: NodeOutcomes;
  /** The outcomes are recorded: the queue may drop them. */
  recorded(): void;
}

/** A queue, as the coordinator's bookkeeping uses it. */
export interface FleetQueue {
  /** Puts a chunk into the queue. The caller bounds how much is in it. */
  send(chunk: ChunkMessage): void;
  /** Nodes begin no more items (of one shard, or of all), and give back those they have not begun. */
  drain(graceMs: number, shard?: number): void;
  /**
   * The run is over, and nodes leave it. `done`: nothing of it is kept. `left`: outcomes that nodes have sent, or send while
   * they leave, are kept for the next run over these shards (`Fleet.unrecorded`).
   */
  end(how: "done" | "left"): Promise<void>;
}

/** The coordinator's bookkeeping: the run calls it as an `Execution`, the queue calls the methods below. */
export interface FleetExecution extends Execution {
  /** @param forget called once the outcomes are recorded, so that the queue can drop them */
  onOutcomes(outcomes: NodeOutcomes, forget: () => void): void;
  /** Items given back that no other node gets, because the run is draining. They are cancelled. */
  onGivenBack(chunk: number, indices: readonly number[]): void;
  onNodeMessage(message: NodeMessage): void;
  /** The queue cannot be reached any more. The run ends; items in flight run again next time. */
  onQueueLost(why: string): void;
  /** A node has left the run. With `error`: it cannot work for the run. */
  onNodeLeft(node: string, error?: ErrorRecord): void;
}

/** A chunk as nodes get it. */
export interface ChunkMessage extends ChunkHeader {
  /** Unique in its run. */
  readonly id: number;
  readonly count: number;
  /** The items' JSON, one a line. */
  readonly items: string;
  /** The items' keys, packed by `packKeys`. */
  readonly keys: string;
  /** Indices of the items that have not settled; left out: all. */
  readonly open?: readonly number[];
}

/** Outcomes of some items of a chunk, in any order. */
export interface NodeOutcomes {
  readonly chunk: number;
  /** Pairs (index, durationMs) of items that are done, with nothing to add. */
  readonly plain: readonly number[];
  readonly rest: readonly NodeOutcome[];
}

export interface NodeOutcome extends Settled {
  readonly index: number;
  /** Attempts that count, the last one included. */
  readonly attempt: number;
}

/** The messages of a node, besides outcomes. */
export type NodeMessage =
  | TaskMessage
  | {
      readonly type: "retry";
      readonly chunk: number;
      readonly index: number;
      readonly attempt: number;
      readonly error: ErrorRecord;
      readonly delayMs: number;
    }
  | { readonly type: "shard-failed"; readonly shard: number; readonly error: ErrorRecord }
  | { readonly type: "warning"; readonly message: string }
  | { readonly type: "recycled"; readonly worker: string; readonly why: string }
  /** Sent about every second. */
  | {
      readonly type: "heartbeat";
      readonly node: string;
      readonly snapshot: ExecutionSnapshot;
      /** For how long no item has settled or called `ctx.progress()`, though items are in flight. */
      readonly quietMs: number;
    };

export interface NodeRequest {
  readonly options: BackboneOptions;
  /** The node's name, unique in the fleet. */
  readonly node: string;
  /** The node takes jobs of this task only. */
  readonly taskId: string;
}

/** A node's end of a fleet. */
export interface NodeLink extends AsyncDisposable {
  /** The runs of the node's task, one at a time. Ends when the link is disposed of. */
  jobs(): AsyncIterable<NodeJob>;
}

/** One run, on a node. */
export interface NodeJob {
  readonly job: FleetJob;
  /** Chunks for this node, requested one by one as the node has room. Ends when the run is over or drains. */
  readonly chunks: AsyncIterator<ChunkMessage>;
  /** Called when the run drains (one shard of it, or all): within `graceMs` running items may settle. */
  onDrain(listener: (graceMs: number, shard?: number) => void): void;
  settle(outcomes: NodeOutcomes): void;
  giveBack(chunk: number, indices: readonly number[]): void;
  say(message: NodeMessage): void;
  /**
   * The node works no more for this run: what it has neither settled nor given back goes to other nodes. With `error`: it
   * cannot work for it.
   */
  leave(error?: ErrorRecord): Promise<void>;
}
