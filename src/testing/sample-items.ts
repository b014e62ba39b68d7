import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import type { Outcome } from "../contracts/outcome.js";
import type { SampleItem } from "./sample-task.js";

export const good = (n: number, prefix = "good"): SampleItem[] =>
  Array.from({ length: n }, (_, i) => ({ id: `${prefix}-${i}` }));

export const mixture: readonly SampleItem[] = [
  ...good(20),
  { id: "filtered", act: "filter", message: "nothing in it" },
  { id: "shaky", act: "throw", times: 2 },
  { id: "bad", act: "throw" },
  { id: "hopeless", act: "permanent" },
  { id: "patient", act: "retry-after", ms: 20 },
  { id: "late", act: "wait", ms: 30 },
];

export const keysOf = (things: readonly ({ id: string } | { key: string })[]): string[] =>
  things.map((thing) => ("id" in thing ? thing.id : thing.key)).sort();

export function comparable(outcomes: readonly Outcome[]): unknown[] {
  return [...outcomes]
    .sort((one, other) => (one.key < other.key ? -1 : 1))
    .map(({ key, status, attempts, reason, error, value }) => ({
      key,
      status,
      attempts,
      reason,
      value,
      error: error && { name: error.name, message: error.message, permanent: error.permanent },
    }));
}

export async function until(isSo: () => boolean): Promise<void> {
  for (const end = Date.now() + 20_000; !isSo(); await delay(5)) assert.ok(Date.now() < end, "waited in vain");
}
