import type { FleetNode, FleetRun } from "../contracts/fleet-control.js";
import type { FleetState } from "./poller.js";

type Labels = Readonly<Record<string, string>>;

interface Metric<T> {
  readonly name: string;
  readonly type: "gauge" | "counter";
  readonly help: string;
  /** The labels beside those of the run or the node, and the value; a sample without a value is left out. */
  readonly samples: (of: T) => readonly (readonly [labels: Labels, value: number | undefined])[];
}

const single =
  <T>(value: (of: T) => number | undefined): Metric<T>["samples"] =>
  (of) => [[{}, value(of)]];

const seconds = (ms: number | undefined): number | undefined => (ms === undefined ? undefined : ms / 1000);

const states = ["running", "draining", "orphaned", "ended"] as const;
const statuses = ["done", "skipped", "filtered", "failed", "cancelled"] as const;

const runMetrics: readonly Metric<FleetRun>[] = [
  {
    name: "run_info",
    type: "gauge",
    help: "A run that is listed in the queue. Always 1.",
    samples: ({ task, coordinator }) => [[{ task, coordinator: coordinator.host }, 1]],
  },
  {
    name: "run_state",
    type: "gauge",
    help: "1 for the state that a run is in, 0 for the other states.",
    samples: (run) => states.map((state) => [{ state }, Number(run.state === state)] as const),
  },
  {
    name: "run_items_total",
    type: "counter",
    help: "Items of a run that have settled, by status.",
    samples: ({ report }) => statuses.map((status) => [{ status }, report?.counts[status]] as const),
  },
  {
    name: "run_retries_total",
    type: "counter",
    help: "Attempts of a run that were tried again.",
    samples: single(({ report }) => report?.retries),
  },
  {
    name: "run_items_in_flight",
    type: "gauge",
    help: "Items of a run that have been handed out and not settled.",
    samples: single(({ report }) => report?.inFlight),
  },
  {
    name: "run_items_waiting",
    type: "gauge",
    help: "Items of a run that are listed and not handed out.",
    samples: single(({ report }) => report?.waiting),
  },
  {
    name: "run_listing_complete",
    type: "gauge",
    help: "1 when all items of a run are known, 0 while they are being listed.",
    samples: single(({ report }) => report && Number(report.listed)),
  },
  {
    name: "run_items_per_second",
    type: "gauge",
    help: "Rate of a run over the last seconds. Not of a run that has ended.",
    samples: single(({ state, report }) => (state === "ended" ? undefined : report?.itemsPerSecond)),
  },
  {
    name: "run_chunks",
    type: "gauge",
    help: "Chunks of a run in the queue: those that wait, and those that workers have.",
    samples: ({ chunks }) => [
      [{ state: "waiting" }, chunks.waiting],
      [{ state: "active" }, chunks.active],
    ],
  },
  {
    name: "run_elapsed_seconds",
    type: "gauge",
    help: "Time since a run started.",
    samples: single(({ report }) => seconds(report?.elapsedMs)),
  },
  {
    name: "run_report_age_seconds",
    type: "gauge",
    help: "Time since the coordinator of a run has sent its last report. Not of a run that has ended.",
    samples: single(({ state, reportAgeMs }) => (state === "ended" ? undefined : seconds(reportAgeMs))),
  },
  {
    name: "run_exit_code",
    type: "gauge",
    help: "Exit code of a run that has ended.",
    samples: single(({ report }) => report?.exitCode),
  },
];

const nodeMetrics: readonly Metric<FleetNode>[] = [
  {
    name: "node_info",
    type: "gauge",
    help: "A worker of the fleet. Always 1.",
    samples: ({ pid, version, task, backbone }) => [[{ pid: String(pid), version, task, backbone }, 1]],
  },
  {
    name: "node_slots",
    type: "gauge",
    help: "How many items a worker can run at once.",
    samples: single(({ slots }) => slots),
  },
  {
    name: "node_items_in_flight",
    type: "gauge",
    help: "Items that a worker has and that have not settled: those that run, and those that it has fetched ahead.",
    samples: single(({ inFlight }) => inFlight),
  },
  {
    name: "node_items_settled_total",
    type: "counter",
    help: "Items that have settled on a worker since it started.",
    samples: single(({ settled }) => settled),
  },
  {
    name: "node_items_per_second",
    type: "gauge",
    help: "Rate of a worker over the last seconds.",
    samples: single(({ itemsPerSecond }) => itemsPerSecond),
  },
  {
    name: "node_resident_memory_bytes",
    type: "gauge",
    help: "Resident memory of a worker's process.",
    samples: single(({ rssBytes }) => rssBytes),
  },
  {
    name: "node_leaving",
    type: "gauge",
    help: "1 when a worker takes no more items, else 0.",
    samples: single(({ leaving }) => Number(leaving)),
  },
  {
    name: "node_report_age_seconds",
    type: "gauge",
    help: "Time since a worker has sent its last report.",
    samples: single(({ ageMs }) => seconds(ageMs)),
  },
];

const fleetMetrics: readonly Metric<FleetState>[] = [
  {
    name: "queue_up",
    type: "gauge",
    help: "1 when the queue of the fleet answers, else 0.",
    samples: single(({ error }) => Number(error === undefined)),
  },
];

const countMetrics: readonly Metric<FleetState>[] = [
  {
    name: "runs",
    type: "gauge",
    help: "Runs that are listed in the queue, by state.",
    samples: ({ runs }) =>
      states.map((state) => [{ state }, runs.filter((run) => run.state === state).length] as const),
  },
  {
    name: "nodes",
    type: "gauge",
    help: "Workers of the fleet.",
    samples: single(({ nodes }) => nodes.length),
  },
];

/** The state in Prometheus' text format, version 0.0.4. Of a queue that does not answer there is nothing but that. */
export function formatMetrics(state: FleetState): string {
  const text = format(fleetMetrics, [state], () => ({}));
  if (state.error !== undefined) return text;
  return [
    text,
    format(countMetrics, [state], () => ({})),
    format(runMetrics, state.runs, ({ run }) => ({ run })),
    format(nodeMetrics, state.nodes, ({ node, host }) => ({ node, host })),
  ].join("");
}

/** All samples of a metric stand together, below its HELP and TYPE. */
function format<T>(metrics: readonly Metric<T>[], all: readonly T[], labelsOf: (one: T) => Labels): string {
  return metrics
    .map(({ name, type, help, samples }) => {
      const full = `kagurazaka_${name}`;
      const lines = all.flatMap((one) =>
        samples(one).flatMap(([labels, value]) =>
          value === undefined
            ? []
            : [`${full}${formatLabels({ ...labelsOf(one), ...labels })} ${formatValue(value)}\n`],
        ),
      );
      return lines.length === 0 ? "" : `# HELP ${full} ${help}\n# TYPE ${full} ${type}\n${lines.join("")}`;
    })
    .join("");
}

function formatLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

export const escapeLabel = (value: string): string =>
  value.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n");

function formatValue(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  return Number.isFinite(value) ? String(value) : value > 0 ? "+Inf" : "-Inf";
}
