import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import type { BackboneDefinition } from "../contracts/backbone.js";
import type { Outcome } from "../contracts/outcome.js";
import type { SampleRun } from "./sample-run.js";
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

/** Items whose values have every JSON shape; the last one is large. */
export const payloads: readonly SampleItem[] = [
  "ä€😀\u0000\n",
  -0.5,
  true,
  null,
  [],
  {},
  [[1, { a: [] }]],
  { "": { "\u2028": 1 } },
  "x".repeat(2 ** 20),
].map((payload, i) => ({ id: `key ${i} \n "quoted" ü`, payload }));

export const keysOf = (things: readonly ({ id: string } | { key: string })[]): string[] =>
  things.map((thing) => ("id" in thing ? thing.id : thing.key)).sort();

/** Both runs had the same outcomes, counts, retries and exit code. */
export function assertAgree(
  { result: mine, outcomes }: SampleRun,
  { result: theirs, outcomes: expected }: SampleRun,
): void {
  assert.deepEqual(comparable(outcomes), comparable(expected));
  assert.deepEqual(mine.counts, theirs.counts);
  assert.equal(mine.exitCode, theirs.exitCode);
  assert.equal(mine.stats.retries, theirs.stats.retries);
}

function comparable(outcomes: readonly Outcome[]): unknown[] {
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

export const DESCRIBED = "says what it is: contract 2, a name, a help line, its kinds and a help line for each option";

export function assertDescribed({ contract, name, help, kinds, options }: BackboneDefinition): void {
  assert.equal(contract, 2);
  assert.match(name, /^\S+$/);
  assert.ok(help.length > 0);
  assert.ok(kinds.length > 0);
  for (const [option, spec] of Object.entries(options)) assert.ok(spec.help, `${option} has no help`);
}

export async function until(isSo: () => boolean): Promise<void> {
  for (const end = Date.now() + 20_000; !isSo(); await delay(5)) assert.ok(Date.now() < end, "waited in vain");
}
