import { FLOW_MS, Flow } from "./flow.js";

/** The limit of items at once grows by all slots in this time. */
const GROWTH_MS = 8000;
/** How long the rate stays close to the measured one before it is raised. Doubled each time that a refusal confirms it. */
const MIN_STEADY_MS = 1000;
const MAX_STEADY_MS = 8000;
/** So long after the last refusal there is no limit any more. */
const RECOVERED_MS = 60_000;
/** A rate is measured once so many items were accepted, and confirmed by a second measurement close to it. */
const MEASURED_BY = 10;
const CLOSE = 0.25;

/** A request that a service has refused for now. */
export interface Refusal {
  readonly nowMs: number;
  /** When the request was made. */
  readonly startedMs: number;
  /** For how long the service asked to wait. */
  readonly delayMs: number;
}

interface Cut {
  readonly atMs: number;
  /** When the first of the cuts was made that led to this one. */
  readonly firstMs: number;
  /** Items that were started in `spanMs` and not refused; Infinity: too few to tell. */
  accepted: number;
  readonly spanMs: number;
  readonly maxPerMs: number;
  /** Items at once. */
  readonly limit: number;
  readonly steadyMs: number;
  readonly isMeasured: boolean;
}

/**
 * Finds out how much a service takes, from what it refuses. A refusal cuts two limits, at most once a round trip: the items at
 * once are halved, though not below what the accepted rate needs; the starts per second fall to the accepted rate. Then both
 * grow: the first by a fixed share each second, the second slowly near the known rate and faster later (as CUBIC of TCP does).
 */
export class AdaptiveLimit {
  readonly #slots: number;
  readonly #sinceMs: number;
  /** Starts less refusals. */
  readonly #flow: Flow;
  #cut: Cut | undefined;
  #pausedUntilMs = 0;
  #tokens = 0;
  #tokensAtMs = 0;
  #meanMs: number | undefined;

  /** @param flow the starts so far, where they are known  @param sinceMs from when on it has counted */
  constructor(slots: number, sinceMs: number, flow = new Flow()) {
    this.#slots = slots;
    this.#sinceMs = sinceMs;
    this.#flow = flow;
  }

  /** There was a refusal, not long ago. */
  get isActive(): boolean {
    return this.#cut !== undefined;
  }

  /** The rate was measured with enough items. */
  get isMeasured(): boolean {
    return this.#cut?.isMeasured ?? false;
  }

  /** The end of the time for which the service asked to wait. */
  get pausedUntilMs(): number {
    return this.#pausedUntilMs;
  }

  refused({ nowMs, startedMs, delayMs }: Refusal): void {
    const before = this.#cut;
    if (before && startedMs >= before.firstMs) this.#flow.add(-1, nowMs);
    // Made before the last cut: its refusal says nothing new, but that one less was accepted.
    if (before && startedMs < before.atMs) before.accepted--;
    else this.#cut = before ? this.#nextCut(before, nowMs) : this.#firstCut(nowMs, startedMs, delayMs);
    if (!before) this.#tokens = 0;
    this.#tokensAtMs = nowMs;
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, nowMs + delayMs);
  }

  /** The rate may be far too high: the service may have accepted a burst. */
  #firstCut(nowMs: number, startedMs: number, delayMs: number): Cut {
    const spanMs = Math.max(1, Math.min(FLOW_MS, nowMs - this.#sinceMs), nowMs - startedMs, delayMs);
    const accepted = this.#flow.since(nowMs - FLOW_MS, nowMs) - 1;
    this.#flow.clear();
    const limit = Math.floor(this.#slots / 2);
    const maxPerMs = Number.POSITIVE_INFINITY;
    return {
      atMs: nowMs,
      firstMs: nowMs,
      accepted,
      spanMs,
      maxPerMs,
      limit,
      steadyMs: MIN_STEADY_MS,
      isMeasured: false,
    };
  }

  /** What was accepted since the first refusal is what the service takes. Where that is too little to tell: half the rate. */
  #nextCut({ firstMs, ...before }: Cut, nowMs: number): Cut {
    const spanMs = Math.max(1, Math.min(FLOW_MS, nowMs - firstMs));
    const accepted = this.#flow.since(nowMs - FLOW_MS, nowMs);
    const perMs = this.#perMs(nowMs);
    const cut = { atMs: nowMs, firstMs, spanMs, limit: Math.floor(this.#limit(nowMs) / 2) };
    if (accepted < MEASURED_BY)
      return {
        ...cut,
        accepted: Number.POSITIVE_INFINITY,
        maxPerMs: perMs / 2,
        steadyMs: MIN_STEADY_MS,
        isMeasured: false,
      };
    const isConfirmed = before.isMeasured && isClose(accepted / spanMs, baseOf(before));
    const steadyMs = isConfirmed ? Math.min(MAX_STEADY_MS, 2 * before.steadyMs) : MIN_STEADY_MS;
    return { ...cut, accepted, maxPerMs: perMs, steadyMs, isMeasured: true };
  }

  started(count: number, nowMs: number): void {
    this.#flow.add(count, nowMs);
    this.#tokens -= count;
  }

  /** Items that came back without having been started. */
  takenBack(count: number): void {
    if (this.#cut) this.#cut.accepted -= count;
  }

  accepted(durationMs: number): void {
    this.#meanMs = this.#meanMs === undefined ? durationMs : 0.9 * this.#meanMs + 0.1 * durationMs;
  }

  /** How many more items may start, whether or not the service asked to wait. */
  allowance(nowMs: number, inFlight: number): number {
    if (this.#cut && nowMs - this.#pausedUntilMs > RECOVERED_MS) this.#cut = undefined;
    if (!this.#cut) return Number.POSITIVE_INFINITY;
    this.#refill(nowMs);
    return Math.max(0, Math.min(Math.floor(this.#tokens), Math.floor(this.#limit(nowMs)) - inFlight));
  }

  /** When one more item may start, unless one settles earlier; Infinity without a limit. */
  nextMs(nowMs: number): number {
    if (!this.#cut) return Number.POSITIVE_INFINITY;
    this.#refill(nowMs);
    const perMs = this.#perMs(nowMs);
    return this.#tokens < 1 ? nowMs + (1 - this.#tokens) / perMs : nowMs + GROWTH_MS / this.#slots;
  }

  #refill(nowMs: number): void {
    const perMs = this.#perMs(nowMs);
    // What was not used while the service asked to wait may be used afterwards, up to the items of a second.
    this.#tokens = Math.min(Math.max(1, 1000 * perMs), this.#tokens + (nowMs - this.#tokensAtMs) * perMs);
    this.#tokensAtMs = nowMs;
  }

  #perMs(nowMs: number): number {
    const cut = this.#cut!;
    return baseOf(cut) * (1 + (this.#growingMs(nowMs) / cut.steadyMs) ** 3);
  }

  #limit(nowMs: number): number {
    if (!this.#cut) return this.#slots;
    const needed = Math.ceil(baseOf(this.#cut) * (this.#meanMs ?? 0));
    const least = Math.max(1, this.#cut.limit, needed);
    return Math.min(this.#slots, least + (this.#slots * this.#growingMs(nowMs)) / GROWTH_MS);
  }

  #growingMs(nowMs: number): number {
    return Math.max(0, nowMs - this.#pausedUntilMs);
  }
}

/** The rate right after the cut, in items per millisecond. At least one a second. */
function baseOf({ accepted, spanMs, maxPerMs }: Pick<Cut, "accepted" | "spanMs" | "maxPerMs">): number {
  return Math.max(0.001, Math.min(maxPerMs, Math.max(1, accepted) / spanMs));
}

const isClose = (a: number, b: number): boolean => Math.abs(a - b) <= CLOSE * b;
