import { PendingItem } from "../../../src/contracts/chunk.js";
import { Scopes } from "../../../src/runner/dispatch/scopes.js";

/** A service at a time: 0 where it accepts the request, else for how many milliseconds it asks to wait. */
export type Service = (nowMs: number) => number;

/** Refills at a rate, holds at most `burst`; says exactly when the next request will be accepted. */
export function tokenBucket(perSecond: number, burst: number): Service {
  let tokens = burst;
  let atMs = 0;
  return (nowMs) => {
    tokens = Math.min(burst, tokens + ((nowMs - atMs) * perSecond) / 1000);
    atMs = nowMs;
    if (tokens < 1) return ((1 - tokens) * 1000) / perSecond;
    tokens--;
    return 0;
  };
}

/** So many requests in each window of a second. */
export function fixedWindow(perSecond: number): Service {
  let window = -1;
  let count = 0;
  return (nowMs) => {
    const now = Math.floor(nowMs / 1000);
    if (now !== window) count = 0;
    window = now;
    return ++count <= perSecond ? 0 : (now + 1) * 1000 - nowMs;
  };
}

/** So many requests in any second. */
export function slidingWindow(perSecond: number): Service {
  const times: number[] = [];
  return (nowMs) => {
    while (times[0]! <= nowMs - 1000) times.shift();
    if (times.length >= perSecond) return times[0]! + 1000 - nowMs;
    times.push(nowMs);
    return 0;
  };
}

interface Simulated {
  /** The scope of each item, and its service. */
  readonly scopeOf: (n: number) => string;
  /** The items' text shows their scope. */
  readonly isShown?: boolean;
  readonly services: Readonly<Record<string, Service>>;
  readonly items: number;
  readonly slots: number;
  /** Of an accepted request; a refusal takes 5 ms. */
  readonly latencyMs: number;
}

interface Report {
  readonly ms: number;
  readonly refused: number;
  /** By scope: when its last item was done. */
  readonly endMs: Record<string, number>;
  /** By scope: how many were done within a second. */
  readonly first: Record<string, number>;
}

/** A run in virtual time: items start as `Scopes` allows. The latency varies by 15 %, the same way in each run. */
export function simulate({ scopeOf, isShown = false, services, items, slots, latencyMs }: Simulated): Report {
  const startMs = 1e6;
  const scopes = new Scopes(slots, startMs);
  const events: { atMs: number; startedMs: number; seq: number; item: PendingItem; scope: string; waitMs: number }[] =
    [];
  const endMs: Record<string, number> = {};
  const first: Record<string, number> = {};
  let seed = 1;
  const random = (): number => {
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    return seed / 2 ** 31;
  };
  let nowMs = startMs;
  let [next, seq, inFlight, done, refused] = [0, 1, 0, 0, 0];
  const start = (item: PendingItem): void => {
    const scope = scopeOf(Number(item.key));
    const waitMs = services[scope]!(nowMs - startMs);
    const atMs = nowMs + (waitMs > 0 ? 5 : latencyMs) * (0.85 + 0.3 * random());
    events.push({ atMs, startedMs: nowMs, seq: seq++, item, scope, waitMs });
    events.sort((a, b) => a.atMs - b.atMs);
    inFlight++;
  };
  while (done < items && nowMs < startMs + 3_600_000) {
    for (const gate of scopes.gates)
      for (let n = Math.min(scopes.allowance(gate, nowMs, inFlight), slots - inFlight); n >= 1; n--) {
        scopes.started(gate, seq, nowMs);
        start(gate.shift());
      }
    for (let n = Math.min(scopes.unnamedAllowance(nowMs, inFlight), slots - inFlight); n >= 1 && next < items; ) {
      const json = JSON.stringify(isShown ? { host: scopeOf(next) } : {});
      const item = new PendingItem({ key: `${next++}`, json }, { shard: 0, forced: false });
      if (scopes.hasMarks && scopes.park(item)) continue;
      scopes.startedUnnamed(1, nowMs);
      start(item);
      n--;
    }
    const timerMs = Math.max(nowMs + 1, Math.ceil(scopes.nextMs(nowMs, next < items)));
    nowMs = Math.min(timerMs, events[0]?.atMs ?? Number.POSITIVE_INFINITY);
    while (events.length > 0 && events[0]!.atMs <= nowMs) {
      const { startedMs, seq, item, scope, waitMs } = events.shift()!;
      const named = scopes.left(seq);
      inFlight--;
      if (waitMs > 0) {
        refused++;
        scopes.refused(item, scope, { nowMs, startedMs, delayMs: waitMs });
      } else {
        done++;
        endMs[scope] = nowMs - startMs;
        if (nowMs - startMs < 1000) first[scope] = (first[scope] ?? 0) + 1;
        scopes.accepted(named, nowMs - startedMs, nowMs);
      }
    }
  }
  return { ms: nowMs - startMs, refused, endMs, first };
}
