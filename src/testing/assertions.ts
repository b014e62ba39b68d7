import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import type { BackboneDefinition } from "../contracts/backbone.js";
import type { Outcome } from "../contracts/outcome.js";
import type { RunResult } from "../runner/run/run-result.js";
import type { SampleRun } from "./sample-run.js";
import type { SampleEvent } from "./sample-task.js";

/** What worker backbones and fleets must do alike, as assertions. */

export const DESCRIBED = "says what it is: contract 2, a name, a help line, its kinds and a help line for each option";

export function assertDescribed({ contract, name, help, kinds, options }: BackboneDefinition): void {
  assert.equal(contract, 2);
  assert.match(name, /^\S+$/);
  assert.ok(help.length > 0);
  assert.ok(kinds.length > 0);
  for (const [option, spec] of Object.entries(options)) assert.ok(spec.help, `${option} has no help`);
}

/** Both runs had the same outcomes, counts, retries and exit code. */
export function assertAgree(mine: SampleRun, theirs: SampleRun): void {
  assert.deepEqual(comparable(mine.outcomes), comparable(theirs.outcomes));
  assert.deepEqual(mine.result.counts, theirs.result.counts);
  assert.equal(mine.result.exitCode, theirs.result.exitCode);
  assert.equal(mine.result.stats.retries, theirs.result.stats.retries);
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

/** The run was drained before its end: started items are done, the others cancelled. */
export function assertDrained({ counts }: RunResult, journal: readonly SampleEvent[], items: number): void {
  const ended = countOf("end", journal);
  assert.ok(ended < items, "all items had ended before the run was drained");
  assert.deepEqual([counts.done, counts.failed, counts.cancelled], [ended, 0, counts.total - ended]);
}

/** `setup()` of the sample task threw. */
export function assertUnfit(result: RunResult, journal: readonly SampleEvent[]): void {
  assert.deepEqual([result.exitCode, result.counts.done], [7, 0]);
  assert.match(result.error!.message, /no model here/);
  assert.equal(countOf("start", journal), 0);
}

export const countOf = (wanted: string, journal: readonly SampleEvent[]): number =>
  journal.filter(({ event }) => event === wanted).length;

export async function until(isSo: () => boolean): Promise<void> {
  for (const end = Date.now() + 20_000; !isSo(); await delay(5)) assert.ok(Date.now() < end, "waited in vain");
}
