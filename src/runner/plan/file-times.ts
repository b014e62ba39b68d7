import { statSync } from "node:fs";

/** In nanoseconds: milliseconds would take a file for fresh that was written just before. Undefined: it is not there. */
export function changedAt(path: string): bigint | undefined {
  return statSync(path, { bigint: true, throwIfNoEntry: false })?.mtimeNs;
}

/** One of them was made before one of these inputs changed, or an input is gone. What is not there was never made. */
export function isOlderThan(made: readonly (bigint | undefined)[], inputs: readonly string[]): boolean {
  if (made.includes(undefined)) return false;
  return inputs.some((path) => {
    const changed = changedAt(path);
    return changed === undefined || made.some((at) => at! < changed);
  });
}
