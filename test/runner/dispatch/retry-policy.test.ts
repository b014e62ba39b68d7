import { describe, expect, test } from "vitest";
import { KagurazakaError, RetryAfterError, toErrorRecord } from "../../../src/base/errors.js";
import { backoffMs, judgeFailure, type Verdict } from "../../../src/runner/dispatch/retry-policy.js";

const settings = { retries: 2, backoff: { minMs: 1000, maxMs: 60_000 } };
const judge = (error: unknown, attempt = 1): Verdict =>
  judgeFailure(toErrorRecord(error), attempt, settings, [], () => 0.5);
const coded = (code: string): Error => Object.assign(new Error("oh"), { code });

describe("a failed attempt", () => {
  test.each<[string, unknown, Verdict]>([
    ["an error", new Error("oh"), { do: "retry", delayMs: 500 }],
    ["something that is no error", undefined, { do: "retry", delayMs: 500 }],
    ["a full disk", coded("ENOSPC"), { do: "stop" }],
    ["a used up quota", coded("EDQUOT"), { do: "stop" }],
    ["a file system that became read-only", coded("EROFS"), { do: "stop" }],
    ["a root that is gone", new KagurazakaError("environment", "gone"), { do: "stop" }],
    ["a name that leaves the root", new KagurazakaError("unsafe-name", "no"), { do: "give-up" }],
    ["an output that was not written", new KagurazakaError("no-output", "no"), { do: "give-up" }],
    ["a value that is not JSON", new KagurazakaError("not-json", "no"), { do: "give-up" }],
    ["a module that is not there", coded("ERR_MODULE_NOT_FOUND"), { do: "give-up" }],
    ["a ReferenceError", new ReferenceError("x"), { do: "give-up" }],
    ["a time limit", new KagurazakaError("timeout", "slow"), { do: "retry", delayMs: 500 }],
    ["a service that asks to wait", new RetryAfterError(300, "host"), { do: "wait", delayMs: 300, scope: "host" }],
    ["a wait of negative time", new RetryAfterError(-5), { do: "wait", delayMs: 0, scope: undefined }],
    [
      "RetryAfterError without a usable delay",
      new RetryAfterError(Number.NaN),
      { do: "wait", delayMs: 0, scope: undefined },
    ],
  ])("by %s", (_what, error, verdict) => {
    expect(judge(error)).toEqual(verdict);
  });

  test("is the last one when the retries are used up", () => {
    expect([1, 2, 3].map((attempt) => judge(new Error("oh"), attempt).do)).toEqual(["retry", "retry", "give-up"]);
  });

  test("is one of a full disk whatever else it is", () => {
    const error = Object.assign(new RetryAfterError(10), { code: "ENOSPC" });
    expect(judge(error, 9)).toEqual({ do: "stop" });
  });
});

test("a backoff doubles up to its most, and lies anywhere below it", () => {
  const backoff = { minMs: 1000, maxMs: 5000 };
  expect([1, 2, 3, 4, 99].map((attempt) => backoffMs(attempt, backoff, () => 1))).toEqual([
    1000, 2000, 4000, 5000, 5000,
  ]);
  expect(backoffMs(3, backoff, () => 0)).toBe(0);
});
