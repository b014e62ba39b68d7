import { isMainThread } from "node:worker_threads";
import { toErrorRecord } from "../../base/errors.js";
import { parseJson, stringifyJson } from "../../base/exact-json.js";
import { settles } from "../../base/settles.js";
import { enableSourceMaps } from "../../base/source-maps.js";
import { activityLayout } from "../../contracts/activity.js";
import type { WorkerBoot, WorkerMain, WorkerPort } from "../../contracts/backbone.js";
import type { Executor, ExecutorPorts } from "../../contracts/executor.js";
import type { TaskInstance } from "../../contracts/task.js";
import { loadWorkerTask } from "../program/worker-task.js";
import { keyOfCurrentItem } from "./current-item.js";
import { type CreateExecutor, createExecutor } from "./executors/index.js";
import { OutcomeBuffer } from "./outcome-buffer.js";

/** The main function of every worker: loads the task, calls setup(), executes items until `close`. */
export const createWorkerMain =
  (create: CreateExecutor): WorkerMain =>
  async (boot) => {
    const { port, setup, site } = boot;
    enableSourceMaps();
    if (boot.ownProcess ?? !isMainThread) capturePrints(port);
    let instance: TaskInstance;
    let executor: Executor;
    try {
      const task = await loadWorkerTask(setup.task, setup.shards, site);
      instance = task.createInstance();
      await settles(`setup() of ${setup.task.id}`, instance.setup?.());
      executor = create(task, instance, createPorts(boot));
    } catch (error) {
      port.post({ type: "unfit", error: toErrorRecord(error) });
      return;
    }
    await untilClosed(boot, executor);
    try {
      await settles(`teardown() of ${setup.task.id}`, instance.teardown?.());
    } catch (error) {
      const message = `teardown() failed: ${toErrorRecord(error).message}`;
      port.post({ type: "log", key: "", level: "error", message });
    }
    port.post({ type: "closed" });
  };

/** Passes messages to the executor until `close` has come and all started items have settled. */
function untilClosed({ port, activity, activityWritten }: WorkerBoot, executor: Executor): Promise<void> {
  const cells = new Float64Array(activity);
  return new Promise((resolve, reject) => {
    port.onMessage((message) => {
      switch (message.type) {
        case "items":
          return executor.push(message);
        case "abort":
          cells[activityLayout.abortsSeen] = cells[activityLayout.abortsSeen]! + 1;
          activityWritten?.(activityLayout.abortsSeen, 1);
          return executor.abort(message.seq, message.reason);
        case "flush":
          return executor.flush();
        case "give-back":
          return executor.giveBack();
        case "drain":
          return executor.drain();
        case "close":
          return void executor.close().then(resolve, reject);
      }
    });
    port.post({ type: "ready" });
  });
}

function createPorts({ port, setup, activity, activityWritten }: WorkerBoot): ExecutorPorts {
  const buffer = new OutcomeBuffer((plain, rest) => port.post({ type: "settled", plain, rest }));
  return {
    setup,
    activity,
    activityWritten,
    done: (seq, durationMs, nowMs) => buffer.addDone(seq, durationMs, nowMs),
    doneByProgram: (seq, durationMs) => buffer.addSoon(seq, durationMs),
    settle: (outcome, nowMs) => buffer.add(outcome, nowMs),
    flush: () => buffer.flush(),
    log: (key, level, message, fields) =>
      port.post({ type: "log", key, level, message: String(message), fields: plainFields(fields) }),
    processStarted: (seq, leaderPid) => port.processStarted?.(seq, leaderPid),
    leaving: (why, unstarted) => port.post({ type: "leaving", why, unstarted }),
  };
}

/** Log fields are for people: values that cannot be cloned become text. */
function plainFields(fields: unknown): unknown {
  if (fields === undefined) return undefined;
  try {
    return parseJson(stringifyJson(fields)!);
  } catch {
    return String(fields);
  }
}

/** In a worker of its own, what the task prints goes to the coordinator with its key: stdout belongs to `--json`. */
function capturePrints(port: WorkerPort): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.write = ((chunk: string | Uint8Array, encoding?: unknown, done?: unknown): boolean => {
      const text = typeof chunk === "string" ? chunk : Buffer.from(chunk).toString("utf8");
      port.post({ type: "print", key: keyOfCurrentItem(), text });
      const callback = typeof encoding === "function" ? encoding : done;
      if (typeof callback === "function") queueMicrotask(() => callback());
      return true;
    }) as typeof stream.write;
  }
}

export default createWorkerMain(createExecutor);
