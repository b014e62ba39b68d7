import type { ChunkHeader, PendingItem } from "../../contracts/chunk.js";
import { AdaptiveLimit, type Refusal } from "./adaptive-limit.js";
import { Flow } from "./flow.js";
import { UnnamedItems } from "./unnamed-items.js";

/** The items that have named one scope in a `RetryAfterError`, and how many of them may run. */
export class ScopeGate {
  readonly scope: string;
  readonly limit: AdaptiveLimit;
  /** How the scope shows in the JSON of its items. Undefined: it does not. */
  readonly mark: string | undefined;
  inFlight = 0;
  /** In the order they will start. */
  #waiting: PendingItem[] = [];
  /** Characters of the JSON of waiting items. */
  chars = 0;

  /** @param json of the first item that named it */
  constructor(scope: string, limit: AdaptiveLimit, json: string) {
    this.scope = scope;
    this.limit = limit;
    // A whole text, or a host within a URL.
    this.mark = [JSON.stringify(scope), `//${scope}`].find((mark) => json.includes(mark));
  }

  /** Items that wait. */
  get length(): number {
    return this.#waiting.length;
  }

  push(item: PendingItem): void {
    this.#waiting.push(item);
    this.chars += item.json.length;
  }

  unshift(item: PendingItem): void {
    this.#waiting.unshift(item);
    this.chars += item.json.length;
  }

  shift(): PendingItem {
    const item = this.#waiting.shift()!;
    this.chars -= item.json.length;
    return item;
  }

  drain(wanted: (header: ChunkHeader) => boolean): PendingItem[] {
    const taken = this.#waiting.filter(({ header }) => wanted(header));
    this.#waiting = this.#waiting.filter(({ header }) => !wanted(header));
    for (const { json } of taken) this.chars -= json.length;
    return taken;
  }
}

/**
 * Scopes of `RetryAfterError`: a host, a model. Items of a scope wait for as long as it asked, then start as fast as it
 * accepts them. An item names its scope when it first asks, or by its text; until then it is *unnamed*.
 */
export class Scopes {
  readonly #slots: number;
  readonly #sinceMs: number;
  readonly #gates = new Map<string, ScopeGate>();
  /** Items in flight that had named a scope, by sequence number. */
  readonly #gateOf = new Map<number, ScopeGate>();
  /** Starts of all items, until the first scope is named. */
  readonly #flow = new Flow();
  readonly #unnamed = new UnnamedItems();
  #hasMarks = false;

  constructor(slots: number, nowMs: number) {
    this.#slots = slots;
    this.#sinceMs = nowMs;
  }

  get gates(): Iterable<ScopeGate> {
    return this.#gates.values();
  }

  /** Whether any scope was named. */
  get any(): boolean {
    return this.#gates.size > 0;
  }

  /** A limit is active, so workers get no items in advance. */
  get tight(): boolean {
    for (const { limit } of this.gates) if (limit.isActive) return true;
    return false;
  }

  /** Whether an item's text may show which scope with a limit it is of. */
  get hasMarks(): boolean {
    return this.#hasMarks && this.tight;
  }

  /** An item that has not started waits for its scope, where its text shows one. Returns whether it does. */
  park(item: PendingItem): boolean {
    for (const gate of this.gates) {
      if (gate.mark === undefined || !gate.limit.isActive || !item.json.includes(gate.mark)) continue;
      item.scope = gate.scope;
      gate.push(item);
      return true;
    }
    return false;
  }

  /** Scopes with items that wait, the one with most items first. */
  get waited(): { scope: string; items: number }[] {
    const all = [...this.gates].map(({ scope, length: items }) => ({ scope, items }));
    return all.filter(({ items }) => items > 0).sort((a, b) => b.items - a.items);
  }

  /** Items that wait for their scope. */
  get waiting(): number {
    let count = 0;
    for (const { length } of this.gates) count += length;
    return count;
  }

  /** Characters of the JSON of waiting items. */
  get chars(): number {
    let count = 0;
    for (const { chars } of this.gates) count += chars;
    return count;
  }

  // ── Items in flight ──────────────────────────────────────────────────────────────────────────────────────────────────

  startedUnnamed(count: number, nowMs: number): void {
    if (!this.any) return this.#flow.add(count, nowMs);
    const limit = this.#only?.limit;
    if (!limit) return;
    limit.started(count, nowMs);
    this.#unnamed.started(nowMs);
  }

  started(gate: ScopeGate, seq: number, nowMs: number): void {
    gate.inFlight++;
    gate.limit.started(1, nowMs);
    this.#gateOf.set(seq, gate);
  }

  /** The item is not in flight any more. Returns the scope that it had named when it started. */
  left(seq: number): string | undefined {
    const gate = this.#gateOf.get(seq);
    if (!gate) return undefined;
    this.#gateOf.delete(seq);
    gate.inFlight--;
    return gate.scope;
  }

  /** The item did not start, or its start does not count. */
  putBack(item: PendingItem): boolean {
    const gate = item.scope === undefined ? undefined : this.#gates.get(item.scope);
    if (gate) gate.unshift(item);
    else this.#only?.limit.takenBack(1);
    return gate !== undefined;
  }

  /** @param scope that the item had named when it started */
  accepted(scope: string | undefined, durationMs: number, nowMs: number): void {
    const gate = scope === undefined ? this.#only : this.#gates.get(scope);
    gate?.limit.accepted(durationMs);
    if (scope === undefined) this.#unnamed.accepted(nowMs - durationMs, nowMs);
  }

  /** A service refused the item for now. */
  refused(item: PendingItem, scope: string, refusal: Refusal): void {
    const gate = this.#gates.get(scope) ?? this.#open(scope, item.json);
    const { limit } = gate;
    if (item.scope !== undefined) limit.refused(refusal, "cut");
    else if (gate !== this.#only) limit.refused(refusal, "stranger");
    else limit.refused(refusal, this.#unnamed.refused(refusal) ? "cut" : "probe");
    item.scope = scope;
    gate.push(item);
  }

  #open(scope: string, json: string): ScopeGate {
    const flow = this.any ? new Flow() : this.#flow;
    const gate = new ScopeGate(scope, new AdaptiveLimit(this.#slots, this.#sinceMs, flow), json);
    this.#hasMarks ||= gate.mark !== undefined;
    this.#gates.set(scope, gate);
    return gate;
  }

  // ── What may start ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** How many waiting items of the scope may start. */
  allowance(gate: ScopeGate, nowMs: number, inFlight: number): number {
    if (nowMs < gate.limit.pausedUntilMs) return 0;
    return Math.min(gate.length, gate.limit.allowance(nowMs, this.#inFlightOf(gate, inFlight)));
  }

  /** How many unnamed items may start. @param inFlight all items in flight */
  unnamedAllowance(nowMs: number, inFlight: number): number {
    const gate = this.#only;
    return gate ? this.#unnamed.allowance(gate.limit, nowMs, inFlight) : Number.POSITIVE_INFINITY;
  }

  /** When more items may start without a message. @param wantsUnnamed unnamed items are ready */
  nextMs(nowMs: number, wantsUnnamed: boolean): number {
    const only = this.#only;
    let nextMs = only && wantsUnnamed ? this.#unnamed.nextMs(only.limit, nowMs) : Number.POSITIVE_INFINITY;
    for (const { limit, length } of this.gates)
      if (length > 0) nextMs = Math.min(nextMs, Math.max(limit.pausedUntilMs, limit.nextMs(nowMs)));
    return nextMs;
  }

  drain(wanted: (header: ChunkHeader) => boolean): PendingItem[] {
    return [...this.gates].flatMap((gate) => gate.drain(wanted));
  }

  /** Unnamed items are taken to be of the only scope, unless their text would show it. */
  get #only(): ScopeGate | undefined {
    return this.#gates.size === 1 && !this.#hasMarks ? this.#gates.values().next().value : undefined;
  }

  #inFlightOf(gate: ScopeGate, inFlight: number): number {
    return gate === this.#only ? inFlight : gate.inFlight;
  }
}
