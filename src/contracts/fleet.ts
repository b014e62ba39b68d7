import type { ErrorRecord } from "../base/errors.js";
import type { BackboneOptions } from "./backbone.js";
import type { ChunkHeader } from "./chunk.js";
import type { Execution, ExecutionSnapshot, TaskMessage } from "./execution.js";
import type { Json } from "./item.js";
import type { Settled } from "./outcome.js";
import type { RunSettings } from "./run-config.js";
import type { ShardTarget, WorkerSetup } from "./wire.js";

/**
 * A fleet: one coordinator, any number of nodes, and a queue between them. The coordinator plans and records; each node runs
 * a local execution over a worker backbone of its own. The queue carries three things:
 *
 *   coordinator ──chunks──▶ queue ──chunks──▶ node         an item is given to one node at a time
 *               ◀─outcomes─       ◀─outcomes─              kept until the coordinator has recorded them
 *               ◀─give-backs──────give-backs──             items that a node has not begun: for another node
 *
 * A node that is lost (killed, cut off) costs no item an attempt: what it has not settled is given to another node. Everything
 * here can be cloned; frames of sinks hold bytes.
 *
 * Deliberately not here: retries, timeouts, blame (the node's execution), the ledger (the coordinator).
 */
export interface FleetRequest {
  readonly options: BackboneOptions;
  readonly run: string;
  /** `rootId` of each hard shard whose lease the coordinator holds. */
  readonly rootIds: readonly string[];
  /** Whether a run over one of these shards has ended, however it did: its coordinator does not come back. */
  isDead(run: string): boolean;
  /** What nodes need to know; to be asked when the execution runs. */
  job(): FleetJob;
  /** The bookkeeping of a coordinator's end, over the queue: what `openFleet` returns is made of it. */
  createExecution(queue: FleetQueue): FleetExecution;
}

/** What a node needs to know of a run. It holds no path. */
export interface FleetJob extends Omit<WorkerSetup, "worker" | "shape" | "shards" | "recycle"> {
  /** By hard shard. */
  readonly shards: readonly FleetShard[];
  readonly settings: Pick<RunSettings, "concurrency" | "chunksize" | "retries" | "backoff" | "timeout" | "grace">;
}

export interface FleetShard extends ShardTarget {
  /** Names the shard's state directory, in every run: the content of its `root-id`. */
  readonly rootId: string;
  /** Given back with outcomes that this run leaves unrecorded; the queue does not look inside. */
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
  /** As the dead run's job has it. */
  readonly shard: FleetShard;
  readonly chunk: ChunkMessage;
  readonly outcomes: NodeOutcomes;
  /** They are on record: the queue may forget them. */
  recorded(): void;
}

/** What the bookkeeping of a coordinator asks of a queue. */
export interface FleetQueue {
  /** Puts a chunk where nodes take it. How much is in the queue at a time is bounded by the caller. */
  send(chunk: ChunkMessage): void;
  /** Nodes begin no more items (of one shard, or of all), and give back what they have not begun. */
  drain(graceMs: number, shard?: number): void;
  /**
   * The run is over, and nodes leave it. `done`: nothing of it is kept. `left`: outcomes that nodes have sent, or send while
   * they leave, are kept for the next run over these shards (`Fleet.unrecorded`).
   */
  end(how: "done" | "left"): Promise<void>;
}

/** The bookkeeping of a coordinator: an `Execution` for the run, and the calls by which a queue tells what nodes say. */
export interface FleetExecution extends Execution {
  /** @param forget called once the outcomes are on record: the queue may forget them */
  onOutcomes(outcomes: NodeOutcomes, forget: () => void): void;
  /** Items that are to be given to another node and cannot be: the run is draining. They are cancelled. */
  onGivenBack(chunk: number, indices: readonly number[]): void;
  onNodeMessage(message: NodeMessage): void;
  /** The queue is out of reach, for good. The run ends; items in flight run again next time. */
  onQueueLost(why: string): void;
  /** A node has left the run. With `error`: it cannot work for it. */
  onNodeLeft(node: string, error?: ErrorRecord): void;
}

/** Items as they cross to a node. */
export interface ChunkMessage extends ChunkHeader {
  /** Unique in its run. */
  readonly id: number;
  readonly count: number;
  /** The items' JSON, one a line. */
  readonly items: string;
  /** The items' keys, as `packKeys` packs them. */
  readonly keys: string;
  /** Indices of the items that are still to be done; left out: all. */
  readonly open?: readonly number[];
}

/** What became of some items of a chunk, in any order; others may follow. */
export interface NodeOutcomes {
  readonly chunk: number;
  /** Pairs (index, durationMs) of items that are done and have nothing to add. */
  readonly plain: readonly number[];
  readonly rest: readonly NodeOutcome[];
}

export interface NodeOutcome extends Settled {
  readonly index: number;
  /** Tries that count, the last one included. */
  readonly attempt: number;
}

/** What a node says besides outcomes. */
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
  /** Sent every second or so: the node is alive. */
  | {
      readonly type: "heartbeat";
      readonly node: string;
      readonly snapshot: ExecutionSnapshot;
      /** For how long nothing has settled or called `ctx.progress()` there, though items are in flight. */
      readonly quietMs: number;
    };

export interface NodeRequest {
  readonly options: BackboneOptions;
  /** The node's name, unique in the fleet. */
  readonly node: string;
  /** The task that this node runs: it takes jobs of this id. */
  readonly taskId: string;
}

/** A node's end of a fleet. */
export interface NodeLink extends AsyncDisposable {
  /** The runs of the node's task, as they come, one at a time. Ends when the link is disposed of. */
  jobs(): AsyncIterable<NodeJob>;
}

/** One run, on a node. */
export interface NodeJob {
  readonly job: FleetJob;
  /** Chunks for this node, asked for one by one as the node has room. Ends when the run is over or drains. */
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
