/** Cuts rows `from` to `to` out of blocks that come one after the other. */
export class Window {
  #skip: number;
  #left: number;

  constructor(from: number, to: number) {
    this.#skip = from;
    this.#left = Math.max(0, to - from);
  }

  /** So many rows were not even read. */
  leftOut(rows: number): void {
    this.#skip -= rows;
  }

  /** The part of the next block, as positions in it; empty before the window. */
  take(length: number): [start: number, end: number] {
    const start = Math.min(this.#skip, length);
    this.#skip -= start;
    const end = Math.min(length, start + this.#left);
    this.#left -= end - start;
    return [start, end];
  }

  get left(): number {
    return this.#left;
  }

  get isOver(): boolean {
    return this.#left === 0;
  }
}
