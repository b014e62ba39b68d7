import { nextTurn } from "../../base/clock.js";
import type { Generated } from "../../contracts/task.js";

const MAX_BATCH = 1024;
const MAX_BUFFERED = 4 * MAX_BATCH;
const MAX_SLICE_MS = 8;

/**
 * Whatever `generateTasks` returned, as arrays. A synchronous source is drained in slices short enough to keep the event
 * loop alive; an asynchronous one is read ahead by a bounded buffer, and what is there is handed on without waiting for more.
 */
export async function* batchesOf<I>(generated: Generated<I>): AsyncGenerator<readonly I[]> {
  const source = await generated;
  if (source === null || typeof source !== "object")
    throw new TypeError(`generateTasks() returned ${String(source)}, not something to iterate over`);
  if (Array.isArray(source)) {
    for (let at = 0; at < source.length; at += MAX_BATCH) yield source.slice(at, at + MAX_BATCH) as I[];
  } else if (Symbol.asyncIterator in source) {
    yield* readAhead(source);
  } else if (Symbol.iterator in source) {
    yield* slices(source);
  } else {
    throw new TypeError("generateTasks() returned an object that cannot be iterated over");
  }
}

async function* slices<I>(source: Iterable<I>): AsyncGenerator<readonly I[]> {
  let batch: I[] = [];
  let started = performance.now();
  const iterator = source[Symbol.iterator]();
  let finished = false;
  try {
    for (;;) {
      let next: IteratorResult<I>;
      try {
        next = iterator.next();
      } catch (error) {
        finished = true;
        // What came before a source fell over is still work to do.
        if (batch.length > 0) yield batch;
        throw error;
      }
      if (next.done) break;
      batch.push(next.value);
      // Looking at the clock costs more than making an item, so only now and then; a slow source fills no batch anyway.
      const due =
        batch.length >= MAX_BATCH || ((batch.length & 15) === 0 && performance.now() - started > MAX_SLICE_MS);
      if (!due) continue;
      yield batch;
      batch = [];
      started = performance.now();
    }
    finished = true;
    if (batch.length > 0) yield batch;
  } finally {
    if (!finished) iterator.return?.();
  }
}

async function* readAhead<I>(source: AsyncIterable<I>): AsyncGenerator<readonly I[]> {
  let buffer: I[] = [];
  let ended: { error?: unknown } | undefined;
  let stopped = false;
  let wakeReader: (() => void) | undefined;
  let wakeTaker: (() => void) | undefined;
  const reading = (async () => {
    try {
      for await (const item of source) {
        if (stopped) return;
        buffer.push(item);
        wakeTaker?.();
        if (buffer.length >= MAX_BUFFERED) await new Promise<void>((resolve) => (wakeReader = resolve));
        if (stopped) return;
      }
      ended = {};
    } catch (error) {
      ended = { error };
    }
    wakeTaker?.();
  })();
  try {
    for (;;) {
      if (buffer.length === 0 && !ended) {
        await new Promise<void>((resolve) => (wakeTaker = resolve));
        // Items that come in one go are handed on in one go.
        await nextTurn();
      }
      wakeTaker = undefined;
      const batch = buffer;
      buffer = [];
      wakeReader?.();
      for (let at = 0; at < batch.length; at += MAX_BATCH) yield batch.slice(at, at + MAX_BATCH);
      if (!ended || buffer.length > 0) continue;
      if ("error" in ended) throw ended.error;
      return;
    }
  } finally {
    stopped = true;
    wakeReader?.();
    // A reader that waits on a source which never answers must not keep the run from ending.
    void reading;
  }
}
