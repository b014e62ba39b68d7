import { killProcessesOf, type ToWorker, toErrorRecord, type WorkerMain } from "../../src/kit.js";
import { activityWriterTo } from "./activity-file.js";
import { ACTIVITY_FD, type ChildBoot, type FromChild, MESSAGES_FD } from "./child-messages.js";
import { writeFrame } from "./frames.js";

/** The program of a worker process. It is forked early, loads our code, and waits for its `ChildBoot`. */

function post(message: FromChild): void {
  try {
    writeFrame(MESSAGES_FD, message);
  } catch (error) {
    // The coordinator is gone.
    if ((error as NodeJS.ErrnoException).code === "EPIPE") process.exit(1);
    throw error;
  }
}

process.once("disconnect", () => {
  const { KAGURAZAKA_OWNER: owner } = process.env;
  if (owner) killProcessesOf(owner);
  process.exit(1);
});
process.on("uncaughtException", (error) => {
  // The task has a handler of its own.
  if (process.listenerCount("uncaughtException") > 1) return;
  post({ type: "died", error: toErrorRecord(error) });
  process.exit(1);
});

const waiting: ToWorker[] = [];
let listener = (message: ToWorker): void => void waiting.push(message);
process.once("message", (boot: ChildBoot) => {
  process.on("message", (message: ToWorker) => listener(message));
  void work(boot);
});
const loading = import(process.argv[2]!) as Promise<{ default: WorkerMain }>;
// A failure is reported by `work`, which awaits it later.
loading.catch(() => {});

async function work({ setup, site, activityBytes }: ChildBoot): Promise<void> {
  // Loads the task while our code loads. `main` imports it again and reports errors.
  import(site.taskUrl).catch(() => {});
  const { default: main } = await loading;
  const activity = new SharedArrayBuffer(activityBytes);
  const onMessage = (listen: typeof listener): void => {
    // In a turn of its own: the worker posts "ready" before an item can end the process.
    setImmediate(() => {
      listener = listen;
      for (const message of waiting.splice(0)) listen(message);
    });
  };
  const processStarted = (seq: number, leaderPid: number): void => post({ type: "process", seq, leaderPid });
  const activityWritten = activityWriterTo(ACTIVITY_FD, activity);
  await main({ port: { post, onMessage, processStarted }, setup, site, activity, activityWritten, ownProcess: true });
  post({ type: "over" });
  // A timer or socket that the task left open must not keep the process alive.
  process.exit(0);
}
