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
