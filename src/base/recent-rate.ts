const WINDOW_MS = 5000;

/** The speed of a counter over the last seconds. */
export class RecentRate {
  #seen: { readonly atMs: number; readonly count: number }[] = [];

  /** Per second. @param count the counter now */
  at(count: number, nowMs: number): number {
    this.#seen.push({ atMs: nowMs, count });
    while (this.#seen.length > 2 && nowMs - this.#seen[1]!.atMs > WINDOW_MS) this.#seen.shift();
    const first = this.#seen[0]!;
    return nowMs > first.atMs ? ((count - first.count) * 1000) / (nowMs - first.atMs) : 0;
  }
}
