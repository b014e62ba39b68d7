import { type ErrorRecord, failureClassOf, KagurazakaError } from "../../base/errors.js";
import { emptyCounts, type OutcomeStatus } from "../../contracts/outcome.js";
import type { CountOrShare, RunSettings } from "../../contracts/run-config.js";
import type { RunStats } from "../../contracts/task.js";
import { DurationHistogram } from "./duration-histogram.js";

const SLOWEST = 5;
const FIRST_SETTLED = 20;
const SHARE_NEEDS = 1000;

/** Counts what became of items, and says when too many failed. */
export class RunCounters {
  readonly counts = emptyCounts();
  readonly durations = new DurationHistogram();
  readonly #classes = new Map<string, { count: number; first: ErrorRecord; firstKey: string }>();
  #slowest: { key: string; durationMs: number }[] = [];
  retries = 0;
  busyMs = 0;

  count(status: OutcomeStatus): void {
    this.counts.total++;
    this.counts[status]++;
  }

  ran(durationMs: number, keyOf: () => string): void {
    this.durations.add(durationMs);
    this.busyMs += durationMs;
    if (this.#slowest.length === SLOWEST && durationMs <= this.#slowest[SLOWEST - 1]!.durationMs) return;
    this.#slowest.push({ key: keyOf(), durationMs });
    this.#slowest.sort((a, b) => b.durationMs - a.durationMs);
    this.#slowest.length = Math.min(SLOWEST, this.#slowest.length);
  }

  /** Returns true for the first failure of its class. */
  failed(key: string, error: ErrorRecord): boolean {
    const name = failureClassOf(error);
    const seen = this.#classes.get(name);
    if (seen) seen.count++;
    else this.#classes.set(name, { count: 1, first: error, firstKey: key });
    return !seen;
  }

  get failures(): readonly { class: string; count: number; first: ErrorRecord; firstKey: string }[] {
    return [...this.#classes].map(([name, rest]) => ({ class: name, ...rest })).sort((a, b) => b.count - a.count);
  }

  get slowest(): RunStats["slowest"] {
    return this.#slowest;
  }

  /** Too many failures to go on, and why; undefined while all is within the budget. */
  overBudget(maxFailures: RunSettings["maxFailures"]): KagurazakaError | undefined {
    const { done, filtered, failed, skipped } = this.counts;
    if (maxFailures === "none" || failed === 0) return undefined;
    if (maxFailures !== undefined) {
      if (!exceeds(maxFailures, failed, done + filtered + failed, SHARE_NEEDS)) return undefined;
      const limit = "count" in maxFailures ? `${maxFailures.count}` : `${maxFailures.percent}%`;
      return new KagurazakaError("failure-budget", `${failed} items failed, --max-failures allows ${limit}`);
    }
    const oneClass = this.#classes.size === 1 && failed === FIRST_SETTLED && done + filtered + skipped === 0;
    if (!oneClass) return undefined;
    const [{ first, firstKey, class: name } = { first: undefined, firstKey: "", class: "" }] = this.failures;
    return new KagurazakaError("failure-budget", `the first ${FIRST_SETTLED} items all failed with ${name}`, {
      hint: `First: ${firstKey}: ${first?.message}. Mend the task, or say --max-failures none to go on regardless.`,
      cause: first,
    });
  }

  /** Few enough failures to call it success. */
  withinAllowance(allowed: CountOrShare | undefined): boolean {
    const { done, filtered, failed } = this.counts;
    return failed === 0 || (allowed !== undefined && !exceeds(allowed, failed, done + filtered + failed, 0));
  }
}

function exceeds(limit: CountOrShare, failed: number, settled: number, needs: number): boolean {
  if ("count" in limit) return failed > limit.count;
  return settled >= needs && failed > (limit.percent / 100) * settled;
}
