import { type ErrorRecord, failureClassOf, KagurazakaError } from "../../base/errors.js";
import type { FailureReport } from "../../contracts/fleet-control.js";
import { emptyCounts, type OutcomeStatus } from "../../contracts/outcome.js";
import type { CountOrShare, RunSettings } from "../../contracts/run-config.js";
import type { RunStats } from "../../contracts/task.js";
import { DurationHistogram } from "./duration-histogram.js";

const SLOWEST = 5;
/** Without `--max-failures`, a run stops when this many first items have all failed in one way. */
const FIRST_SETTLED = 20;
/** `--max-failures P%` applies from this many outcomes on. */
const SHARE_NEEDS = 1000;

interface StatsRequest extends Pick<RunStats, "run" | "task" | "elapsedMs"> {
  /** Items that could run at once. */
  readonly slots: number;
}

/** Counts the outcomes of a run, and tells when too many items have failed. */
export class RunCounters {
  readonly counts = emptyCounts();
  readonly #durations = new DurationHistogram();
  readonly #classes = new Map<string, { count: number; first: ErrorRecord; firstKey: string }>();
  readonly #slowest: { key: string; durationMs: number }[] = [];
  readonly #amounts = new Map<string, number>();
  retries = 0;
  /** The sizes of all items that were planned, for a task that says how large they are. */
  plannedSize = 0;
  #busyMs = 0;

  count(status: OutcomeStatus): void {
    this.counts.total++;
    this.counts[status]++;
  }

  ran(durationMs: number, keyOf: () => string): void {
    this.#durations.add(durationMs);
    this.#busyMs += durationMs;
    if (this.#slowest.length === SLOWEST && durationMs <= this.#slowest[SLOWEST - 1]!.durationMs) return;
    this.#slowest.push({ key: keyOf(), durationMs });
    this.#slowest.sort((a, b) => b.durationMs - a.durationMs);
    this.#slowest.length = Math.min(SLOWEST, this.#slowest.length);
  }

  /** What an item has counted, by name. */
  add(amounts: Readonly<Record<string, number>>): void {
    for (const [name, amount] of Object.entries(amounts)) this.#amounts.set(name, this.amount(name) + amount);
  }

  amount(name: string): number {
    return this.#amounts.get(name) ?? 0;
  }

  /** Returns true for the first failure of its class. */
  failed(key: string, error: ErrorRecord): boolean {
    const name = failureClassOf(error);
    const seen = this.#classes.get(name);
    if (seen) seen.count++;
    else this.#classes.set(name, { count: 1, first: error, firstKey: key });
    return !seen;
  }

  /** The most frequent classes of failures, with the first item of each. */
  topFailures(most: number): FailureReport[] {
    const all = [...this.#classes].map(([name, { count, first, firstKey }]) => ({
      class: name,
      count,
      key: firstKey,
      error: first,
    }));
    return all.sort((a, b) => b.count - a.count).slice(0, most);
  }

  /** The numbers that `finalize()` gets and stats.json holds. */
  stats({ run, task, elapsedMs, slots }: StatsRequest): RunStats {
    const settled = this.counts.total - this.counts.cancelled;
    const failures = [...this.#classes].map(([name, { count }]) => ({ class: name, count }));
    return {
      run,
      task,
      counts: { ...this.counts },
      retries: this.retries,
      elapsedMs: round(elapsedMs),
      itemsPerSecond: elapsedMs > 0 ? round((settled * 1000) / elapsedMs) : 0,
      durationMs: {
        p50: round(this.#durations.percentile(0.5)),
        p95: round(this.#durations.percentile(0.95)),
        max: round(this.#durations.maxMs),
      },
      utilisation: elapsedMs * slots > 0 ? Math.min(1, round(this.#busyMs / (elapsedMs * slots))) : 0,
      failures: failures.sort((a, b) => b.count - a.count),
      amounts: Object.fromEntries(this.#amounts),
      slowest: this.#slowest.map(({ key, durationMs }) => ({ key, durationMs: round(durationMs) })),
    };
  }

  /** The error that stops the run, once `--max-failures` is exceeded. */
  overBudget(maxFailures: RunSettings["maxFailures"]): KagurazakaError | undefined {
    const { done, filtered, failed, skipped } = this.counts;
    if (maxFailures === "none" || failed === 0) return undefined;
    if (maxFailures !== undefined) {
      if (!exceeds(maxFailures, failed, done + filtered + failed, SHARE_NEEDS)) return undefined;
      const limit = "count" in maxFailures ? `${maxFailures.count}` : `${maxFailures.percent}%`;
      return new KagurazakaError("failure-budget", `${failed} items failed, --max-failures allows ${limit}`);
    }
    // A directory that cannot be listed says nothing about the task.
    const [onlyClass, ...others] = [...this.#classes].filter(([, { first }]) => first.code !== "unreadable");
    if (!onlyClass || others.length > 0 || onlyClass[1].count !== FIRST_SETTLED || done + filtered + skipped > 0)
      return undefined;
    const [name, { first, firstKey }] = onlyClass;
    return new KagurazakaError("failure-budget", `the first ${FIRST_SETTLED} items all failed with ${name}`, {
      hint: `First: ${firstKey}: ${first.message}. Fix the task, or go on regardless with --max-failures none.`,
      cause: first,
    });
  }

  /** Whether so few items failed that `--allow-failures` calls the run a success. */
  withinAllowance(allowed: CountOrShare | undefined): boolean {
    const { done, filtered, failed } = this.counts;
    return failed === 0 || (allowed !== undefined && !exceeds(allowed, failed, done + filtered + failed, 0));
  }
}

function exceeds(limit: CountOrShare, failed: number, settled: number, needs: number): boolean {
  if ("count" in limit) return failed > limit.count;
  return settled >= needs && failed > (limit.percent / 100) * settled;
}

const round = (value: number): number => Math.round(value * 1000) / 1000;
