import { expect, test } from "vitest";
import { emptyCounts } from "../../src/contracts/outcome.js";
import { Feed } from "../../src/dashboard/feed.js";
import { boundText, etaOf, viewOf } from "../../src/dashboard/view.js";
import { node, report, run } from "./fleet.js";

const state = (fields: Partial<Parameters<typeof viewOf>[0]> = {}) => ({
  atMs: 1_700_000_000_000,
  runs: [],
  nodes: [],
  error: undefined,
  ...fields,
});

test("the time left is what is left by the rate", () => {
  expect(etaOf(run("r"), 4)).toBe(10_000);
});

test.each([
  ["without a rate", run("r"), undefined],
  ["at a rate of 0", run("r"), 0],
  ["while items are listed", run("r", { report: report({ listed: false }) }), 4],
  ["with nothing left", run("r", { report: report({ inFlight: 0, waiting: 0 }) }), 4],
  ["while it drains", run("r", { state: "draining" }), 4],
  ["without a coordinator", run("r", { state: "orphaned" }), 4],
  ["without a report", run("r", { report: undefined }), 4],
  ["by an old report", run("r", { reportAgeMs: 60_000 }), 4],
  ["in the first seconds", run("r", { report: report({ elapsedMs: 500 }) }), 4],
  ["when items were cancelled", run("r", { report: report({ counts: { ...emptyCounts(), cancelled: 1 } }) }), 4],
])("there is no time left %s", (_, one, rate) => expect(etaOf(one, rate)).toBeUndefined());

test("what is long is cut, and the rest is counted", () => {
  const failure = { class: "c", count: 1, key: "k".repeat(9000), error: { name: "E", message: "m", stack: "s" } };
  const many = report({ failures: Array.from({ length: 50 }, () => failure), oldest: [] });
  const view = viewOf(
    state({
      runs: [
        ...Array.from({ length: 150 }, (_, i) => run(`r${i}`, { report: many })),
        ...Array.from({ length: 30 }, (_, i) => run(`e${i}`, { state: "ended" })),
      ],
      nodes: Array.from({ length: 300 }, (_, i) => node(`n${i}`)),
    }),
    () => 1,
  );
  expect([view.runs.length, view.nodes.length, view.hidden]).toEqual([120, 200, { runs: 60, nodes: 100 }]);
  expect(view.runs[0]!.report!.failures.length).toBe(10);
  expect(view.runs[0]!.report!.failures[0]!.key).toMatch(/^k{4000}… \(9000 characters\)$/);
});

test("what a worker has fetched ahead is not in a slot", () => {
  const nodes = [node("n1", { slots: 2, inFlight: 6 }), node("n2", { slots: 16, inFlight: 10 })];
  expect(viewOf(state({ nodes }), () => 1).nodes).toMatchObject([
    { slotsInUse: 2, queued: 4 },
    { slotsInUse: 10, queued: 0 },
  ]);
});

test.each([
  ["an hour ago", -3_600_000, 3_600_000],
  ["now", 0, 0],
  ["in the future, by a clock that is ahead", 1, undefined],
])("how long a worker is up that has started %s", (_, byMs, upMs) => {
  const atMs = 1_700_000_000_000;
  const startedAt = new Date(atMs + byMs).toISOString();
  expect(viewOf(state({ atMs, nodes: [node("n", { startedAt })] }), () => 1).nodes[0]!.upMs).toBe(upMs);
});

test("a worker whose start is no time is not said to be up for any", () =>
  expect(viewOf(state({ nodes: [node("n", { startedAt: "soon" })] }), () => 1).nodes[0]!.upMs).toBeUndefined());

test("control characters are shown, but for line breaks", () =>
  expect(boundText("a\x1b[2Jb\nc\x00")).toBe("a\\x1b[2Jb\nc\\x00"));

test("a feed tells what has changed, and all to whoever comes later", () => {
  const feed = new Feed();
  expect(feed.all()).toBeUndefined();
  const a = run("a", { report: report({ listed: false }) });
  const first = feed.next(state({ runs: [a, run("__proto__")] }));
  expect([first.order, first.runs.map(({ run: name }) => name)]).toEqual([
    ["a", "__proto__"],
    ["a", "__proto__"],
  ]);
  const runs = [run("new"), a, run("__proto__", { chunks: { waiting: 0, active: 0 } })];
  const next = feed.next(state({ atMs: 1_700_000_001_000, runs, nodes: [node("n")] }));
  expect(next.order).toEqual(["new", "a", "__proto__"]);
  expect(next.runs.map(({ run: name }) => name)).toEqual(["new", "__proto__"]);
  expect(next.points.map(([name, points]) => [name, points.length])).toContainEqual(["a", 1]);
  const all = feed.all()!;
  expect(all.runs.map(({ run: name }) => name)).toEqual(all.order);
  expect(all.points.map(([name]) => name)).toEqual(all.order);
  expect(feed.next(state({ atMs: 1_700_000_002_000, runs, error: "gone" })).error).toBe("gone");
});
