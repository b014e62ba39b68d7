import { expect, test } from "vitest";
import { emptyCounts } from "../../src/contracts/outcome.js";
import { RateHistories } from "../../src/dashboard/rate-history.js";
import { report, run } from "./fleet.js";

const START = 1_700_000_000_000;

/** A run that has done so many items after so many seconds. */
function stateAt(seconds: number, done: number, itemsPerSecond: number, names = ["r1"], fields = {}) {
  const counts = { ...emptyCounts(), total: done + 5, done, skipped: 5 };
  const runs = names.map((name) =>
    run(name, { report: report({ counts, elapsedMs: seconds * 1000, itemsPerSecond }), ...fields }),
  );
  return { atMs: START + seconds * 1000, runs, nodes: [], error: undefined };
}

test("a run that is seen from its start has one point a second", () => {
  const histories = new RateHistories();
  for (let second = 1; second <= 3; second++) histories.record(stateAt(second, second * 10, second));
  expect(histories.of("r1")).toEqual([1, 2, 3].map((second) => [START + second * 1000, second]));
});

test("what came before the first look is the mean, without what was skipped", () => {
  const histories = new RateHistories();
  histories.record(stateAt(100, 500, 9));
  expect(histories.of("r1")).toEqual([
    [START + 1, 5],
    [START + 99_999, 5],
    [START + 100_000, 9],
  ]);
  expect(histories.meanRate("r1")).toBeCloseTo(5, 1);
});

test("after a pause, the mean of the pause stands for it", () => {
  const histories = new RateHistories();
  histories.record(stateAt(1, 10, 10));
  histories.record(stateAt(61, 130, 7));
  expect(histories.of("r1").map(([, rate]) => rate)).toEqual([10, 2, 2, 7]);
});

test("a coordinator that took over and counts anew makes no negative rate", () => {
  const histories = new RateHistories();
  histories.record(stateAt(1, 1000, 10));
  histories.record(stateAt(60, 10, 7));
  expect(Math.min(...histories.of("r1").map(([, rate]) => rate))).toBe(0);
});

test("the memory is bounded: 15 minutes a run, 100 runs, and nothing of those that are gone", () => {
  const histories = new RateHistories();
  for (let second = 1; second <= 2000; second++) histories.record(stateAt(second, second, 1));
  const points = histories.of("r1");
  expect(points.length).toBe(900);
  expect(points.at(-1)![0] - points[0]![0]).toBeLessThanOrEqual(15 * 60_000);
  const names = Array.from({ length: 150 }, (_, i) => `m${i}`);
  histories.record(stateAt(2001, 1, 1, names));
  expect(histories.of("r1")).toEqual([]);
  expect(names.filter((name) => histories.of(name).length > 0).length).toBe(100);
  histories.record(stateAt(2002, 1, 1, names, { state: "ended" }));
  expect(names.filter((name) => histories.of(name).length > 0)).toEqual([]);
});

test("an old report, an error and a clock that goes back add nothing", () => {
  const histories = new RateHistories();
  histories.record(stateAt(10, 10, 1));
  const before = histories.of("r1");
  expect(histories.record(stateAt(11, 11, 1, ["r1"], { reportAgeMs: 60_000 })).size).toBe(0);
  expect(histories.record({ ...stateAt(12, 12, 1), error: "gone" }).size).toBe(0);
  expect(histories.record(stateAt(5, 5, 1)).size).toBe(0);
  expect(histories.of("r1")).toBe(before);
});
