import { describe, expect, test } from "vitest";
import { activityLayout } from "../../../src/contracts/activity.js";
import type { Executor } from "../../../src/contracts/executor.js";
import type { FromWorker, ToWorker } from "../../../src/contracts/wire.js";
import type { CreateExecutor } from "../../../src/runner/worker/executors/index.js";
import main, { createWorkerMain } from "../../../src/runner/worker/main.js";
import { tempDir } from "../temp-dir.js";
import { itemsMessage, setupOf } from "./worker-task.js";

const taskUrl = new URL("../../fixtures/tasks/moody.ts", import.meta.url).href;

/** A worker in this thread: what it says, and a way to speak to it. */
function start(options: Record<string, string> = {}, { main: worker = main, exported = "Moody" } = {}) {
  const told: FromWorker[] = [];
  let listener: (message: ToWorker) => void = () => {};
  const activity = new SharedArrayBuffer(activityLayout.bytes(1));
  const written: number[][] = [];
  const ended = worker({
    setup: setupOf({
      task: { ...setupOf().task, source: { alias: "task", export: exported }, options: { task: options, rawArgs: [] } },
      shards: [{ staging: "staging", kept: "kept" }],
      wantValues: true,
    }),
    site: { taskUrl, shards: [{ root: undefined, base: tempDir() }] },
    activity,
    activityWritten: (cell, count) => void written.push([cell, count]),
    port: {
      post: (message) => void told.push(message),
      onMessage(listen) {
        listener = listen;
      },
    },
  });
  const ready = async (): Promise<void> => {
    while (!told.some(({ type }) => type === "ready")) await new Promise((resolve) => setImmediate(resolve));
  };
  return {
    told,
    ended,
    ready,
    written,
    cells: new Float64Array(activity),
    send: (message: ToWorker) => listener(message),
  };
}

const types = (told: readonly FromWorker[]): string[] => told.map(({ type }) => type);

describe("a worker", () => {
  test("is ready when its task is set up, executes items, and closes when all have settled", async () => {
    const worker = start();
    await worker.ready();
    worker.send(itemsMessage([{ key: "a" }, { key: "b" }]));
    worker.send({ type: "close" });
    await worker.ended;
    // On a busy machine the outcomes leave in two messages.
    expect([...new Set(types(worker.told))]).toEqual(["ready", "settled", "closed"]);
    expect(worker.told.flatMap((message) => (message.type === "settled" ? message.rest : []))).toMatchObject([
      { seq: 1, value: { key: "a" } },
      { seq: 2, value: { key: "b" } },
    ]);
  });

  test.each([
    ["setup() throws", { setup: "throw" }, "Moody", "no model here"],
    ["its module has no such export", {}, "Mody", "has no export Mody"],
  ])("is unfit where %s, and says nothing else", async (_where, options, exported, message) => {
    const worker = start(options as Record<string, string>, { exported });
    await worker.ended;
    expect(worker.told).toMatchObject([{ type: "unfit", error: { message: expect.stringContaining(message) } }]);
  });

  test("says so where teardown() throws, and is closed all the same", async () => {
    const worker = start({ teardown: "throw" });
    await worker.ready();
    worker.send({ type: "close" });
    await worker.ended;
    expect(worker.told.slice(1)).toMatchObject([
      { type: "log", level: "error", message: "teardown() failed: cannot let go" },
      { type: "closed" },
    ]);
  });

  test("hands each message to its executor, and counts aborts where its coordinator looks", async () => {
    const heard: unknown[] = [];
    const note =
      (what: string) =>
      (...args: unknown[]): void =>
        void heard.push([what, ...args.filter((one) => typeof one !== "object")]);
    const createExecutor: CreateExecutor = (_task, _instance, ports): Executor => ({
      push: note("push"),
      abort: note("abort"),
      flush: note("flush"),
      giveBack: note("give back"),
      drain: () => ports.leaving(null, [7]),
      close: async () => note("close")(),
    });
    const worker = start({}, { main: createWorkerMain(createExecutor) });
    await worker.ready();
    worker.send(itemsMessage([{ key: "a" }]));
    worker.send({ type: "abort", seq: 1, reason: "timeout" });
    worker.send({ type: "abort", seq: 2, reason: "cancelled" });
    worker.send({ type: "flush" });
    worker.send({ type: "give-back" });
    worker.send({ type: "drain" });
    worker.send({ type: "close" });
    await worker.ended;
    expect(heard).toEqual([
      ["push"],
      ["abort", 1, "timeout"],
      ["abort", 2, "cancelled"],
      ["flush"],
      ["give back"],
      ["close"],
    ]);
    expect([worker.cells[activityLayout.abortsSeen], worker.written]).toEqual([
      2,
      [
        [0, 1],
        [0, 1],
      ],
    ]);
    expect(worker.told[1]).toEqual({ type: "leaving", why: null, unstarted: [7] });
  });

  test("sends logs of an item with fields that can be cloned", async () => {
    const createExecutor: CreateExecutor = (_task, _instance, ports): Executor => ({
      push() {
        ports.log("a", "warn", "plain", { at: new Date(0) });
        ports.log("a", "info", "odd", { n: 1n });
      },
      abort() {},
      flush() {},
      giveBack() {},
      drain() {},
      async close() {},
    });
    const worker = start({}, { main: createWorkerMain(createExecutor) });
    await worker.ready();
    worker.send(itemsMessage([{ key: "a" }]));
    expect(worker.told.slice(1)).toEqual([
      { type: "log", key: "a", level: "warn", message: "plain", fields: { at: "1970-01-01T00:00:00.000Z" } },
      { type: "log", key: "a", level: "info", message: "odd", fields: "[object Object]" },
    ]);
    worker.send({ type: "close" });
    await worker.ended;
  });
});
