import { FLOW_MS, Flow } from "./flow.js";

/** The limit of items at once grows by all slots in this time. */
const GROWTH_MS = 8000;
/** How long the rate stays close to the measured one before it is raised. Doubled each time that a refusal confirms it. */
const MIN_STEADY_MS = 1000;
const MAX_STEADY_MS = 4000;
/** A wait is long if more items than these could have started meanwhile. */
const COSTLY = 5;
/** After a long wait the rate is steady for so many such waits, at most for this time. */
const LEAST_WAITS = 4;
const MOST_WAITS = 32;
const MAX_LONG_STEADY_MS = 32_000;
/** A refusal so soon after a long wait is of the items that were saved up meanwhile. */
const EARLY_MS = 100;
/** After twice the steady time without a refusal, the rate doubles in each such time. */
const DOUBLE_MS = 500;
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
  /** The most items that may start at once after a wait. */
  burst: number;
  /** The refusal was of items that had been saved up during a wait. */
  readonly isEarly: boolean;
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

  /**
   * @param kind `cut`: it was started within the limit, which is too high. `probe`: it was a single one, while the service asked
   * to wait. `stranger`: its start was not counted.
   */
  refused(refusal: Refusal, kind: "cut" | "probe" | "stranger" = "cut"): void {
    const { nowMs, startedMs, delayMs } = refusal;
    const before = this.#cut;
    if (before && startedMs >= before.firstMs && kind !== "stranger") this.#flow.add(-1, nowMs);
    // Made before the last cut: its refusal says nothing new, but that one less was accepted.
    if (before && startedMs < before.atMs) {
      before.accepted--;
      if (before.isEarly) before.burst = Math.max(1, before.burst - 1);
    } else if (!before) this.#cut = this.#firstCut(nowMs, startedMs, delayMs);
    else if (kind === "cut") this.#cut = this.#nextCut(before, refusal);
    if (!before) this.#tokens = 0;
    this.#tokensAtMs = nowMs;
    if (kind !== "probe") this.#pausedUntilMs = Math.max(this.#pausedUntilMs, nowMs + delayMs);
  }

  /** The rate may be far too high: the service may have accepted a burst. */
  #firstCut(nowMs: number, startedMs: number, delayMs: number): Cut {
    const spanMs = Math.max(1, Math.min(FLOW_MS, nowMs - this.#sinceMs), nowMs - startedMs, Math.min(FLOW_MS, delayMs));
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
      burst: Number.POSITIVE_INFINITY,
      isEarly: false,
    };
  }

  /** What was accepted since the first refusal is what the service takes. Where that is too little to tell: half the rate. */
  #nextCut(before: Cut, refusal: Refusal): Cut {
    const { nowMs } = refusal;
    const perMs = this.#perMs(nowMs);
    const resumedMs = Math.max(before.atMs, this.#pausedUntilMs);
    const cut = { ...before, atMs: nowMs, limit: Math.floor(this.#limit(nowMs) / 2), isEarly: false };
    if ((resumedMs - before.atMs) * perMs > COSTLY)
      return { ...cut, ...this.#afterLongWait(before, resumedMs, refusal) };
    const spanMs = Math.max(1, Math.min(FLOW_MS, nowMs - before.firstMs));
    const accepted = this.#flow.since(nowMs - FLOW_MS, nowMs);
    if (accepted < MEASURED_BY) return { ...cut, ...halfOf(perMs) };
    const isConfirmed = before.isMeasured && isClose(accepted / spanMs, baseOf(before));
    const steadyMs = isConfirmed ? Math.min(MAX_STEADY_MS, 2 * before.steadyMs) : MIN_STEADY_MS;
    return { ...cut, accepted, spanMs, maxPerMs: perMs, steadyMs, isMeasured: true };
  }

  /** A refusal has cost, and will cost, the time of many items: the next one is to come late. */
  #afterLongWait(before: Cut, resumedMs: number, { nowMs, startedMs, delayMs }: Refusal): Partial<Cut> {
    const perMs = this.#perMs(nowMs);
    const activeMs = nowMs - resumedMs;
    const taken = Math.max(1, this.#flow.since(Math.max(resumedMs, nowMs - FLOW_MS), nowMs));
    const isBurst = activeMs < FLOW_MS && taken > 1.25 * perMs * activeMs + 2;
    if (isBurst || startedMs - resumedMs < EARLY_MS) {
      const isFar = before.isEarly && taken / (nowMs - before.atMs) < perMs / 2;
      const burst = Math.max(1, Math.floor(Math.min(before.burst, taken) / 4));
      return { ...(isFar ? halfOf(perMs) : exactly(perMs)), burst, isEarly: true };
    }
    // The sooner it came, the more the rate is too high.
    const share = 1 - delayMs / (activeMs + delayMs) / 3;
    const waits = (count: number): number => Math.max(MIN_STEADY_MS, Math.min(MAX_LONG_STEADY_MS, count * delayMs));
    // In less than a second too little may have come.
    const accepted = activeMs < FLOW_MS ? Math.max(taken, (FLOW_MS * perMs) / 2) : taken;
    const isConfirmed =
      before.isMeasured && isNear(perMs, baseOf(before)) && isNear(accepted / FLOW_MS, baseOf(before));
    const steadyMs = Math.max(waits(LEAST_WAITS), isConfirmed ? Math.min(waits(MOST_WAITS), 2 * before.steadyMs) : 0);
    return { accepted, spanMs: FLOW_MS / share, maxPerMs: perMs * share, steadyMs, isMeasured: true };
  }

  started(count: number, nowMs: number): void {
    this.#flow.add(count, nowMs);
    // Single items are tried during a wait, too.
    this.#tokens = Math.max(0, this.#tokens - count);
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
    const most = Math.max(1, Math.min(1000 * perMs, this.#cut!.burst));
    this.#tokens = Math.min(most, this.#tokens + (nowMs - this.#tokensAtMs) * perMs);
    this.#tokensAtMs = nowMs;
  }

  #perMs(nowMs: number): number {
    const cut = this.#cut!;
    const growth = this.#growingMs(nowMs) / cut.steadyMs;
    const doublings = Math.max(0, this.#growingMs(nowMs) - 2 * cut.steadyMs) / DOUBLE_MS;
    return baseOf(cut) * (1 + Math.min(2, growth) ** 3) * 2 ** Math.min(60, doublings);
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

/** The rate right after a cut, where nothing was measured. */
const exactly = (perMs: number): Pick<Cut, "accepted" | "maxPerMs"> => ({
  accepted: Number.POSITIVE_INFINITY,
  maxPerMs: perMs,
});

const halfOf = (perMs: number): Partial<Cut> => ({
  ...exactly(perMs / 2),
  steadyMs: MIN_STEADY_MS,
  isMeasured: false,
});

const isNear = (a: number, b: number): boolean => a < 2 * b && b < 2 * a;
const isClose = (a: number, b: number): boolean => Math.abs(a - b) <= CLOSE * b;
