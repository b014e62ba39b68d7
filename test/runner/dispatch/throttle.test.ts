import { describe, expect, test } from "vitest";
import { Throttle } from "../../../src/runner/dispatch/throttle.js";

describe("without a rate", () => {
  test("lets any number start, until a service asks for patience", () => {
    const throttle = new Throttle(8, undefined, 0);
    expect([throttle.tight, throttle.allowance(100, 0)]).toEqual([false, Number.POSITIVE_INFINITY]);
    throttle.pause(undefined, 500, 1000);
    expect([throttle.tight, throttle.allowance(0, 1499), throttle.nextMs(1499)]).toEqual([true, 0, 1500]);
    expect([throttle.allowance(1, 1500), throttle.nextMs(1500)]).toEqual([3, Number.POSITIVE_INFINITY]);
  });

  test("a scope's pause does not stop the others", () => {
    const throttle = new Throttle(8, undefined, 0);
    expect(throttle.pause("host", 500, 1000)).toBe(1500);
    expect(throttle.allowance(0, 1000)).toBe(4);
    expect([throttle.scopePausedUntilMs("host"), throttle.scopePausedUntilMs("other")]).toEqual([1500, 0]);
    expect(throttle.scopePausedUntilMs(undefined)).toBe(0);
  });

  test("a shorter request never ends a longer pause", () => {
    const throttle = new Throttle(8, undefined, 0);
    throttle.pause(undefined, 500, 0);
    expect(throttle.pause(undefined, 100, 10)).toBe(500);
    throttle.pause("host", 500, 0);
    expect(throttle.pause("host", 100, 10)).toBe(500);
  });

  test("halves once for all that answer alike, again after the pause, and never below one", () => {
    const throttle = new Throttle(8, undefined, 0);
    const limitAt = (nowMs: number): number => throttle.allowance(0, nowMs);
    for (const atMs of [0, 1, 99]) throttle.pause("host", 100, atMs);
    expect(limitAt(99)).toBe(4);
    for (const [atMs, limit] of [
      [100, 2],
      [300, 1],
      [500, 1],
    ] as const) {
      throttle.pause("host", 100, atMs);
      expect(limitAt(atMs)).toBe(limit);
    }
  });

  test("each full round of successes gives one back, up to the slots", () => {
    const throttle = new Throttle(4, undefined, 0);
    throttle.pause("host", 100, 0);
    throttle.succeeded(1);
    expect(throttle.allowance(0, 0)).toBe(2);
    throttle.succeeded(1);
    expect(throttle.allowance(0, 0)).toBe(3);
    throttle.succeeded(3);
    expect([throttle.tight, throttle.allowance(0, 0)]).toEqual([false, Number.POSITIVE_INFINITY]);
  });
});

describe("with a rate", () => {
  test("says how many may start and when the next one may", () => {
    const throttle = new Throttle(100, { perSecond: 20 }, 0);
    expect(throttle.allowance(0, 0)).toBe(1);
    throttle.started(1);
    expect([throttle.allowance(0, 0), throttle.nextMs(0)]).toEqual([0, 50]);
    expect(throttle.allowance(0, 50)).toBe(1);
  });

  test("a tenth of a second's worth at most at once, but always one", () => {
    expect(new Throttle(100, { perSecond: 50 }, 0).allowance(0, 60_000)).toBe(5);
    expect(new Throttle(100, { perSecond: 0.1 }, 0).allowance(0, 60_000)).toBe(1);
  });

  test("over a long time it is that rate, however the clock is looked at", () => {
    const throttle = new Throttle(1000, { perSecond: 30 }, 0);
    let started = 0;
    for (let nowMs = 0; nowMs < 60_000; nowMs += 7) {
      const now = throttle.allowance(0, nowMs);
      throttle.started(now);
      started += now;
    }
    expect(started).toBeGreaterThan(1790);
    expect(started).toBeLessThanOrEqual(1801);
  });

  test("items in flight count against the limit of a throttled service", () => {
    const throttle = new Throttle(8, { perSecond: 1000 }, 0);
    throttle.pause("host", 10, 0);
    expect(throttle.allowance(3, 1000)).toBe(1);
    expect(throttle.allowance(9, 1000)).toBe(0);
  });
});
