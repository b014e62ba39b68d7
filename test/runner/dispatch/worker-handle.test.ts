import { describe, expect, test } from "vitest";
import { activityLayout } from "../../../src/contracts/activity.js";
import type { WorkerChannel } from "../../../src/contracts/backbone.js";
import { WorkerHandle } from "../../../src/runner/dispatch/worker-handle.js";
import { chunkOf } from "./fake-session.js";

const channel: WorkerChannel = { send() {}, kill() {} };
const create = (slots = 1, more: Partial<WorkerChannel> = {}): WorkerHandle =>
  new WorkerHandle(3, { slots, queue: 0 }, new SharedArrayBuffer(activityLayout.bytes(slots)), { ...channel, ...more });

const states = ["starting", "ready", "draining", "closing", "gone"] as const;
type State = (typeof states)[number];
/** How a worker gets there. */
const wayTo: Record<State, readonly State[]> = {
  starting: [],
  ready: ["ready"],
  draining: ["draining"],
  closing: ["draining", "closing"],
  gone: ["gone"],
};
const following: Record<State, readonly State[]> = {
  starting: ["ready", "draining", "gone"],
  ready: ["draining", "gone"],
  draining: ["closing", "gone"],
  closing: ["gone"],
  gone: [],
};

describe("a worker's state", () => {
  test.each(states.flatMap((from) => states.map((to) => [from, to] as const)))("from %s to %s", (from, to) => {
    const worker = create();
    for (const state of wayTo[from]) worker.enter(state);
    if (following[from].includes(to)) {
      worker.enter(to);
      expect(worker.state).toBe(to);
    } else {
      expect(() => worker.enter(to)).toThrow(`worker 3 does not go from ${from} to ${to}`);
      expect(worker.state).toBe(from);
    }
  });

  test("is closing only with nothing in flight", () => {
    const worker = create();
    worker.send(1, { chunk: chunkOf(["a"]), from: 0, to: 1 }, "a");
    worker.enter("draining");
    expect(() => worker.enter("closing")).toThrow("closes with nothing in flight");
    worker.take(1);
    worker.enter("closing");
  });

  test("takes items while starting and ready, and then never again", () => {
    const worker = create();
    const slice = { chunk: chunkOf(["a"]), from: 0, to: 1 };
    expect(worker.takesItems).toBe(true);
    worker.enter("ready");
    expect(worker.takesItems).toBe(true);
    worker.enter("draining");
    expect(worker.takesItems).toBe(false);
    expect(() => worker.send(1, slice, "a")).toThrow("takes items while it is draining");
  });
});

describe("a worker's items", () => {
  test("run where its activity says so, unless they have left", () => {
    const worker = create(2, { refreshActivity: () => (worker.activity[activityLayout.slot(1)] = 8) });
    worker.send(7, { chunk: chunkOf(["a", "b"]), from: 0, to: 2 }, "a\nb");
    worker.activity.set([7, 100, 150], activityLayout.slot(0));
    expect(worker.running()).toEqual([
      { seq: 7, key: "a", startedMs: 100, progressMs: 150 },
      { seq: 8, key: "b", startedMs: 0, progressMs: 0 },
    ]);
    worker.take(7);
    expect(worker.running().map(({ key }) => key)).toEqual(["b"]);
  });

  test("leave once, and take their characters along", () => {
    const worker = create();
    worker.send(1, { chunk: chunkOf(["a", "b"], undefined, '{"x":1}'), from: 0, to: 2 }, "a\nb");
    expect([worker.chars, worker.given]).toEqual([14, 2]);
    expect(worker.take(2)?.index).toBe(1);
    expect(worker.take(2)).toBeUndefined();
    expect([worker.chars, worker.given, worker.inFlight.size]).toEqual([7, 2, 1]);
  });
});
