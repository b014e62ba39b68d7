import { join } from "node:path";
import { KagurazakaError } from "../../../base/errors.js";
import { fingerprintHigh, fingerprintLow, hashAsciiBytes, hashText } from "../../../base/hash.js";
import { FingerprintTable } from "../../ledger/fingerprint-table.js";
import { isHeader, isOutcomeLine } from "../../ledger/lines.js";
import { readBlocks } from "../../ledger/read-segment.js";
import { scanLines } from "../../ledger/scan-lines.js";
import type { Segment } from "../../ledger/segment.js";

/** The result of a first pass over all lines of a ledger. */
export interface Survey {
  /** Fingerprint of a key → number of its last outcome among all outcomes, from 1. */
  readonly latest: FingerprintTable;
  readonly outcomes: number;
  /** Lines of all kinds, headers too, and damaged ones. */
  readonly lines: number;
  /** Damaged and torn. */
  readonly damaged: number;
  readonly highestSeq: number;
}

const MOST_OUTCOMES = 0xffff_ffff;

/** Outcomes are numbered as `copyLatest` numbers them: files in their order, lines in theirs. */
export async function surveyLines(dir: string, files: readonly Segment[]): Promise<Survey> {
  const latest = new FingerprintTable();
  const counts = { outcomes: 0, others: 0, damaged: 0 };
  let highestSeq = 0;
  const note = (hash: Uint32Array): void => {
    latest.set(fingerprintLow(hash), fingerprintHigh(hash), ++counts.outcomes);
  };
  for (const { file } of files) {
    for await (const block of readBlocks(join(dir, file))) {
      scanLines(block, {
        plain: (_status, bytes, start, end) => note(hashAsciiBytes(bytes, start, end)),
        parsed(line) {
          if (isOutcomeLine(line)) return note(hashText(line.k));
          counts.others++;
          if (isHeader(line)) highestSeq = Math.max(highestSeq, line.seq ?? 0);
        },
        invalid: () => void counts.damaged++,
        torn: () => void counts.damaged++,
      });
    }
  }
  const { outcomes, others, damaged } = counts;
  const message = `${dir} has ${outcomes} outcomes, more than can be compacted`;
  if (outcomes > MOST_OUTCOMES) throw new KagurazakaError("environment", message, { where: dir });
  return { latest, outcomes, lines: outcomes + others + damaged, damaged, highestSeq };
}
