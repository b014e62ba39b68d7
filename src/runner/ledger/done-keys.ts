import { join } from "node:path";
import type { LedgerIndex } from "./ledger-index.js";
import { isOutcomeLine } from "./lines.js";
import { readBlocks } from "./read-segment.js";
import { type LineSink, scanLines } from "./scan-lines.js";

/** Calls back for each key that was ever done, once or several times. Reads the whole ledger. */
export async function eachDoneKey(
  { dir, segments }: Pick<LedgerIndex, "dir" | "segments">,
  onKey: (key: string) => void,
): Promise<void> {
  for (const file of new Set(segments.map((segment) => segment.file))) {
    const sink: LineSink = {
      isChecked: false,
      plain(status, bytes, start, end) {
        if (status === "done") onKey(Buffer.from(bytes.subarray(start, end)).toString("latin1"));
      },
      parsed(line) {
        if (isOutcomeLine(line) && line.s === "done") onKey(line.k);
      },
    };
    for await (const block of readBlocks(join(dir, file))) scanLines(block, sink);
  }
}
