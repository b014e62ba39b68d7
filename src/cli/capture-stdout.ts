import { keyOfTalkingItem } from "../runner/worker/item-executor.js";

/**
 * While a run lasts, standard output belongs to `--json` alone: what task code prints in this thread (listing items,
 * `finalize`, everything under `inline`) is handed to the console instead. Returns what undoes it.
 */
export function captureStdout(onText: (key: string | null, text: string) => void): () => void {
  const { stdout } = process;
  const original = stdout.write;
  const capture = (chunk: string | Uint8Array, encoding?: unknown, done?: unknown): boolean => {
    onText(keyOfTalkingItem(), typeof chunk === "string" ? chunk : Buffer.from(chunk).toString("utf8"));
    const callback = typeof encoding === "function" ? encoding : done;
    if (typeof callback === "function") queueMicrotask(() => callback());
    return true;
  };
  stdout.write = capture as typeof stdout.write;
  return () => {
    if (stdout.write === (capture as typeof stdout.write)) stdout.write = original;
  };
}
