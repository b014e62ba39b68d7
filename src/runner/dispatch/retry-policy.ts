import type { ErrorRecord } from "../../base/errors.js";
import type { RunSettings } from "../../contracts/run-config.js";

/** What to do with an item that failed an attempt. */
export type Verdict =
  | { readonly do: "retry"; readonly delayMs: number }
  /** A service asked to wait: this does not count as an attempt. */
  | { readonly do: "wait"; readonly delayMs: number; readonly scope?: string }
  | { readonly do: "give-up" }
  /** The environment failed, not the item: the disk is full, the root is gone. */
  | { readonly do: "stop" };

const ENVIRONMENT_CODES = new Set(["ENOSPC", "EDQUOT", "EROFS", "environment"]);
/** Errors that a retry cannot fix: the program or the item is wrong. */
const PERMANENT_CODES = new Set([
  "unsafe-name",
  "reserved-field",
  "duplicate-key",
  "not-json",
  "no-output",
  "bad-data",
  "bad-row",
  "features",
  "ERR_MODULE_NOT_FOUND",
]);
const PROGRAM_ERRORS = new Set(["TypeError", "ReferenceError", "SyntaxError"]);

export function judgeFailure(
  error: ErrorRecord,
  attempt: number,
  settings: Pick<RunSettings, "retries" | "backoff">,
  permanentErrors: readonly (string | RegExp)[],
  random: () => number,
): Verdict {
  if (error.code !== undefined && ENVIRONMENT_CODES.has(error.code)) return { do: "stop" };
  if (error.retryAfter) return { do: "wait", ...error.retryAfter, delayMs: Math.max(0, error.retryAfter.delayMs || 0) };
  if (isPermanent(error, permanentErrors) || attempt > settings.retries) return { do: "give-up" };
  return { do: "retry", delayMs: backoffMs(attempt, settings.backoff, random) };
}

function isPermanent(error: ErrorRecord, patterns: readonly (string | RegExp)[]): boolean {
  if (error.permanent) return true;
  if (error.code !== undefined && PERMANENT_CODES.has(error.code)) return true;
  // fetch reports a network error as a TypeError with a cause.
  if (PROGRAM_ERRORS.has(error.name) && error.cause === undefined) return true;
  return patterns.some((pattern) =>
    typeof pattern === "string"
      ? error.code === pattern || error.message.includes(pattern)
      : pattern.test(error.message) || pattern.test(error.code ?? ""),
  );
}

/** Exponential with full jitter: anywhere between 0 and min × 2^(attempt − 1), capped. (AWS Architecture Blog, 2015.) */
export function backoffMs(attempt: number, { minMs, maxMs }: RunSettings["backoff"], random: () => number): number {
  return random() * Math.min(maxMs, minMs * 2 ** (attempt - 1));
}
