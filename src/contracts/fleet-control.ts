import type { IncomingMessage, ServerResponse } from "node:http";
import type { ErrorRecord } from "../base/errors.js";
import type { OutcomeCounts } from "./outcome.js";

/**
 * A fleet as seen by those who are no part of it: `status`, `wait`, `cancel`, `workers` and the dashboard. Everything here is
 * read from the queue; to look changes nothing.
 */
export interface FleetControl extends AsyncDisposable {
  /** Those that run, and those that ended in the last days; the newest first. */
  runs(): Promise<readonly FleetRun[]>;
  /** One of them by its whole name; undefined where it is not known. */
  run(name: string): Promise<FleetRun | undefined>;
  nodes(): Promise<readonly FleetNode[]>;
  /** Asks the run to stop as by SIGINT; one whose coordinator is gone ends at once. `false`: it is not running. */
  cancel(run: string): Promise<boolean>;
  /**
   * Opens the queue's own page, where it has one. It must be closed before the fleet's control.
   * @throws KagurazakaError `environment` where the package of the page is not installed
   */
  openBoard?(options: BoardOptions): Promise<FleetBoard>;
}

export interface BoardOptions {
  /** Where the board is, as `/queues`. */
  readonly path: string;
  /** Whether its users may pause queues, and remove or repeat chunks. Else they only read. */
  readonly allowChanges: boolean;
}

/** Shows the queues of the fleet's open runs. Which runs are open is looked up at each request. */
export interface FleetBoard extends AsyncDisposable {
  /** Answers a request below the path of the board. */
  handle(req: IncomingMessage, res: ServerResponse): void;
}

export interface FleetRun {
  readonly run: string;
  readonly task: string;
  /** Of the output roots that it works on: the contents of their `root-id`. */
  readonly rootIds: readonly string[];
  /**
   * `orphaned`: the coordinator is dead or cut off. Nodes go on with the chunks in the queue; the same command takes over.
   * `draining`: running items may finish, no others start.
   */
  readonly state: "running" | "draining" | "orphaned" | "ended";
  readonly coordinator: { readonly host: string; readonly pid: number };
  /** ISO 8601, by the coordinator's clock. */
  readonly startedAt: string;
  /** What waits in the queue and what nodes have, in chunks. */
  readonly chunks: { readonly waiting: number; readonly active: number };
  /** The last one that the coordinator has sent; undefined in the first second. */
  readonly report: RunReport | undefined;
  /** How long ago that was, in milliseconds. */
  readonly reportAgeMs: number | undefined;
  /** The run that has taken over the work of this one, whose coordinator had died. */
  readonly takenOverBy?: string;
}

/** The state of a run, as its coordinator reports it. */
export interface RunReport {
  readonly counts: Readonly<OutcomeCounts>;
  /** All items are known: the rest is `waiting` and `inFlight`. */
  readonly listed: boolean;
  readonly inFlight: number;
  readonly waiting: number;
  readonly retries: number;
  readonly elapsedMs: number;
  /** Over the last seconds. */
  readonly itemsPerSecond: number;
  /** The most frequent classes, with the first item that failed so. */
  readonly failures: readonly FailureReport[];
  /** The longest running items, the oldest first. */
  readonly oldest: readonly RunningItem[];
  /** Only of a run that has ended. */
  readonly exitCode?: number;
  /** What stopped it early. */
  readonly error?: ErrorRecord;
}

export interface FailureReport {
  readonly class: string;
  readonly count: number;
  readonly key: string;
  readonly error: ErrorRecord;
}

export interface RunningItem {
  readonly key: string;
  readonly sinceMs: number;
  readonly node?: string;
}

/** The state of a node, as it reports it. */
export interface NodeReport {
  readonly host: string;
  readonly pid: number;
  /** Version of kagurazaka. */
  readonly version: string;
  readonly task: string;
  readonly moduleHash: string;
  /** ISO 8601, by the node's clock. */
  readonly startedAt: string;
  /** The worker backbone, as `mp`. */
  readonly backbone: string;
  /** How many items can run at once. */
  readonly slots: number;
  /** The run that it works for. */
  readonly run: string | undefined;
  readonly inFlight: number;
  /** The longest running items, the oldest first. */
  readonly running: readonly RunningItem[];
  /** Items settled since the node started. */
  readonly settled: number;
  /** Over the last seconds. */
  readonly itemsPerSecond: number;
  /** Resident memory of the node's process, in bytes. */
  readonly rssBytes: number;
  /** It takes no more items, and leaves when the running ones have settled. */
  readonly leaving: boolean;
}

export interface FleetNode extends NodeReport {
  readonly node: string;
  /** How long ago its last report came, in milliseconds. */
  readonly ageMs: number;
}
