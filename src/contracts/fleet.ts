import type { ErrorRecord } from "../base/errors.js";
import type { ChunkHeader } from "./chunk.js";
import type { Execution, ExecutionSnapshot, TaskMessage } from "./execution.js";
import type { NodeReport, RunReport } from "./fleet-control.js";
import type { Json } from "./item.js";
import type { Settled } from "./outcome.js";
import type { BackboneOptions, RunSettings, WrittenConfig } from "./run-config.js";
import type { TaskRef } from "./task.js";
import type { ShardTarget, WorkerSetup } from "./wire.js";

/**
 * A fleet: one coordinator, any number of nodes, and a queue between them. The coordinator plans and records; each node runs
 * a local execution over a worker backbone of its own. The queue carries three things:
 *
 *   coordinator ──chunks──▶ queue ──chunks──▶ node         a chunk is given to one node at a time
 *               ◀─outcomes─       ◀─outcomes─              kept until the coordinator has recorded them
 *               ◀─give-backs──────give-backs──             items that a node has not begun
 *
 * The coordinator sends again what comes back without an outcome. The items of a lost node (killed, cut off) are sent again as
 * *isolated* chunks: a node runs such items one by one, in a process of their own, while it runs nothing else. The lost attempt
 * does not count, but an item that is alone on a node that is lost has taken two nodes with it, and fails.
 * All messages can be cloned; frames of sinks hold bytes.
 *
 * Deliberately not here: retries, timeouts, blame of workers (the node's execution), the ledger (the coordinator).
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
  onWarning(message: string): void;
  /** The coordinator's bookkeeping over a queue. `openFleet` returns it together with `unrecorded`. */
  createExecution(queue: FleetQueue): FleetExecution;
}

/** A run as nodes get it: data only, no code, no absolute path, no secret. Each node makes the `TaskRef` of its workers. */
export interface FleetJob
  extends Omit<WorkerSetup, "task" | "owner" | "worker" | "shape" | "shards" | "recycle" | "timeoutMs"> {
  readonly task: FleetTask;
  /** By hard shard. */
  readonly shards: readonly FleetShard[];
  readonly settings: Pick<RunSettings, "concurrency" | "chunksize" | "retries" | "backoff" | "timeout" | "grace">;
}

export interface FleetTask extends Pick<TaskRef, "source" | "id" | "kind" | "moduleHash"> {
  /** The id without what `idFor` makes of it: nodes look for runs by this one. */
  readonly baseId: string;
  /** Hashes of the local files, by path relative to the task file: to name the one that differs. */
  readonly files: Readonly<Record<string, string>>;
  /** Values as they were written: each node resolves `${oc.env:NAME}` by itself. */
  readonly config: WrittenConfig;
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
  /** The state of the run, about every second, and once at its end with an exit code. For those who watch the fleet. */
  report?(report: RunReport): void;
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
  /**
   * Items that come back without an outcome, through nobody's fault: a node has not begun them, or the queue has lost them.
   * They are sent again, in another chunk. @param indices default: all items of the chunk that have not settled
   */
  onGivenBack(chunk: number, indices?: readonly number[]): void;
  /** A node begins an item of an isolated chunk, and runs nothing else. */
  onBegunAlone(chunk: number, index: number): void;
  /** The node that had the chunk is lost. Its items are sent again, isolated. */
  onLost(chunk: number): void;
  /** Whether an item of the chunk has not settled. */
  isOpen(chunk: number): boolean;
  /** The chunks that are open. */
  openChunks(): Iterable<number>;
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
  /** Attempt numbers that are not 1, by index. */
  readonly attempts?: Readonly<Record<number, number>>;
  /** A node that had these items was lost: they run one by one, in a process of their own. */
  readonly isolated?: boolean;
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
  /** The node takes jobs of this task only: of this `baseId`. */
  readonly taskId: string;
  /** The state of the node, for those who watch the fleet. Asked about every second, also between runs. */
  describe(): NodeReport;
  onWarning(message: string): void;
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
  /** Resolves once the queue keeps the outcomes. */
  settle(outcomes: NodeOutcomes): Promise<void>;
  giveBack(chunk: number, indices: readonly number[]): void;
  /** Resolves once the queue knows it. */
  beginAlone(chunk: number, index: number): Promise<void>;
  say(message: NodeMessage): void;
  /**
   * The node works no more for this run: what it has neither settled nor given back goes to other nodes. With `error`: it
   * cannot work for it.
   */
  leave(error?: ErrorRecord): Promise<void>;
}
