import { monotonicMs } from "../../base/clock.js";
import type { ErrorRecord } from "../../base/errors.js";
import type { ExecutionSnapshot } from "../../contracts/execution.js";
import type { NodeMessage } from "../../contracts/fleet.js";

type Heartbeat = Extract<NodeMessage, { type: "heartbeat" }>;

/** Nodes come at different times: one that cannot work for the run may be followed by one that can. */
const REPLACED_WITHIN_MS = 5000;
/** One with another version of the code is started again when it has been brought to this one. */
const UPDATED_WITHIN_MS = 15_000;

/** What the nodes of a run have said last. */
export class NodeHeartbeats {
  readonly #last = new Map<string, Heartbeat>();
  /** Why the last node has left, if it cannot work for the run. */
  #refusal: { readonly error: ErrorRecord; readonly atMs: number } | undefined;

  get count(): number {
    return this.#last.size;
  }

  /** Items that all nodes have. */
  get inFlight(): number {
    return [...this.#last.values()].reduce((sum, { snapshot }) => sum + snapshot.inFlight, 0);
  }

  add(heartbeat: Heartbeat): void {
    this.#last.set(heartbeat.node, heartbeat);
    this.#refusal = undefined;
  }

  remove(node: string): void {
    this.#last.delete(node);
  }

  /** A node has left that cannot work for the run. */
  refused(error: ErrorRecord): void {
    this.#refusal = { error, atMs: monotonicMs() };
  }

  /** Why no node works for the run: those that tried could not, and no other one has come in time. */
  refusal(): ErrorRecord | undefined {
    if (!this.#refusal || this.count > 0) return undefined;
    const { error, atMs } = this.#refusal;
    const waitMs = error.code === "task-load" ? UPDATED_WITHIN_MS : REPLACED_WITHIN_MS;
    return monotonicMs() - atMs < waitMs ? undefined : error;
  }

  /** The item that has been running for the longest time. */
  oldest(): ExecutionSnapshot["oldest"] {
    const all = [...this.#last.values()].flatMap(({ snapshot }) => snapshot.oldest ?? []);
    return all.sort((a, b) => b.sinceMs - a.sinceMs)[0];
  }

  /** Of all nodes, the one with most items first. */
  scopes(): ExecutionSnapshot["scopes"] {
    const all = new Map<string, number>();
    for (const { snapshot } of this.#last.values())
      for (const { scope, items } of snapshot.scopes) all.set(scope, (all.get(scope) ?? 0) + items);
    return [...all].map(([scope, items]) => ({ scope, items })).sort((a, b) => b.items - a.items);
  }

  /** For how long no busy node has had an outcome or progress; Infinity without a busy node. */
  quietMs(): number {
    const busy = [...this.#last.values()].filter(({ snapshot }) => snapshot.inFlight > 0);
    return Math.min(...busy.map(({ quietMs }) => quietMs));
  }
}
