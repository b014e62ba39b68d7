import { escapeControls } from "../base/text.js";
import type { FleetNode, FleetRun } from "../contracts/fleet-control.js";
import type { FleetState } from "./poller.js";
import { STALE_MS } from "./rate-history.js";

/** A run as the page shows it. */
export interface RunView extends FleetRun {
  /** How long the rest will take, where all items are known. */
  readonly etaMs: number | undefined;
}

/** A worker as the page shows it. */
interface NodeView extends FleetNode {
  readonly slotsInUse: number;
  /** Items that it has fetched ahead: `inFlight` counts them as well. */
  readonly queued: number;
  /** How long it has been up, where the clocks of its machine and of this one agree enough to tell. */
  readonly upMs: number | undefined;
}

/** The fleet as the page shows it: what is long is cut, and the rest is counted. */
export interface FleetView {
  readonly atMs: number;
  readonly error: string | undefined;
  readonly runs: readonly RunView[];
  readonly nodes: readonly NodeView[];
  readonly hidden: { readonly runs: number; readonly nodes: number };
}

const MAX_RUNNING = 100;
const MAX_ENDED = 20;
const MAX_NODES = 200;
/** Of failures, of items that run. */
const MAX_LIST = 10;
const MAX_TEXT = 4000;
/** A rate that was measured over less says little. */
const MIN_ELAPSED_MS = 2000;

/** @param meanRate of a run, over the last minute */
export function viewOf(state: FleetState, meanRate: (run: string) => number | undefined): FleetView {
  const running = state.runs.filter((run) => run.state !== "ended").slice(0, MAX_RUNNING);
  const ended = state.runs.filter((run) => run.state === "ended").slice(0, MAX_ENDED);
  const nodes = state.nodes.slice(0, MAX_NODES);
  return bounded({
    atMs: state.atMs,
    error: state.error,
    runs: [
      ...running.map((run) => ({ ...run, etaMs: etaOf(run, meanRate(run.run)) })),
      // Their age would be the only thing that changes.
      ...ended.map((run) => ({ ...run, reportAgeMs: undefined, etaMs: undefined })),
    ],
    nodes: nodes.map((node) => nodeView(node, state.atMs)),
    hidden: {
      runs: state.runs.length - running.length - ended.length,
      nodes: state.nodes.length - nodes.length,
    },
  });
}

function nodeView(node: FleetNode, nowMs: number): NodeView {
  const { inFlight, slots, running, startedAt } = node;
  const slotsInUse = Math.min(inFlight, slots);
  // By the clock of the node: NaN where that is no time, and negative where its clock is ahead of ours.
  const upMs = nowMs - Date.parse(startedAt);
  return {
    ...node,
    running: running.slice(0, MAX_LIST),
    slotsInUse,
    queued: inFlight - slotsInUse,
    upMs: upMs >= 0 ? upMs : undefined,
  };
}

/** Undefined where it cannot be told: items are still being listed, the run drains or has no coordinator. */
export function etaOf(
  { state, report, reportAgeMs }: FleetRun,
  itemsPerSecond: number | undefined,
): number | undefined {
  if (state !== "running" || report === undefined || (reportAgeMs ?? 0) > STALE_MS) return undefined;
  const { listed, inFlight, waiting, counts, elapsedMs } = report;
  const left = inFlight + waiting;
  if (!listed || left === 0 || counts.cancelled > 0 || elapsedMs < MIN_ELAPSED_MS) return undefined;
  return itemsPerSecond !== undefined && itemsPerSecond > 0 ? (left / itemsPerSecond) * 1000 : undefined;
}

/** A copy whose texts are cut and free of control characters, and whose lists of failures and items are cut. */
function bounded<T>(value: T, field = ""): T {
  if (typeof value === "string") return boundText(value) as T;
  if (Array.isArray(value)) {
    const kept = field === "failures" || field === "oldest" ? value.slice(0, MAX_LIST) : value;
    return kept.map((one) => bounded(one)) as T;
  }
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, bounded(one, name)])) as T;
}

export function boundText(text: string): string {
  const kept = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}… (${text.length} characters)` : text;
  return escapeControls(kept, "newlines");
}
