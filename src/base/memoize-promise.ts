/**
 * A function that calls another one when it is first called, and keeps its promise for all later calls. A promise that rejects is
 * not kept: the next call tries again.
 */
export function memoizePromise<T>(make: () => Promise<T>): () => Promise<T> {
  let kept: Promise<T> | undefined;
  return () => {
    if (kept !== undefined) return kept;
    const made = make();
    kept = made;
    made.catch(() => {
      if (kept === made) kept = undefined;
    });
    return made;
  };
}
