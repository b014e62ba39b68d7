import type { ExecutionSnapshot } from "../../contracts/execution.js";
import type { NodeMessage } from "../../contracts/fleet.js";

type Heartbeat = Extract<NodeMessage, { type: "heartbeat" }>;

/** What the nodes of a run have said last. */
export class NodeHeartbeats {
  readonly #last = new Map<string, Heartbeat>();

  get count(): number {
    return this.#last.size;
  }

  /** Items that all nodes have. */
  get inFlight(): number {
    return [...this.#last.values()].reduce((sum, { snapshot }) => sum + snapshot.inFlight, 0);
  }

  add(heartbeat: Heartbeat): void {
    this.#last.set(heartbeat.node, heartbeat);
  }

  remove(node: string): void {
    this.#last.delete(node);
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
