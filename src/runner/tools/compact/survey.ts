import { join } from "node:path";
import { KagurazakaError } from "../../../base/errors.js";
import { fingerprintHigh, fingerprintLow, hashAsciiBytes, hashText } from "../../../base/hash.js";
import { addDamage, type Damage, locateDamage, noDamage } from "../../ledger/damage.js";
import { FingerprintTable } from "../../ledger/fingerprint-table.js";
import { copiedHeader, isHeader, isOutcomeLine } from "../../ledger/lines.js";
import { readBlocks } from "../../ledger/read-segment.js";
import { type LineSink, scanLines } from "../../ledger/scan-lines.js";
import type { Segment } from "../../ledger/segment.js";

/** The result of a first pass over all lines of a ledger. */
export interface Survey {
  /** Fingerprint of a key → number of its last outcome among all outcomes, from 1. */
  readonly latest: FingerprintTable;
  readonly outcomes: number;
  /** Lines of all kinds, headers too, and damaged ones. */
  readonly lines: number;
  /** Incomplete last lines. */
  readonly torn: number;
  readonly damage: Damage;
  readonly highestSeq: number;
}

const MOST_OUTCOMES = 0xffff_ffff;

/** Outcomes are numbered as `copyLatest` numbers them: files in their order, lines in theirs. */
export async function surveyLines(dir: string, files: readonly Segment[]): Promise<Survey> {
  const latest = new FingerprintTable();
  const counts = { outcomes: 0, others: 0, torn: 0 };
  const damage = noDamage();
  let highestSeq = 0;
  const note = (hash: Uint32Array): void => {
    latest.set(fingerprintLow(hash), fingerprintHigh(hash), ++counts.outcomes);
  };
  for (const { file, header } of files) {
    const path = join(dir, file);
    const sink: LineSink = {
      isChecked: header?.c !== undefined,
      plain: (_status, bytes, start, end) => note(hashAsciiBytes(bytes, start, end)),
      parsed(line) {
        if (isOutcomeLine(line)) return note(hashText(line.k));
        counts.others++;
        const begun = isHeader(line) ? line : copiedHeader(line);
        highestSeq = Math.max(highestSeq, begun?.seq ?? 0);
      },
      damaged: (offset) => addDamage(damage, path, offset),
      torn: () => void counts.torn++,
    };
    for await (const block of readBlocks(path)) scanLines(block, sink);
  }
  const { outcomes, others, torn } = counts;
  const message = `${dir} has ${outcomes} outcomes, more than can be compacted`;
  if (outcomes > MOST_OUTCOMES) throw new KagurazakaError("environment", message, { where: dir });
  const lines = outcomes + others + torn + damage.count;
  return { latest, outcomes, lines, torn, damage: await locateDamage(damage), highestSeq };
}
