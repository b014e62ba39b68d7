import type { FleetExecution } from "../../src/kit.js";
import type { ChunkQueue } from "./chunk-queue.js";
import type { ClaimedChunks } from "./claimed-chunks.js";
import type { RedisConnections } from "./redis.js";
import { isBefore } from "./streams.js";

interface MissingRequest {
  readonly redis: RedisConnections;
  readonly queue: ChunkQueue;
  readonly execution: FleetExecution;
  readonly claims: ClaimedChunks;
  /** The stream of outcomes. */
  readonly outcomes: string;
  /** Called with each chunk that is to be sent again. */
  onMissing(chunks: readonly number[]): void;
}

/**
 * Redis may forget: the last second of writes in a crash, everything by FLUSHALL. A chunk that is not there although it has not
 * settled is sent again, once all outcomes that came before are read.
 */
export class MissingChunks {
  readonly #request: MissingRequest;
  /** Chunks that seem to be lost, once all outcomes up to this entry are read. */
  #found: { readonly chunks: readonly number[]; readonly until: string } | undefined;

  constructor(request: MissingRequest) {
    this.#request = request;
  }

  /** @param position the last outcome that was read */
  async look(position: string): Promise<void> {
    const { redis, queue, execution, outcomes } = this.#request;
    if (this.#found) return this.check(position);
    const chunks = await queue.missing(execution.openChunks());
    if (chunks.length === 0) return;
    const last = (await redis.main.xrevrange(outcomes, "+", "-", "COUNT", 1)) as [string, string[]][];
    this.#found = { chunks, until: last[0]?.[0] ?? "0-0" };
    this.check(position);
  }

  check(position: string): void {
    if (!this.#found || isBefore(position, this.#found.until)) return;
    const { execution, claims, onMissing } = this.#request;
    const now = performance.now();
    const lost = this.#found.chunks.filter((chunk) => execution.isOpen(chunk) && !claims.isKnown(chunk, now));
    this.#found = undefined;
    if (lost.length > 0) onMissing(lost);
  }
}
