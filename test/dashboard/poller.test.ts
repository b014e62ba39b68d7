import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FleetPoller, type FleetState } from "../../src/dashboard/poller.js";
import { run, ScriptedFleet } from "./fleet.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function open() {
  const fleet = new ScriptedFleet();
  const states: FleetState[] = [];
  const poller = new FleetPoller(fleet, { everyMs: 1000, timeoutMs: 10_000, onState: (state) => states.push(state) });
  return { fleet, states, poller };
}

test("the queue is asked once a second while somebody listens, and else not at all", async () => {
  const { fleet, states, poller } = open();
  await vi.advanceTimersByTimeAsync(5000);
  expect(fleet.asked).toBe(0);
  poller.setPolling(true);
  await vi.advanceTimersByTimeAsync(5000);
  expect(fleet.asked).toBe(6);
  expect(states.length).toBe(6);
  poller.setPolling(false);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(fleet.asked).toBe(6);
});

test("those who ask within a second get one answer", async () => {
  const { fleet, poller } = open();
  const [first, second] = await Promise.all([poller.read(), poller.read()]);
  expect(first).toBe(second);
  await vi.advanceTimersByTimeAsync(500);
  expect(await poller.read()).toBe(first);
  expect(fleet.asked).toBe(1);
});

test("an error is told with what was last known, and the next answer ends it", async () => {
  const { fleet, poller } = open();
  fleet.runList = [run("r1")];
  await poller.read();
  fleet.error = new Error("connection refused");
  await vi.advanceTimersByTimeAsync(1000);
  expect(await poller.read()).toMatchObject({ error: "connection refused", runs: [{ run: "r1" }] });
  fleet.error = undefined;
  await vi.advanceTimersByTimeAsync(1000);
  expect((await poller.read()).error).toBeUndefined();
});

test("a queue that never answers has one question open, and readers are told", async () => {
  const { fleet, states, poller } = open();
  fleet.isMute = true;
  poller.setPolling(true);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(fleet.asked).toBe(1);
  expect(states.length).toBeGreaterThan(3);
  expect(states.at(-1)!.error).toBe("the queue has not answered within 10 s");
  poller.setPolling(false);
});

test("listening again at once makes no second series of questions", async () => {
  const { fleet, poller } = open();
  for (let i = 0; i < 5; i++) {
    poller.setPolling(true);
    poller.setPolling(false);
  }
  poller.setPolling(true);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(fleet.asked).toBeLessThanOrEqual(11);
  poller.setPolling(false);
});
