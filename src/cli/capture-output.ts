import { keyOfCurrentItem } from "../runner/worker/current-item.js";

/**
 * While a run lasts, standard output belongs to `--json` and standard error to the console: what task code prints in this
 * thread (listing items, `finalize`, everything under `inline`) is handed to the console instead. Returns what undoes it.
 */
export function captureOutput(onText: (key: string | null, text: string) => void): () => void {
  const undo = [process.stdout, process.stderr].map((stream) => capture(stream, onText));
  return () => {
    for (const release of undo) release();
  };
}

function capture(stream: NodeJS.WriteStream, onText: (key: string | null, text: string) => void): () => void {
  const original = stream.write;
  const captured = ((chunk: string | Uint8Array, encoding?: unknown, done?: unknown): boolean => {
    onText(keyOfCurrentItem(), typeof chunk === "string" ? chunk : Buffer.from(chunk).toString("utf8"));
    const callback = typeof encoding === "function" ? encoding : done;
    if (typeof callback === "function") queueMicrotask(() => callback());
    return true;
  }) as typeof stream.write;
  stream.write = captured;
  return () => {
    if (stream.write === captured) stream.write = original;
  };
}
