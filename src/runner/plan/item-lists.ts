import { nextTurn } from "../../base/clock.js";
import type { Generated } from "../../contracts/task.js";

const MAX_ITEMS = 1024;
const MAX_BUFFERED = 4 * MAX_ITEMS;
const MAX_SLICE_MS = 8;

/**
 * The items that `generateTasks` returned, in arrays. A synchronous source is drained in time slices that keep the event loop
 * alive. An asynchronous source is read ahead into a bounded buffer, which is passed on without waiting for more items.
 */
export async function* itemListsOf<I>(generated: Generated<I>): AsyncGenerator<readonly I[]> {
  const source = await generated;
  if (source === null || typeof source !== "object")
    throw new TypeError(`generateTasks() returned ${String(source)}, which is not iterable`);
  if (Array.isArray(source)) {
    for (let at = 0; at < source.length; at += MAX_ITEMS) yield source.slice(at, at + MAX_ITEMS) as I[];
  } else if (Symbol.asyncIterator in source) {
    yield* readAhead(source);
  } else if (Symbol.iterator in source) {
    yield* slices(source);
  } else {
    throw new TypeError("generateTasks() returned an object that is not iterable");
  }
}

async function* slices<I>(source: Iterable<I>): AsyncGenerator<readonly I[]> {
  let items: I[] = [];
  let started = performance.now();
  let failure: { readonly error: unknown } | undefined;
  try {
    for (const item of source) {
      items.push(item);
      // Reading the clock costs more than making an item, so every 16th item does; a slow source fills no array anyway.
      const isDue =
        items.length >= MAX_ITEMS || ((items.length & 15) === 0 && performance.now() - started > MAX_SLICE_MS);
      if (!isDue) continue;
      yield items;
      items = [];
      started = performance.now();
    }
  } catch (error) {
    failure = { error };
  }
  // The items before a failure of the source are run as well.
  if (items.length > 0) yield items;
  if (failure) throw failure.error;
}

async function* readAhead<I>(source: AsyncIterable<I>): AsyncGenerator<readonly I[]> {
  let buffer: I[] = [];
  let ended: { error?: unknown } | undefined;
  let stopped = false;
  let wakeReader: (() => void) | undefined;
  let wakeConsumer: (() => void) | undefined;
  const reading = (async () => {
    try {
      for await (const item of source) {
        if (stopped) return;
        buffer.push(item);
        wakeConsumer?.();
        if (buffer.length >= MAX_BUFFERED) await new Promise<void>((resolve) => (wakeReader = resolve));
        if (stopped) return;
      }
      ended = {};
    } catch (error) {
      ended = { error };
    }
    wakeConsumer?.();
  })();
  try {
    for (;;) {
      if (buffer.length === 0 && !ended) {
        await new Promise<void>((resolve) => (wakeConsumer = resolve));
        // Collects the items that the source yields in the same turn.
        await nextTurn();
      }
      wakeConsumer = undefined;
      const items = buffer;
      buffer = [];
      wakeReader?.();
      for (let at = 0; at < items.length; at += MAX_ITEMS) yield items.slice(at, at + MAX_ITEMS);
      if (!ended || buffer.length > 0) continue;
      if ("error" in ended) throw ended.error;
      return;
    }
  } finally {
    stopped = true;
    wakeReader?.();
    // Not awaited: a source that never answers must not keep the run from ending.
    void reading;
  }
}
