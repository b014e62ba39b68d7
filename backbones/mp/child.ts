import { type ToWorker, toErrorRecord, type WorkerMain } from "../../src/kit.js";
import { activityWriterTo } from "./activity-file.js";
import { ACTIVITY_FD, type ChildBoot, type FromChild, MESSAGES_FD } from "./child-messages.js";
import { writeFrame } from "./frames.js";

/** What a worker process runs. It is started ahead of its time and waits, with our code loaded, to be told what to do. */

function post(message: FromChild): void {
  try {
    writeFrame(MESSAGES_FD, message);
  } catch (error) {
    // The coordinator is gone: nobody is left to work for.
    if ((error as NodeJS.ErrnoException).code === "EPIPE") process.exit(1);
    throw error;
  }
}

process.once("disconnect", () => process.exit(1));
process.on("uncaughtException", (error) => {
  // A task may have its own way with them.
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
// Should it fail before it is waited for.
loading.catch(() => {});

async function work({ setup, site, activityBytes }: ChildBoot): Promise<void> {
  // Both wait for the disk. What is wrong with the task, `main` will meet and say.
  import(site.taskUrl).catch(() => {});
  const { default: main } = await loading;
  const activity = new SharedArrayBuffer(activityBytes);
  const onMessage = (listen: typeof listener): void => {
    // In a turn of its own: the worker says that it is ready before an item can end it.
    setImmediate(() => {
      listener = listen;
      for (const message of waiting.splice(0)) listen(message);
    });
  };
  const processStarted = (seq: number, leaderPid: number): void => post({ type: "process", seq, leaderPid });
  const activityWritten = activityWriterTo(ACTIVITY_FD, activity);
  await main({ port: { post, onMessage, processStarted }, setup, site, activity, activityWritten, ownProcess: true });
  post({ type: "over" });
  // Whatever the task left open (a timer, a socket) does not keep it.
  process.exit(0);
}
