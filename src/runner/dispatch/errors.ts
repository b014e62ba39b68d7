import { type ErrorRecord, KagurazakaError, toErrorRecord } from "../../base/errors.js";
import type { WorkerExit } from "../../contracts/backbone.js";

/** `setup()` failed, or the task cannot be loaded in a worker. */
export function cannotSetUp(error: ErrorRecord): KagurazakaError {
  if (error.code === "task-ended") return new KagurazakaError("task-ended", error.message, { cause: error });
  return new KagurazakaError("environment", `a worker could not be set up: ${error.name}: ${error.message}`, {
    cause: error,
    ...(error.stack === undefined ? {} : { frame: error.stack.split("\n").slice(1, 4).join("\n") }),
  });
}

export function crashError(cause: ErrorRecord): ErrorRecord {
  const message = `the item crashed its worker twice while it ran alone (${cause.name}: ${cause.message})`;
  return { ...toErrorRecord(new KagurazakaError("crash", message)), cause };
}

/** So many workers exited in a row, with no item settled in between. */
export function workersCrash(count: number, wereStarting: boolean, last: WorkerExit): KagurazakaError {
  const why = last.kind === "crashed" ? `: ${last.error.message}` : last.kind === "lost" ? `: ${last.why}` : "";
  const when = wereStarting ? "before they were ready" : "while idle";
  return new KagurazakaError("environment", `${count} workers in a row exited ${when}${why}`);
}

/** Turns an error of a node into the error that stops the run. */
export function environmentOf(error: ErrorRecord): KagurazakaError {
  const details = { cause: error, ...(error.hint === undefined ? {} : { hint: error.hint }) };
  return new KagurazakaError("environment", error.message, details);
}

/** Of an item that was alone on a node that was lost, after it had been on another one. */
export const LOST_TWICE = toErrorRecord(
  new KagurazakaError("crash", "two nodes were lost while they ran this item; the second ran nothing else", {
    hint: "It may use all memory of a node, or crash the machine. Run it alone with --debug-item KEY.",
  }),
);

export const TOO_LARGE = toErrorRecord(
  new KagurazakaError("item-too-large", "the item is larger than 64 MB of JSON, the limit of a queue", {
    hint: "List where its data is (a path, a URL), and read it in process().",
  }),
);
