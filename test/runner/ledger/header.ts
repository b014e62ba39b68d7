import { withChecksum } from "../../../src/base/checksum.js";
import type { LedgerHeader } from "../../../src/runner/ledger/index.js";

export { tempDir } from "../temp-dir.js";

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

/** The lines of a segment without their checksums, and without the copies of headers. */
export const bareLines = (text: string): string[] =>
  text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith('{"copy":'))
    .map((line) => line.replace(/,"c":"[\w-]{6}"\}$/, "}"));

/** A segment that was changed by hand, with the checksums that it would have been written with. */
export const withChecksums = (text: string): string =>
  text.replace(/^(.*),"c":"[\w-]{6}"\}$/gm, (_, fields: string) => withChecksum(`${fields}}`));
