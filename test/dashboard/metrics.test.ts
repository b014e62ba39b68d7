import { expect, test } from "vitest";
import { escapeLabel, formatMetrics } from "../../src/dashboard/metrics.js";
import { node, report, run } from "./fleet.js";

const state = (fields: Partial<Parameters<typeof formatMetrics>[0]> = {}) => ({
  atMs: 0,
  runs: [],
  nodes: [],
  error: undefined,
  ...fields,
});

/** Reads the format back: samples by their name with labels. */
function parse(text: string): Map<string, number> {
  expect(text.endsWith("\n")).toBe(true);
  const samples = new Map<string, number>();
  let current: string | undefined;
  const seen = new Set<string>();
  for (const line of text.trimEnd().split("\n")) {
    const help = /^# HELP ([a-z_]+) \S.*$/.exec(line);
    const type = /^# TYPE ([a-z_]+) (?:gauge|counter)$/.exec(line);
    if (help) {
      expect(seen.has(help[1]!), `${help[1]} stands together`).toBe(false);
      seen.add(help[1]!);
      current = help[1];
    } else if (type) expect(type[1]).toBe(current);
    else {
      const sample = /^([a-z_]+)((?:\{(?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)+\})?) (\S+)$/.exec(line);
      expect(sample, line).not.toBeNull();
      expect(sample![1]).toBe(current);
      expect(samples.has(sample![1]! + sample![2]!), line).toBe(false);
      samples.set(sample![1]! + sample![2]!, Number(sample![3]));
    }
  }
  return samples;
}

test("runs, nodes and the queue are told, in the units of Prometheus", () => {
  const ended = run("r0", { state: "ended", report: report({ exitCode: 4 }), reportAgeMs: undefined });
  const samples = parse(formatMetrics(state({ runs: [run("r1"), ended], nodes: [node("n1"), node("n2")] })));
  const expected = {
    kagurazaka_queue_up: 1,
    'kagurazaka_runs{state="running"}': 1,
    'kagurazaka_runs{state="ended"}': 1,
    kagurazaka_nodes: 2,
    'kagurazaka_run_info{run="r1",task="Resize",coordinator="alpha"}': 1,
    'kagurazaka_run_state{run="r1",state="running"}': 1,
    'kagurazaka_run_state{run="r1",state="ended"}': 0,
    'kagurazaka_run_state{run="r0",state="ended"}': 1,
    'kagurazaka_run_listing_complete{run="r1"}': 1,
    'kagurazaka_run_items_total{run="r1",status="done"}': 50,
    'kagurazaka_run_items_total{run="r1",status="cancelled"}': 0,
    'kagurazaka_run_retries_total{run="r1"}': 1,
    'kagurazaka_run_items_in_flight{run="r1"}': 10,
    'kagurazaka_run_chunks{run="r1",state="waiting"}': 3,
    'kagurazaka_run_chunks{run="r1",state="active"}': 2,
    'kagurazaka_run_items_per_second{run="r1"}': 2,
    'kagurazaka_run_elapsed_seconds{run="r1"}': 60,
    'kagurazaka_run_report_age_seconds{run="r1"}': 0.4,
    'kagurazaka_run_exit_code{run="r0"}': 4,
    'kagurazaka_node_slots{node="n1",host="beta"}': 16,
    'kagurazaka_node_resident_memory_bytes{node="n2",host="beta"}': 209_715_200,
    'kagurazaka_node_items_settled_total{node="n1",host="beta"}': 1234,
  };
  expect(Object.fromEntries(samples)).toMatchObject(expected);
});

test("of a run that has ended, no age and no rate is told", () => {
  const samples = parse(formatMetrics(state({ runs: [run("r0", { state: "ended", reportAgeMs: 9e8 })] })));
  const names = [...samples.keys()].map((name) => name.replace(/\{.*/, ""));
  expect(names).toContain("kagurazaka_run_elapsed_seconds");
  expect(names).not.toContain("kagurazaka_run_report_age_seconds");
  expect(names).not.toContain("kagurazaka_run_items_per_second");
});

test("a run is in one state, and its other labels stay when the state changes", () => {
  const linesOf = (fields: Parameters<typeof run>[1]): string[] =>
    formatMetrics(state({ runs: [run("r1", fields)] })).split("\n");
  const [before, after] = [linesOf({ state: "running" }), linesOf({ state: "orphaned" })];
  const isInfo = (line: string): boolean => line.startsWith("kagurazaka_run_info{");
  expect(before.find(isInfo)).toBe(after.find(isInfo));
  const inState = (line: string): boolean => /^kagurazaka_run_state\{.* 1$/.test(line);
  expect(after.filter(inState)).toEqual(['kagurazaka_run_state{run="r1",state="orphaned"} 1']);
});

test("a run without a report, and a fleet without anything, are told too", () => {
  const samples = parse(formatMetrics(state({ runs: [run("r1", { report: undefined, reportAgeMs: undefined })] })));
  expect(samples.get('kagurazaka_run_chunks{run="r1",state="waiting"}')).toBe(3);
  expect([...samples.keys()].filter((name) => name.startsWith("kagurazaka_run_items"))).toEqual([]);
  expect(parse(formatMetrics(state())).get("kagurazaka_nodes")).toBe(0);
});

test("of a queue that does not answer, nothing old is told", () => {
  const text = formatMetrics(state({ runs: [run("r1")], nodes: [node("n1")], error: "gone" }));
  expect([...parse(text)]).toEqual([["kagurazaka_queue_up", 0]]);
});

test("labels cannot forge samples", () => {
  expect(escapeLabel('a"b\\c\nd')).toBe('a\\"b\\\\c\\nd');
  const hostile = 'x"} 1\nkagurazaka_nodes 99\n# HELP "\\';
  const samples = parse(formatMetrics(state({ runs: [run(hostile, { task: hostile })], nodes: [node(hostile)] })));
  expect(samples.get("kagurazaka_nodes")).toBe(1);
  expect(samples.get(`kagurazaka_run_retries_total{run="${escapeLabel(hostile)}"}`)).toBe(1);
});

test("numbers that JSON does not know are written as Prometheus reads them", () => {
  const odd = run("r1", { report: report({ itemsPerSecond: Number.POSITIVE_INFINITY, retries: Number.NaN }) });
  expect(formatMetrics(state({ runs: [odd] }))).toMatch(/run_items_per_second\{run="r1"\} \+Inf\n/);
  expect(formatMetrics(state({ runs: [odd] }))).toMatch(/run_retries_total\{run="r1"\} NaN\n/);
});
