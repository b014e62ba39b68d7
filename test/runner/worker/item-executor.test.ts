import { describe, expect, test } from "vitest";
import { activityLayout } from "../../../src/contracts/activity.js";
import type { ExecutorPorts } from "../../../src/contracts/executor.js";
import type { TaskContext } from "../../../src/contracts/task.js";
import type { WireOutcome, WorkerSetup } from "../../../src/contracts/wire.js";
import { ItemExecutor } from "../../../src/runner/worker/executors/item-executor.js";
import { tempDir } from "../temp-dir.js";
import { itemsMessage, setupOf, workerTaskIn } from "./worker-task.js";

type Process = (item: { readonly key: string }, ctx: TaskContext) => unknown;

/** An executor, and all that it tells. */
function create(process: Process, { slots = 1, ...setup }: Partial<WorkerSetup> & { slots?: number } = {}) {
  const done: number[] = [];
  const settled: WireOutcome[] = [];
  const left: { why: string | null; unstarted: readonly number[] }[] = [];
  const activity = new SharedArrayBuffer(activityLayout.bytes(slots));
  let flushes = 0;
  const ports: ExecutorPorts = {
    setup: setupOf({ shape: { slots, queue: 0 }, ...setup }),
    activity,
    done: (seq) => void done.push(seq),
    doneByProgram: (seq) => void done.push(seq),
    settle: (outcome) => void settled.push(outcome),
    flush: () => void flushes++,
    log() {},
    processStarted() {},
    leaving: (why, unstarted) => void left.push({ why, unstarted }),
  };
  const task = { ...workerTaskIn(tempDir()), template: null };
  const instance = { options: {}, process: process as (item: unknown, ctx: TaskContext) => unknown };
  const executor = new ItemExecutor(task, instance, ports);
  return { executor, done, settled, left, flushes: () => flushes, cells: new Float64Array(activity) };
}

/** Items that settle when the test says so. */
function createGate() {
  const open = new Map<string, (error?: unknown) => void>();
  const process: Process = ({ key }) =>
    new Promise<void>((resolve, reject) => open.set(key, (error) => (error === undefined ? resolve() : reject(error))));
  return {
    process,
    running: () => [...open.keys()],
    async settle(key: string, error?: unknown): Promise<void> {
      open.get(key)!(error);
      open.delete(key);
      for (let i = 0; i < 5; i++) await null;
    },
  };
}

const items = (...keys: string[]) => itemsMessage(keys.map((key) => ({ key })));

describe("an item executor", () => {
  test("runs synchronous items inside the push, in order, and then sends their outcomes", () => {
    const { executor, done, flushes } = create(() => 5);
    executor.push(items("a", "b", "c"));
    expect([done, flushes()]).toEqual([[1, 2, 3], 1]);
  });

  test("runs as many at once as it has slots; a slot that settles one takes the next, whatever chunk it came in", async () => {
    const gate = createGate();
    const { executor, done, cells } = create(gate.process, { slots: 2 });
    executor.push(items("a", "b", "c"));
    executor.push({ ...items("d"), firstSeq: 4 });
    expect(gate.running()).toEqual(["a", "b"]);
    await gate.settle("b");
    await gate.settle("c");
    expect([gate.running(), done]).toEqual([
      ["a", "d"],
      [2, 3],
    ]);
    expect([0, 1].map((slot) => cells[activityLayout.slot(slot)])).toEqual([1, 4]);
  });

  test("reports failed items, and goes on", async () => {
    const gate = createGate();
    const { executor, settled } = create(gate.process);
    executor.push(items("a", "b"));
    await gate.settle("a", new Error("no good"));
    expect(settled).toMatchObject([{ seq: 1, status: "failed", error: { message: "no good" } }]);
    expect(gate.running()).toEqual(["b"]);
  });

  test("hands an abort to the item, wherever it is", async () => {
    const reasons: unknown[] = [];
    const { executor, settled } = create(
      (_item, { signal }) =>
        new Promise((_, reject) => signal.addEventListener("abort", () => reject(reasons.push(signal.reason.name)))),
    );
    executor.push(items("a", "b"));
    executor.abort(2, "timeout");
    executor.abort(1, "timeout");
    for (let i = 0; i < 5; i++) await null;
    expect([reasons, settled.map(({ seq }) => seq)]).toEqual([["TimeoutError"], [1]]);
  });

  test("returns items that it has not started when it is drained, and finishes the rest", async () => {
    const gate = createGate();
    const { executor, left, done } = create(gate.process);
    executor.push(items("a", "b", "c"));
    executor.drain();
    expect(left).toEqual([{ why: null, unstarted: [2, 3] }]);
    await gate.settle("a");
    expect([gate.running(), done]).toEqual([[], [1]]);
    executor.push({ ...items("d"), firstSeq: 4 });
    expect([gate.running(), left[1]]).toEqual([[], { why: null, unstarted: [4] }]);
    await executor.close();
  });

  test("is closed when all it was given is through", async () => {
    const gate = createGate();
    const { executor } = create(gate.process);
    executor.push(items("a", "b"));
    let closed = false;
    const closing = executor.close().then(() => (closed = true));
    await gate.settle("a");
    expect(closed).toBe(false);
    await gate.settle("b");
    await closing;
  });

  test("closes at once without items", async () => {
    await create(() => {}).executor.close();
  });
});

describe("an executor that is to be recycled", () => {
  test("leaves when it starts the last item of its limit, and returns later items", async () => {
    const gate = createGate();
    const { executor, left, done } = create(gate.process, { recycle: { afterItems: 2 } });
    executor.push(items("a", "b", "c"));
    expect(left).toEqual([]);
    await gate.settle("a");
    expect([left, gate.running()]).toEqual([[{ why: "after 2 items", unstarted: [3] }], ["b"]]);
    executor.push({ ...items("d"), firstSeq: 4 });
    expect(left[1]).toEqual({ why: "after 2 items", unstarted: [4] });
    await gate.settle("b");
    expect([done, gate.running()]).toEqual([[1, 2], []]);
  });

  test("leaves even if no item waits", () => {
    const { executor, left } = create(() => {}, { recycle: { afterItems: 1 } });
    executor.push(items("a"));
    expect(left).toEqual([{ why: "after 1 items", unstarted: [] }]);
  });

  test("leaves once, whatever other limit it comes to", async () => {
    const { executor, left } = create(() => {}, { recycle: { afterItems: 1, bytes: 1 } });
    executor.push(items("a"));
    expect(left).toHaveLength(1);
  });

  test("by memory: when an item has settled with more than that", async () => {
    const { executor, left } = create(() => {}, { recycle: { bytes: 1 } });
    executor.push(items("a", "b"));
    expect(left).toHaveLength(1);
    expect(left[0]!.why).toMatch(/^at \d+ MB after 1 items$/);
    expect(left[0]!.unstarted).toEqual([2]);
  });
});
