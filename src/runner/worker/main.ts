import { isMainThread } from "node:worker_threads";
import { toErrorRecord } from "../../base/errors.js";
import { enableSourceMaps } from "../../base/source-maps.js";
import { activityLayout } from "../../contracts/activity.js";
import type { WorkerMain, WorkerPort } from "../../contracts/backbone.js";
import type { ExecutorPorts } from "../../contracts/executor.js";
import type { TaskInstance } from "../../contracts/task.js";
import type { WorkerSetup } from "../../contracts/wire.js";
import { loadProgram } from "../program/task-program.js";
import { keyOfCurrentItem } from "./current-item.js";
import { ItemExecutor } from "./executors/item-executor.js";
import { OutcomeBuffer } from "./outcome-buffer.js";

/** What every worker of every backbone runs: load the task, set it up, execute what comes, until told to close. */
const runWorker: WorkerMain = async ({ port, setup, activity, activityWritten, ownProcess }) => {
  enableSourceMaps();
  if (ownProcess || !isMainThread) capturePrints(port);
  let instance: TaskInstance;
  let executor: ItemExecutor;
  try {
    const program = await loadProgram(setup.task);
    instance = program.createInstance();
    await instance.setup?.();
    executor = new ItemExecutor(program, instance, createPorts(port, setup, { activity, activityWritten }));
  } catch (error) {
    port.post({ type: "unfit", error: toErrorRecord(error) });
    return;
  }
  const cells = new Float64Array(activity);
  await new Promise<void>((resolve) => {
    port.onMessage((message) => {
      switch (message.type) {
        case "items":
          return executor.push(message);
        case "abort":
          cells[activityLayout.abortsSeen] = cells[activityLayout.abortsSeen]! + 1;
          activityWritten?.(activityLayout.abortsSeen, 1);
          return executor.abort(message.seq, message.reason);
        case "hold":
          return port.post({ type: "held", unstarted: executor.hold() });
        case "close":
          return void executor.close().then(resolve, (error) => {
            port.post({
              type: "log",
              key: "",
              level: "error",
              message: `teardown() failed: ${toErrorRecord(error).message}`,
            });
            resolve();
          });
      }
    });
    port.post({ type: "ready" });
  });
  port.post({ type: "closed" });
};

function createPorts(
  port: WorkerPort,
  setup: WorkerSetup,
  activity: Pick<ExecutorPorts, "activity" | "activityWritten">,
): ExecutorPorts {
  const buffer = new OutcomeBuffer((plain, rest) => port.post({ type: "settled", plain, rest }));
  return {
    setup,
    ...activity,
    done: (seq, durationMs, nowMs) => buffer.addDone(seq, durationMs, nowMs),
    doneByProgram: (seq, durationMs) => buffer.addSoon(seq, durationMs),
    settle: (outcome, nowMs) => buffer.add(outcome, nowMs),
    flush: () => buffer.flush(),
    print: (key, text) => port.post({ type: "print", key, text }),
    log: (key, level, message, fields) =>
      port.post({ type: "log", key, level, message: String(message), fields: plainFields(fields) }),
    spawned: (seq, pid) => port.post({ type: "spawned", seq, pid }),
    held: (unstarted) => port.post({ type: "held", unstarted }),
    worn: (why) => port.post({ type: "worn", why }),
  };
}

/** Log fields are for people: what cannot be cloned is shown as text. */
function plainFields(fields: unknown): unknown {
  if (fields === undefined) return undefined;
  try {
    return JSON.parse(JSON.stringify(fields));
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

export default runWorker;
