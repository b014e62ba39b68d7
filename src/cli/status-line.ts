import { amountText, escapeControls, shortCount, shortDuration, shortRate } from "../base/text.js";
import type { RunSnapshot } from "../runner/run/run-result.js";
import type { MessageOut } from "./message-out.js";

/** How far some work is, on stderr: one line that is drawn again on a terminal, or a line every 10 s, or nothing. */
export interface StatusLine {
  /** Shows the state, unless that was done a moment ago. For work that leaves timers no time to fire. */
  tick(): void;
  /** Prints a text above it. */
  line(text: string): void;
  stop(): void;
}

export type StatusKind = "bar" | "lines" | "none";

const DRAW_EVERY_MS = 100;
export const LINE_EVERY_MS = 10_000;
/** The terminal itself cuts what is longer than its line. */
const WRAP_OFF = "\x1b[?7l";
const WRAP_ON = "\x1b[?7h";
const CLEAR = "\r\x1b[K";

/** @param describe the state now, in one line */
export function openStatusLine(kind: StatusKind, describe: () => string, out: MessageOut): StatusLine {
  const isBar = kind === "bar";
  const everyMs = isBar ? DRAW_EVERY_MS : LINE_EVERY_MS;
  let shown = "";
  let shownMs = Date.now();
  const draw = (): void => void out.write(`\r${WRAP_OFF}${shown}\x1b[K${WRAP_ON}`);
  const show = (): void => {
    shownMs = Date.now();
    shown = describe();
    if (isBar) draw();
    else out.write(`${shown}\n`);
  };
  const timer = kind === "none" ? undefined : setInterval(show, everyMs).unref();
  return {
    tick() {
      if (kind !== "none" && Date.now() - shownMs >= everyMs) show();
    },
    line(text) {
      const isDrawn = isBar && shown !== "";
      out.write(`${isDrawn ? CLEAR : ""}${text}\n`);
      if (isDrawn) draw();
    },
    stop() {
      clearInterval(timer);
      if (isBar && shown !== "") out.write(CLEAR);
    },
  };
}

/** `auto` is a bar on a terminal. */
export function statusKind(asked: "auto" | StatusKind, out: MessageOut): StatusKind {
  if (asked !== "auto") return asked;
  return out.isTTY && process.env.TERM !== "dumb" ? "bar" : "lines";
}

const BAR_WIDTH = 20;

/** The state of a run in one line, with a bar in front where it is drawn. */
export function describeRun(kind: StatusKind, snapshot: () => RunSnapshot): () => string {
  const rate = new Rate();
  return () => {
    const now = snapshot();
    const text = runText(now, rate);
    return kind === "bar" ? `${barOf(now)} ${text}` : text;
  };
}

function barOf(now: RunSnapshot): string {
  const { size } = now;
  const { settled, known } = size && size.planned > 0 ? { settled: size.done, known: size.planned } : progressOf(now);
  // While items are still being listed, more of them are to come.
  const total = Math.max(1, now.listed ? known : Math.max(known, settled + 1));
  return "■".repeat(Math.round((BAR_WIDTH * Math.min(settled, total)) / total)).padEnd(BAR_WIDTH);
}

function progressOf({ counts, inFlight, waiting }: RunSnapshot): { settled: number; known: number } {
  return { settled: counts.total - counts.cancelled, known: counts.total + inFlight + waiting };
}

/** `412k/1.20M 34% · 2.1k/s · ETA 6m12s · done 409k · skipped 300k · failed 12 · 16 in flight · oldest 8.3s img_001.jpg` */
function runText(now: RunSnapshot, rate: Rate): string {
  const { counts, inFlight, waiting, scopes, listed, oldest, retries } = now;
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
    parts.push(`ETA ${shortDuration(etaMs(now, left / perSecond))}`);
  if (now.size && now.size.done > 0) parts.push(sizeText(now.size, now.elapsedMs));
  parts.push(`done ${shortCount(counts.done)}`);
  for (const name of ["skipped", "filtered", "failed", "cancelled"] as const)
    if (counts[name] > 0) parts.push(`${name} ${shortCount(counts[name])}`);
  if (retries > 0) parts.push(`retried ${shortCount(retries)}`);
  parts.push(`${shortCount(inFlight)} in flight`);
  for (const { scope, items } of scopes.slice(0, 2))
    parts.push(`waiting for ${escapeControls(scope).slice(0, 40)}, ${shortCount(items)} item${items === 1 ? "" : "s"}`);
  if (oldest && oldest.sinceMs > 5000)
    parts.push(`oldest ${shortDuration(oldest.sinceMs)} ${escapeControls(oldest.key).slice(-40)}`);
  return parts.join(" · ");
}

/** By the size of items, where the task says it: the items that are left may be larger. */
function etaMs({ size, elapsedMs }: RunSnapshot, byItemsSeconds: number): number {
  if (!size || size.done === 0) return byItemsSeconds * 1000;
  return Math.max(0, (size.planned - size.done) / size.done) * elapsedMs;
}

/** `1.2 GB of 3.4 GB, 210 MB/s` */
function sizeText({ name, done, planned }: NonNullable<RunSnapshot["size"]>, elapsedMs: number): string {
  const perSecond = elapsedMs > 0 ? (done * 1000) / elapsedMs : 0;
  return `${amountText(name, done)} of ${amountText(name, planned)}, ${amountText(name, perSecond)}/s`;
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
