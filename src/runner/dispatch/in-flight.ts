/**
 * Items at one worker by sequence number, kept in the chunks they were sent in: numbers run on without a gap inside a
 * chunk, so a message costs one entry here and an item none.
 */
export class InFlight<T> {
  #chunks: { readonly first: number; readonly items: (T | undefined)[]; left: number }[] = [];
  size = 0;

  /** `items` is taken over: it is emptied as items leave. */
  add(first: number, items: (T | undefined)[]): void {
    this.#chunks.push({ first, items, left: items.length });
    this.size += items.length;
  }

  get(seq: number): T | undefined {
    const chunk = this.#chunks[this.#find(seq)];
    return chunk?.items[seq - chunk.first];
  }

  take(seq: number): T | undefined {
    const at = this.#find(seq);
    const chunk = this.#chunks[at];
    const item = chunk?.items[seq - chunk.first];
    if (chunk === undefined || item === undefined) return undefined;
    chunk.items[seq - chunk.first] = undefined;
    this.size--;
    if (--chunk.left === 0) this.#chunks.splice(at, 1);
    return item;
  }

  /** In the order they were sent. */
  seqs(): number[] {
    return this.#chunks.flatMap(({ first, items }) =>
      items.flatMap((item, i) => (item === undefined ? [] : [first + i])),
    );
  }

  /** The last chunk that begins at or before `seq`. */
  #find(seq: number): number {
    let low = 0;
    let high = this.#chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#chunks[middle]!.first <= seq) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
