import type { Job } from "bullmq";

/** A chunk that this node has. */
export class HeldChunk {
  readonly job: Job;
  /** 1 for each item that has settled or was given back. */
  readonly #gone: Uint8Array;
  left: number;

  constructor(job: Job, count: number) {
    this.job = job;
    this.#gone = new Uint8Array(count);
    this.left = count;
  }

  take(index: number): void {
    if (this.#gone[index] !== 0) return;
    this.#gone[index] = 1;
    this.left--;
  }

  get open(): number[] {
    return Array.from(this.#gone.keys()).filter((index) => this.#gone[index] === 0);
  }
}
