import { describe, expect, test } from "vitest";
import { AdaptiveLimit } from "../../../src/runner/dispatch/adaptive-limit.js";
import { Flow } from "../../../src/runner/dispatch/flow.js";
import { fixedWindow, type Service, simulate, slidingWindow, tokenBucket } from "./simulated-service.js";

const free: Service = () => 0;

describe("a service that accepts 100 requests a second", () => {
  test.each([
    ["in a bucket of 10", () => tokenBucket(100, 10)],
    ["in a bucket of 100", () => tokenBucket(100, 100)],
    ["in windows of a second", () => fixedWindow(100)],
    ["in any second", () => slidingWindow(100)],
  ])("%s: more than 0.97 of it are used, and fewer than 0.05 of the requests refused", (_how, service) => {
    for (const latencyMs of [5, 20, 100]) {
      const { ms, refused } = simulate({
        scopeOf: () => "api",
        services: { api: service() },
        items: 3000,
        slots: 64,
        latencyMs,
      });
      expect(3_000_000 / ms, `accepted a second at ${latencyMs} ms`).toBeGreaterThan(97);
      expect(refused / (3000 + refused), `refused at ${latencyMs} ms`).toBeLessThan(0.05);
    }
  });

  // As with `Retry-After: 1`, though the next request would be accepted much earlier: each refusal costs a second.
  test.each([
    ["in a bucket of 10", () => tokenBucket(100, 10), 80],
    ["in a bucket of 100", () => tokenBucket(100, 100), 97],
    ["in windows of a second", () => fixedWindow(100), 75],
    ["in any second", () => slidingWindow(100), 70],
  ])("%s, and asks to wait for whole seconds: refusals become rare", (_how, service, atLeast) => {
    const exact = service();
    const { ms, refused } = simulate({
      scopeOf: () => "api",
      isShown: true,
      services: { api: (nowMs) => 1000 * Math.ceil(exact(nowMs) / 1000) },
      items: 6000,
      slots: 64,
      latencyMs: 20,
    });
    expect(6_000_000 / ms, "accepted a second").toBeGreaterThan(atLeast);
    expect(refused / (6000 + refused)).toBeLessThan(0.02);
  });

  test("comes back within seconds, once it refuses nothing any more", () => {
    // For five seconds it accepts ten a second, then all: 64 slots of 20 ms are 3200 a second.
    const slow = tokenBucket(10, 10);
    const service: Service = (nowMs) => (nowMs < 5000 ? slow(nowMs) : 0);
    const { ms } = simulate({
      scopeOf: () => "api",
      services: { api: service },
      items: 20_000,
      slots: 64,
      latencyMs: 20,
    });
    expect(ms).toBeLessThan(5000 + 20_000 / 3.2 + 15_000);
  });

  test("after an outage it is tried again, not flooded", () => {
    const service: Service = (nowMs) => (nowMs < 10_000 ? 500 : 0);
    const { ms, refused } = simulate({
      scopeOf: () => "api",
      services: { api: service },
      items: 500,
      slots: 64,
      latencyMs: 20,
    });
    expect([ms < 20_000, refused < 150]).toEqual([true, true]);
  });
});

describe("two services", () => {
  const scopeOf = (n: number): string => (n % 2 === 0 ? "busy" : "free");
  const waits: Service = (nowMs) => (nowMs < 5000 ? 5000 - nowMs : 0);

  test("items of the one go on while the other asks to wait, where their text shows which they are of", () => {
    const services = { busy: waits, free };
    const { endMs, refused } = simulate({ scopeOf, isShown: true, services, items: 400, slots: 16, latencyMs: 20 });
    expect(endMs.free).toBeLessThan(500);
    expect(endMs.busy).toBeGreaterThan(5000);
    expect(refused).toBeLessThan(20);
  });

  test("where it does not, single ones get through meanwhile", () => {
    const { first, refused } = simulate({
      scopeOf,
      services: { busy: waits, free },
      items: 400,
      slots: 16,
      latencyMs: 20,
    });
    expect(first.free).toBeGreaterThanOrEqual(8 + 3);
    expect(refused).toBeLessThan(80);
  });

  test("the limit of the one is not that of the other", () => {
    // Alone, the free ones take 2.5 s.
    const services = { busy: tokenBucket(100, 10), free };
    const { endMs } = simulate({ scopeOf, isShown: true, services, items: 4000, slots: 16, latencyMs: 20 });
    expect(endMs.free).toBeLessThan(3500);
    expect(2_000_000 / endMs.busy!).toBeGreaterThan(95);
  });

  test.each([true, false])("with limits of their own, each is used (text shows them: %s)", (isShown) => {
    const services = { busy: tokenBucket(100, 10), free: tokenBucket(50, 10) };
    const { endMs, refused } = simulate({ scopeOf, isShown, services, items: 4000, slots: 64, latencyMs: 20 });
    expect(2_000_000 / endMs.busy!).toBeGreaterThan(90);
    expect(2_000_000 / endMs.free!).toBeGreaterThan(45);
    // An item whose scope nobody can see names it by being refused.
    expect(refused).toBeLessThan(isShown ? 250 : 4250);
  });
});

describe("an adaptive limit", () => {
  const at = (nowMs: number, startedMs = nowMs - 5, delayMs = 100) => ({ nowMs, startedMs, delayMs });

  test("limits nothing before the first refusal", () => {
    const limit = new AdaptiveLimit(8, 0);
    limit.started(1000, 10);
    expect([limit.isActive, limit.allowance(10, 1000), limit.nextMs(10)]).toEqual([
      false,
      Number.POSITIVE_INFINITY,
      Number.POSITIVE_INFINITY,
    ]);
  });

  test("halves the items at once, once for all that were under way, and gives all back in eight seconds", () => {
    const limit = new AdaptiveLimit(64, 0);
    limit.started(64, 100);
    const limitAt = (nowMs: number): number => limit.allowance(nowMs, 0);
    for (const nowMs of [200, 201, 202]) limit.refused(at(nowMs, 100, 0));
    limit.started(-1000, 202);
    expect(limitAt(202)).toBe(32);
    limit.refused(at(300, 250, 0));
    limit.started(-1000, 300);
    expect(limitAt(300)).toBe(16);
    expect(limitAt(4300)).toBe(48);
    expect(limitAt(8300)).toBe(64);
  });

  test("a shorter wait never ends a longer one", () => {
    const limit = new AdaptiveLimit(8, 0);
    limit.refused(at(100, 50, 500));
    limit.refused(at(110, 50, 100));
    expect(limit.pausedUntilMs).toBe(600);
  });

  test("what is refused again and again is still tried once a second", () => {
    const limit = new AdaptiveLimit(8, 0);
    let nowMs = 0;
    for (let i = 0; i < 100; i++) {
      limit.refused(at(nowMs, nowMs - 1, 0));
      nowMs += 1500;
      expect(limit.allowance(nowMs, 0)).toBeGreaterThanOrEqual(1);
      limit.started(1, nowMs);
    }
  });
});

test("a flow counts what happened in the last second", () => {
  const flow = new Flow();
  flow.add(5, 0);
  flow.add(3, 500);
  flow.add(-1, 900);
  expect([flow.since(0, 900), flow.since(400, 900), flow.since(0, 1100), flow.since(0, 5000)]).toEqual([7, 2, 2, 0]);
});
