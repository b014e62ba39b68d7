import { escapeControls, shortCount, shortDuration, shortRate } from "../base/text.js";
import type { RunSnapshot } from "../runner/run/run-result.js";
import type { StatusKind } from "./status-line.js";

const BAR_WIDTH = 20;

/** The state of a run in one line, with a bar in front where it is drawn. */
export function describeRun(kind: StatusKind, snapshot: () => RunSnapshot): () => string {
  const rate = new Rate();
  return () => {
    const now = snapshot();
    const text = describe(now, rate);
    return kind === "bar" ? `${barOf(now)} ${text}` : text;
  };
}

function barOf(now: RunSnapshot): string {
  const { settled, known } = progressOf(now);
  // While items are still being listed, more of them are to come.
  const total = Math.max(1, now.listed ? known : Math.max(known, settled + 1));
  return "■".repeat(Math.round((BAR_WIDTH * Math.min(settled, total)) / total)).padEnd(BAR_WIDTH);
}

function progressOf({ counts, inFlight, waiting }: RunSnapshot): { settled: number; known: number } {
  return { settled: counts.total - counts.cancelled, known: counts.total + inFlight + waiting };
}

/** `412k/1.20M 34% · 2.1k/s · ETA 6m12s · done 409k · skipped 300k · failed 12 · 16 in flight · oldest 8.3s img_001.jpg` */
function describe(now: RunSnapshot, rate: Rate): string {
  const { counts, inFlight, waiting, listed, oldest, retries } = now;
  const { settled, known } = progressOf(now);
  const perSecond = rate.update(settled - counts.skipped, now.elapsedMs);
  const left = inFlight + waiting;
  const parts = [
    listed
      ? `${shortCount(settled)}/${shortCount(known)} ${Math.floor((100 * settled) / Math.max(1, known))}%`
      : `${shortCount(settled)} of ${shortCount(known)}+ (listing)`,
    shortRate(perSecond),
  ];
  // What was skipped took no time, so it says nothing about the time that is left.
  if (listed && left > 0 && counts.cancelled === 0 && perSecond > 0 && now.elapsedMs > 2000)
    parts.push(`ETA ${shortDuration((left / perSecond) * 1000)}`);
  parts.push(`done ${shortCount(counts.done)}`);
  for (const name of ["skipped", "filtered", "failed", "cancelled"] as const)
    if (counts[name] > 0) parts.push(`${name} ${shortCount(counts[name])}`);
  if (retries > 0) parts.push(`retried ${shortCount(retries)}`);
  parts.push(`${shortCount(inFlight)} in flight`);
  if (oldest && oldest.sinceMs > 5000)
    parts.push(`oldest ${shortDuration(oldest.sinceMs)} ${escapeControls(oldest.key).slice(-40)}`);
  return parts.join(" · ");
}

/** Items per second, smoothed over about ten seconds. */
class Rate {
  #lastCount = 0;
  #lastMs = 0;
  #perSecond = 0;

  update(count: number, elapsedMs: number): number {
    const passedMs = elapsedMs - this.#lastMs;
    if (passedMs < 100) return this.#perSecond;
    const now = ((count - this.#lastCount) * 1000) / passedMs;
    // Over the first ten seconds the plain average; a slow start must not be carried along.
    const weight = Math.max(1 - Math.exp(-passedMs / 10_000), passedMs / elapsedMs);
    this.#perSecond += weight * (now - this.#perSecond);
    this.#lastCount = count;
    this.#lastMs = elapsedMs;
    return this.#perSecond;
  }
}
