import type { FleetRun } from "../contracts/fleet-control.js";
import type { FleetState } from "./poller.js";

/** Time in milliseconds since 1970, and items per second. */
export type RatePoint = readonly [atMs: number, itemsPerSecond: number];

/** How far a curve reaches back. */
const WINDOW_MS = 15 * 60_000;
/** One point a second. */
const MAX_POINTS = 900;
const MAX_RUNS = 100;
/** After a pause of this length, the mean of the pause is known and what happened within is not. */
const GAP_MS = 5000;
/** A report of this age says nothing about now. */
export const STALE_MS = 10_000;
/** A time that is left is told by the mean of this time. */
const ETA_WINDOW_MS = 60_000;

interface Curve {
  points: RatePoint[];
  lastMs: number;
  /** Items that took time: those that were skipped did not. */
  worked: number;
}

/** The rate of each running run over the last 15 minutes. Where nobody has asked for a while, the mean stands for the gap. */
export class RateHistories {
  readonly #curves = new Map<string, Curve>();

  /** @returns the new points, by run */
  record({ atMs, runs, error }: FleetState): ReadonlyMap<string, readonly RatePoint[]> {
    const added = new Map<string, readonly RatePoint[]>();
    if (error !== undefined) return added;
    const running = runs.filter(({ state }) => state !== "ended").slice(0, MAX_RUNS);
    for (const run of running) {
      const points = this.#add(run, atMs);
      if (points.length > 0) added.set(run.run, points);
    }
    const known = new Set(running.map(({ run }) => run));
    for (const run of this.#curves.keys()) if (!known.has(run)) this.#curves.delete(run);
    return added;
  }

  of(run: string): readonly RatePoint[] {
    return this.#curves.get(run)?.points ?? [];
  }

  /** Over the last minute, by time. */
  meanRate(run: string): number | undefined {
    const points = this.of(run);
    const end = points.at(-1)?.[0];
    if (end === undefined) return undefined;
    const start = Math.max(points[0]![0], end - ETA_WINDOW_MS);
    if (end === start) return points.at(-1)![1];
    let items = 0;
    for (const [i, [atMs, rate]] of points.entries()) {
      const fromMs = Math.max(start, points[i - 1]?.[0] ?? start);
      if (atMs > fromMs) items += (rate * (atMs - fromMs)) / 1000;
    }
    return (items * 1000) / (end - start);
  }

  #add({ run, report, reportAgeMs = Number.POSITIVE_INFINITY }: FleetRun, atMs: number): readonly RatePoint[] {
    if (report === undefined || reportAgeMs > STALE_MS) return [];
    const { counts, elapsedMs, itemsPerSecond } = report;
    const worked = counts.total - counts.cancelled - counts.skipped;
    const curve = this.#curves.get(run) ?? { points: [], lastMs: atMs - elapsedMs, worked: 0 };
    this.#curves.set(run, curve);
    const passedMs = atMs - curve.lastMs;
    if (curve.points.length > 0 && passedMs <= 0) return [];
    const points: RatePoint[] = [[atMs, itemsPerSecond]];
    if (passedMs > GAP_MS) {
      const mean = Math.max(0, ((worked - curve.worked) * 1000) / passedMs);
      const fromMs = Math.max(curve.lastMs + 1, atMs - WINDOW_MS);
      points.unshift([fromMs, mean], [atMs - 1, mean]);
    }
    curve.points = [...curve.points, ...points].filter(([ms]) => ms >= atMs - WINDOW_MS).slice(-MAX_POINTS);
    curve.lastMs = atMs;
    curve.worked = worked;
    return points;
  }
}
