import type { FleetState } from "./poller.js";
import { RateHistories, type RatePoint } from "./rate-history.js";
import { type FleetView, type RunView, viewOf } from "./view.js";

/** What a page is told: all at first, later what has changed. */
interface FeedMessage extends Omit<FleetView, "runs"> {
  /** All runs that are shown, in their order. */
  readonly order: readonly string[];
  /** Those that are new or have changed. */
  readonly runs: readonly RunView[];
  /** Points of curves by run: all, or the new ones. */
  readonly points: readonly (readonly [run: string, points: readonly RatePoint[]])[];
}

/** Turns the states of a fleet into messages to pages. */
export class Feed {
  readonly #histories = new RateHistories();
  #view: FleetView | undefined;
  /** The runs as they were told, as JSON. */
  #told = new Map<string, string>();

  /** @returns what has changed since the state before */
  next(state: FleetState): FeedMessage {
    const points = this.#histories.record(state);
    this.#view = this.view(state);
    const told = new Map(this.#view.runs.map((run) => [run.run, JSON.stringify(run)]));
    const changed = this.#view.runs.filter(({ run }) => told.get(run) !== this.#told.get(run));
    this.#told = told;
    return { ...this.#view, order: [...told.keys()], runs: changed, points: [...points] };
  }

  /** The last state as a whole, for a page that knows nothing; undefined before the first. */
  all(): FeedMessage | undefined {
    const view = this.#view;
    if (view === undefined) return undefined;
    const order = view.runs.map(({ run }) => run);
    return { ...view, order, points: order.map((run) => [run, this.#histories.of(run)]) };
  }

  view(state: FleetState): FleetView {
    return viewOf(state, (run) => this.#histories.meanRate(run));
  }
}
