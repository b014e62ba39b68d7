import { existsSync } from "node:fs";
import type { LedgerIndex } from "../../ledger/index.js";
import { readBlocks } from "../../ledger/read-segment.js";

/** Whether `failed.jsonl` agrees with the ledger that it was made from. */
export interface FailedFileState {
  readonly agrees: boolean;
  /** Failed keys of the ledger that are not in the file. */
  readonly missing: number;
  /** Lines whose key has not failed, is repeated, or cannot be read. */
  readonly extra: number;
}

export async function compareFailedFile(path: string, index: LedgerIndex): Promise<FailedFileState> {
  const found = new Set<string>();
  let extra = 0;
  if (existsSync(path)) {
    for await (const { bytes, end } of readBlocks(path)) {
      for (const line of bytes.toString("utf8", 0, end).split("\n")) {
        if (line === "") continue;
        const key = keyOf(line);
        if (key === undefined || !index.failed.has(key) || found.has(key)) extra++;
        else found.add(key);
      }
    }
  }
  const missing = index.failed.size - found.size;
  return { agrees: missing === 0 && extra === 0, missing, extra };
}

function keyOf(line: string): string | undefined {
  try {
    const { key } = JSON.parse(line) as { key?: unknown };
    return typeof key === "string" ? key : undefined;
  } catch {
    return undefined;
  }
}
