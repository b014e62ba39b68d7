import { monotonicMs } from "../../base/clock.js";
import { type KagurazakaError, toErrorRecord } from "../../base/errors.js";
import { RecentRate } from "../../base/recent-rate.js";
import type { Fleet } from "../../contracts/fleet.js";
import type { RunCounters } from "../record/run-counters.js";
import type { RunSnapshot } from "./run-result.js";

const EVERY_MS = 1000;
const MAX_FAILURES = 20;

/** Tells those who watch the fleet how far the run is. */
export class RunReports implements Disposable {
  readonly #fleet: Fleet;
  readonly #counters: RunCounters;
  readonly #snapshot: () => RunSnapshot;
  readonly #rate = new RecentRate();
  readonly #timer: NodeJS.Timeout;

  constructor(fleet: Fleet, counters: RunCounters, snapshot: () => RunSnapshot) {
    this.#fleet = fleet;
    this.#counters = counters;
    this.#snapshot = snapshot;
    this.#timer = setInterval(() => this.#report(), EVERY_MS).unref();
    this.#report();
  }

  end(exitCode: number, error: KagurazakaError | undefined): void {
    clearInterval(this.#timer);
    this.#report({ exitCode, ...(error && { error: toErrorRecord(error) }) });
  }

  #report(end: Pick<Parameters<NonNullable<Fleet["report"]>>[0], "exitCode" | "error"> = {}): void {
    const { counts, listed, inFlight, waiting, retries, elapsedMs, oldest } = this.#snapshot();
    const ran = counts.done + counts.filtered + counts.failed;
    this.#fleet.report?.({
      counts: { ...counts },
      listed,
      inFlight,
      waiting,
      retries,
      elapsedMs,
      itemsPerSecond: this.#rate.at(ran, monotonicMs()),
      failures: this.#counters.topFailures(MAX_FAILURES),
      oldest: oldest ? [oldest] : [],
      ...end,
    });
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
