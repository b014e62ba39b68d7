import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import inline from "../../../backbones/inline.js";
import { activityLayout } from "../../../src/contracts/activity.js";
import type { WorkerBackbone, WorkerSession } from "../../../src/contracts/backbone.js";
import { PendingItem } from "../../../src/contracts/chunk.js";
import type { FromWorker, WireOutcome } from "../../../src/contracts/wire.js";
import { ItemChunk } from "../../../src/runner/plan/item-chunk.js";
import { ToyBatchExecutor } from "../../fixtures/executors/toy-batch.js";
import { type ToyItem, ToyModel } from "../../fixtures/tasks/toy-model.js";
import { openPlanOf, planOf, TestExecution } from "../dispatch/fake-session.js";
import { tempDir } from "../temp-dir.js";
import { itemsMessage, setupOf, workerTaskIn } from "./worker-task.js";

const shape = { slots: 8, queue: 8 };
const itemAt = (n: number, more: Partial<ToyItem> = {}) => ({ key: `i${n}`, n, ...more });
const items = (count: number, from = 0) => Array.from({ length: count }, (_, i) => itemAt(from + i));

interface Value {
  readonly twice: number;
  readonly batch: number;
  readonly size: number;
}
/** Sizes of the batches, in the order in which they came out. */
const sizesOf = (outcomes: readonly { readonly value?: unknown }[]): number[] => {
  const values = outcomes.map(({ value }) => value as Value);
  return values.filter(({ batch }, i) => batch !== values[i - 1]?.batch).map(({ size }) => size);
};

/** The executor alone, with all that it tells. */
function create() {
  const settled: WireOutcome[] = [];
  const left: (readonly number[])[] = [];
  const activity = new SharedArrayBuffer(activityLayout.bytes(shape.slots));
  const task = { ...workerTaskIn(tempDir()), template: null };
  const executor = new ToyBatchExecutor(task, new ToyModel(), {
    setup: setupOf({ shape, wantValues: true }),
    activity,
    done: (seq, durationMs) => void settled.push({ seq, durationMs, status: "done" }),
    doneByProgram() {},
    settle: (outcome) => void settled.push(outcome),
    flush() {},
    log() {},
    processStarted() {},
    leaving: (_why, unstarted) => void left.push(unstarted),
  });
  const seqs = (): number[] => settled.map(({ seq }) => seq);
  return { executor, settled, left, seqs, cells: new Float64Array(activity) };
}

/** Everything that is ready to go on has gone on. */
async function turns(count = 6): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

describe("a batch executor alone", () => {
  test("waits for a full batch, and says in its activity which elements run", async () => {
    const { executor, seqs, cells } = create();
    executor.push(itemsMessage(items(7)));
    await turns();
    expect([seqs(), cells[activityLayout.slot(0)]]).toEqual([[], 0]);
    executor.push(itemsMessage(items(2, 7), { firstSeq: 8 }));
    expect([0, 7].map((slot) => cells[activityLayout.slot(slot)])).toEqual([1, 8]);
    await turns();
    expect([seqs(), cells[activityLayout.slot(0)]]).toEqual([[1, 2, 3, 4, 5, 6, 7, 8], 0]);
  });

  test("runs an incomplete batch when flushed, after the previous batch", async () => {
    const { executor, settled } = create();
    executor.push(itemsMessage(items(11)));
    executor.flush();
    await turns();
    expect(sizesOf(settled)).toEqual([8, 3]);
  });

  test("waits again for a full batch when items come after a flush", async () => {
    const { executor, seqs } = create();
    executor.flush();
    executor.push(itemsMessage(items(3)));
    await turns();
    expect(seqs()).toEqual([]);
  });

  test("one bad element costs only itself", async () => {
    const { executor, settled } = create();
    executor.push(itemsMessage(items(8).map((item) => (item.n === 5 ? { ...item, bad: true } : item))));
    await turns(12);
    expect(settled.filter(({ status }) => status === "done")).toHaveLength(7);
    expect(settled.find(({ status }) => status === "failed")).toMatchObject({
      seq: 6,
      error: { name: "TypeError", message: "the model cannot take 5" },
    });
  });

  test("an element that is aborted fails, and the others of its batch are done", async () => {
    const { executor, settled } = create();
    executor.push(itemsMessage(items(8)));
    executor.abort(3, "timeout");
    await turns();
    expect(settled.map(({ seq, status }) => `${seq} ${status}`).toSorted()).toEqual([
      "1 done",
      "2 done",
      "3 failed",
      ...[4, 5, 6, 7, 8].map((seq) => `${seq} done`),
    ]);
  });

  test("returns waiting items when it is drained, and finishes the running batch", async () => {
    const { executor, seqs, left } = create();
    executor.push(itemsMessage(items(11)));
    executor.drain();
    await turns();
    expect([left, seqs().length]).toEqual([[[9, 10, 11]], 8]);
  });

  test("is closed when all it was given is through", async () => {
    const { executor, seqs } = create();
    executor.push(itemsMessage(items(10)));
    await executor.close();
    expect(seqs()).toHaveLength(10);
  });
});

describe("a batch executor in the workers of inline, fed by the dispatcher", () => {
  const entry = new URL("../../fixtures/executors/toy-batch-worker.ts", import.meta.url).href;
  const taskUrl = new URL("../../fixtures/tasks/toy-model.ts", import.meta.url).href;

  /** A session of inline, and what crossed it. */
  async function openSession(): Promise<{
    session: WorkerSession;

    told: FromWorker[];
    crash(): void;
  }> {
    const guard = { add() {}, remove() {} };
    const request = { options: {}, workers: 1, entry, run: "run-1", owner: "run-1", guard };
    const session = await (inline as WorkerBackbone).openWorkers(request);
    const told: FromWorker[] = [];
    let crash = (): void => {};
    return {
      told,
      crash: () => crash(),
      session: {
        startWorker(start, events) {
          let isGone = false;
          const channel = session.startWorker(start, {
            onMessage(message) {
              if (isGone) return;
              told.push(message);
              events.onMessage(message);
            },
            onExit: (exit) => !isGone && events.onExit(exit),
          });
          crash = () => {
            isGone = true;
            events.onExit({ kind: "crashed", error: { name: "Error", message: "segfault" } });
          };
          return channel;
        },
        [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
      },
    };
  }

  async function start(chunk: readonly ReturnType<typeof itemAt>[], isOpen = false) {
    const opened = await openSession();
    const base = tempDir();
    mkdirSync(join(base, "staging"));
    const run = new TestExecution({
      ...shape,
      session: () => opened.session,
      setup: setupOf({
        shape,
        wantValues: true,
        task: { ...setupOf().task, source: { alias: "task", export: "ToyModel" } },
        shards: [{ staging: "staging", kept: "kept" }],
      }),
      site: { taskUrl, shards: [{ root: undefined, base }] },
    });
    const pending = chunk.map(
      (item) => new PendingItem({ key: item.key, json: JSON.stringify(item) }, { shard: 0, forced: false }),
    );
    const plan = new ItemChunk(pending);
    await run.run(isOpen ? openPlanOf(plan) : planOf(plan), async () => {});
    return { run, ...opened };
  }

  async function until(isSo: () => boolean): Promise<void> {
    for (const end = Date.now() + 5000; !isSo(); await turns(1))
      if (Date.now() > end) throw new Error("waited in vain");
  }

  test("21 items go in batches of 8, 8 and 5", async () => {
    const { run } = await start(items(21));
    await until(() => run.isOver);
    expect(sizesOf(run.outcomes)).toEqual([8, 8, 5]);
    expect(run.outcomes.map(({ value }) => (value as Value).twice)).toEqual(items(21).map(({ n }) => 2 * n));
  });

  test("one bad element costs only itself", async () => {
    const { run } = await start([...items(9), itemAt(9, { bad: true }), ...items(6, 10)]);
    await until(() => run.isOver);
    expect([run.keysOf("done").length, run.keysOf("failed")]).toEqual([15, ["i9"]]);
  });

  test("a suspect in quarantine runs alone, for it is flushed", async () => {
    // The plan goes on, so that nothing else flushes.
    const { run, crash } = await start(items(24), true);
    await until(() => run.dispatcher.snapshot().oldest !== undefined);
    crash();
    await until(() => run.outcomes.length === 24);
    expect(run.keysOf("done").toSorted()).toEqual(
      items(24)
        .map(({ key }) => key)
        .toSorted(),
    );
    expect(sizesOf(run.outcomes)).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 8, 8]);
    run.dispatcher.stop();
  });

  test("drain gives back the elements that wait for a batch", async () => {
    const { run, told } = await start(items(13), true);
    await until(() => run.outcomes.length === 8);
    run.dispatcher.drain(5000);
    await until(() => run.isOver);
    expect(told.find(({ type }) => type === "leaving")).toMatchObject({ why: null, unstarted: [9, 10, 11, 12, 13] });
    expect(run.keysOf("cancelled")).toHaveLength(5);
  });
});
