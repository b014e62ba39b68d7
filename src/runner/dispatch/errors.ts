import { type ErrorRecord, KagurazakaError, toErrorRecord } from "../../base/errors.js";

export function timeoutError(limitMs: number, cause?: ErrorRecord): ErrorRecord {
  const record = toErrorRecord(new KagurazakaError("timeout", `the item ran longer than ${limitMs} ms`));
  delete record.stack;
  return cause ? { ...record, cause } : record;
}

/** `setup()` failed, or the task cannot be loaded in a worker. */
export function unfit(error: ErrorRecord): KagurazakaError {
  return new KagurazakaError("environment", `a worker could not be set up: ${error.name}: ${error.message}`, {
    cause: error,
    ...(error.stack === undefined ? {} : { frame: error.stack.split("\n").slice(1, 4).join("\n") }),
  });
}

export function crashError(cause: ErrorRecord): ErrorRecord {
  const message = `the item ended its worker twice while running alone (${cause.name}: ${cause.message})`;
  return { ...toErrorRecord(new KagurazakaError("crash", message)), cause };
}

/** One after the other, and nothing came of any. */
export function workersDie(wasStarting: boolean, last: ErrorRecord | null): KagurazakaError {
  const what = wasStarting ? "before they are ready" : "with nothing to do";
  return new KagurazakaError("environment", `workers die ${what}${last ? `: ${last.message}` : ""}`);
}
