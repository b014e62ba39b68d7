import { NODE_MS } from "./keys.js";

/** A chunk whose lock has ended is lost if no node says within this time that it has it. */
const CLAIM_WITHIN_MS = 3000;

/**
 * Which node says that it has which chunk. BullMQ's locks end when a node is killed, but also when Redis itself has stood still;
 * only a chunk that no living node claims is lost.
 */
export class ClaimedChunks {
  /** By node: when it was heard of last. */
  readonly #seenMs = new Map<string, number>();
  readonly #claims = new Map<number, number>();
  /** Chunks whose lock has ended, by the time from which they count as lost. */
  readonly #suspected = new Map<number, number>();

  get nodes(): number {
    return this.#seenMs.size;
  }

  claim(node: string, chunks: readonly number[], nowMs: number): void {
    this.#seenMs.set(node, nowMs);
    for (const chunk of chunks) {
      this.#claims.set(chunk, nowMs);
      if (this.#suspected.has(chunk)) this.#suspected.set(chunk, nowMs + NODE_MS);
    }
  }

  forget(node: string): void {
    this.#seenMs.delete(node);
  }

  /** The lock of the chunk has ended. */
  suspect(chunk: number, nowMs: number): void {
    this.#suspected.set(chunk, nowMs + CLAIM_WITHIN_MS);
  }

  /** A node has just said that it has the chunk, or it is being waited for that. */
  isKnown(chunk: number, nowMs: number): boolean {
    return (
      this.#suspected.has(chunk) || nowMs - (this.#claims.get(chunk) ?? Number.NEGATIVE_INFINITY) < CLAIM_WITHIN_MS
    );
  }

  /** Takes out the chunks that no node has claimed in time. */
  lostChunks(nowMs: number): number[] {
    const lost = [...this.#suspected].filter(([, atMs]) => nowMs >= atMs).map(([chunk]) => chunk);
    for (const chunk of lost) this.#suspected.delete(chunk);
    for (const [chunk, atMs] of this.#claims) if (nowMs - atMs > NODE_MS) this.#claims.delete(chunk);
    return lost;
  }

  /** Takes out the nodes that have not been heard of. */
  goneNodes(nowMs: number): string[] {
    const gone = [...this.#seenMs].filter(([, atMs]) => nowMs - atMs > NODE_MS).map(([node]) => node);
    for (const node of gone) this.#seenMs.delete(node);
    return gone;
  }
}
