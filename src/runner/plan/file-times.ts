import { statSync } from "node:fs";
import { join } from "node:path";
import type { FinishRule, OutputEntry } from "../../contracts/modes.js";

interface OutputFiles {
  readonly rule: Extract<FinishRule, { by: "files" }>;
  readonly root: string;
  readonly outputs: readonly OutputEntry[];
}

/** Whether an output is older than an input, or an input is gone. An output that does not exist is not older. */
export function areOutputsOlder({ rule, root, outputs }: OutputFiles, inputs: readonly string[]): boolean {
  return areOlder(
    rule.select(outputs).map(({ relPath }) => changedNs(join(root, relPath))),
    inputs,
  );
}

/** Whether something made at one of these times (in ns) is older than an input, or an input is gone. */
export function areOlder(madeNs: readonly (bigint | undefined)[], inputs: readonly string[]): boolean {
  if (madeNs.includes(undefined)) return false;
  return inputs.some((path) => {
    const inputNs = changedNs(path);
    return inputNs === undefined || madeNs.some((ns) => ns! < inputNs);
  });
}

/** Undefined where there is no file. Nanoseconds, because a file may be older by less than a millisecond. */
const changedNs = (path: string): bigint | undefined =>
  statSync(path, { bigint: true, throwIfNoEntry: false })?.mtimeNs;
