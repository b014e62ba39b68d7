import { describe, expect, test } from "vitest";
import { Throttle } from "../../../src/runner/dispatch/throttle.js";

test("without a rate, any number may start", () => {
  const throttle = new Throttle(undefined, 0);
  throttle.started(1000);
  expect([throttle.isActive, throttle.allowance(0), throttle.nextMs(0)]).toEqual([
    false,
    Number.POSITIVE_INFINITY,
    Number.POSITIVE_INFINITY,
  ]);
});

describe("with a rate", () => {
  test("says how many may start and when the next one may", () => {
    const throttle = new Throttle({ perSecond: 20 }, 0);
    expect(throttle.allowance(0)).toBe(1);
    throttle.started(1);
    expect([throttle.allowance(0), throttle.nextMs(0)]).toEqual([0, 50]);
    expect(throttle.allowance(50)).toBe(1);
  });

  test("a tenth of a second's worth at most at once, but always one", () => {
    expect(new Throttle({ perSecond: 50 }, 0).allowance(60_000)).toBe(5);
    expect(new Throttle({ perSecond: 0.1 }, 0).allowance(60_000)).toBe(1);
  });

  test("over a long time it is that rate, however the clock is looked at", () => {
    const throttle = new Throttle({ perSecond: 30 }, 0);
    let started = 0;
    for (let nowMs = 0; nowMs < 60_000; nowMs += 7) {
      const now = throttle.allowance(nowMs);
      throttle.started(now);
      started += now;
    }
    expect(started).toBeGreaterThan(1790);
    expect(started).toBeLessThanOrEqual(1801);
  });
});
