import { KagurazakaError } from "./errors.js";

const listeners = new Set<() => void>();

/** One listener for all: Node warns of more than ten, and a process may have many runs. */
function onEmpty(): void {
  for (const listener of listeners) listener();
}

/**
 * Calls the listener when nothing is left in this thread, no timer, socket or request, that could settle a promise. After that,
 * unless a listener changes it, Node ends the process, with code 0 or 13. @returns what removes the listener
 */
export function whenNothingIsLeft(listener: () => void): () => void {
  if (listeners.size === 0) process.on("beforeExit", onEmpty);
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) process.off("beforeExit", onEmpty);
  };
}

/**
 * Awaits a promise of the user's code. Rejects when nothing is left that could settle it.
 * @param what its name in the message: `finalize() of MyTask`
 */
export async function settles<T>(what: string, promise: T | PromiseLike<T>, where?: string): Promise<T> {
  let release = (): void => {};
  const never = new Promise<never>((_, reject) => {
    release = whenNothingIsLeft(() => {
      const message = `${what} never ends: it awaits a promise that nothing is left to settle`;
      reject(new KagurazakaError("task-ended", message, where === undefined ? {} : { where }));
    });
  });
  try {
    return await Promise.race([promise, never]);
  } finally {
    release();
  }
}

/** The same for each step of an iteration. */
export async function* eachSettles<T>(what: string, steps: AsyncIterable<T>, where?: string): AsyncGenerator<T> {
  const iterator = steps[Symbol.asyncIterator]();
  let isOver = false;
  try {
    for (;;) {
      const { done, value } = await settles(what, iterator.next(), where);
      isOver = done === true;
      if (isOver) return;
      yield value;
    }
  } catch (error) {
    isOver = true;
    throw error;
  } finally {
    if (!isOver) await iterator.return?.();
  }
}
