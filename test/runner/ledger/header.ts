import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach } from "vitest";
import type { LedgerHeader } from "../../../src/runner/ledger/index.js";

export function header(run: string, seq: number, more: Partial<LedgerHeader> = {}): LedgerHeader {
  return {
    v: 1,
    run,
    task: "T",
    at: "2025-01-01T00:00:00.000Z",
    seq,
    module: "code-1",
    version: null,
    options: "options-1",
    epoch: 0,
    boot: null,
    shard: { soft: [], hash: null },
    ...more,
  };
}

const made: string[] = [];
afterEach(() => {
  for (const dir of made.splice(0)) rmSync(dir, { recursive: true, force: true });
});

/** A directory for one test. */
export function tempDir(): string {
  const dir = mkdtempSync(join(tmpdir(), "kagurazaka-ledger-"));
  made.push(dir);
  return dir;
}
