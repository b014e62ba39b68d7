import { monotonicMs } from "../../base/clock.js";
import type { ChunkHeader, PendingItem } from "../../contracts/chunk.js";
import { Scopes } from "./scopes.js";

/** While so many items wait, the plan lists no more. */
const MAX_ITEMS = 16_384;
const MAX_CHARS = 32 * 1024 * 1024;
/** The least an item waits that has asked before: it doubles up to a second, whatever the item asks for. */
const MIN_ASKED_MS = 10;
const MAX_MIN_ASKED_MS = 1000;

/** Items that wait for a time. They use no slot. */
export class WaitingRoom {
  #waiting: { readyMs: number; item: PendingItem }[] = [];
  /** Characters of their JSON. */
  chars = 0;

  get length(): number {
    return this.#waiting.length;
  }

  /** When the next item is due; Infinity when none waits. */
  get nextMs(): number {
    return this.#waiting[0]?.readyMs ?? Number.POSITIVE_INFINITY;
  }

  add(item: PendingItem, readyMs: number): void {
    let low = 0;
    let high = this.#waiting.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#waiting[middle]!.readyMs <= readyMs) low = middle + 1;
      else high = middle;
    }
    this.#waiting.splice(low, 0, { readyMs, item });
    this.chars += item.json.length;
  }

  takeDue(nowMs: number): PendingItem[] {
    let due = 0;
    while (due < this.#waiting.length && this.#waiting[due]!.readyMs <= nowMs) due++;
    return this.#taken(this.#waiting.splice(0, due));
  }

  drain(wanted: (header: ChunkHeader) => boolean): PendingItem[] {
    const taken = this.#waiting.filter(({ item }) => wanted(item.header));
    this.#waiting = this.#waiting.filter(({ item }) => !wanted(item.header));
    return this.#taken(taken);
  }

  #taken(taken: { readonly item: PendingItem }[]): PendingItem[] {
    for (const { item } of taken) this.chars -= item.json.length;
    return taken.map(({ item }) => item);
  }
}

/** What an item that throws `RetryAfterError` asks for. */
interface Asked {
  readonly delayMs: number;
  readonly scope?: string;
  /** Of the attempt that asked. */
  readonly durationMs: number;
}

/** Items that are not ready: after a failed attempt, or because they asked for patience. They use no slot. */
export class WaitingItems {
  readonly scopes: Scopes;
  readonly #backoff = new WaitingRoom();
  /** Without a scope. */
  readonly #asked = new WaitingRoom();

  /** @param slots items that may run at once */
  constructor(slots: number, nowMs: number) {
    this.scopes = new Scopes(slots, nowMs);
  }

  get length(): number {
    return this.#backoff.length + this.asking;
  }

  /** Items that wait because they asked to (`RetryAfterError`). */
  get asking(): number {
    return this.#asked.length + this.scopes.waiting;
  }

  get isFull(): boolean {
    return this.length >= MAX_ITEMS || this.#backoff.chars + this.#asked.chars + this.scopes.chars >= MAX_CHARS;
  }

  /** When the next item is due. Items of scopes are not considered. */
  get nextMs(): number {
    return Math.min(this.#backoff.nextMs, this.#asked.nextMs);
  }

  /** The item is tried again after this time. */
  retryAfter(item: PendingItem, delayMs: number): void {
    this.#backoff.add(item, monotonicMs() + delayMs);
  }

  /** With a scope the item waits along with all items of the scope. */
  ask(item: PendingItem, { delayMs, scope, durationMs }: Asked): void {
    const nowMs = monotonicMs();
    const least = item.asks === 0 ? 0 : Math.min(MAX_MIN_ASKED_MS, MIN_ASKED_MS * 2 ** (item.asks - 1));
    item.asks++;
    if (scope === undefined) this.#asked.add(item, nowMs + Math.max(least, delayMs));
    else this.scopes.refused(item, scope, { nowMs, startedMs: nowMs - durationMs, delayMs });
  }

  takeDue(nowMs: number): PendingItem[] {
    return [...this.#backoff.takeDue(nowMs), ...this.#asked.takeDue(nowMs)];
  }

  drain(wanted: (header: ChunkHeader) => boolean): PendingItem[] {
    return [this.#backoff, this.#asked, this.scopes].flatMap((part) => part.drain(wanted));
  }
}
