import type { CheckpointLine, LedgerHeader } from "./lines.js";

/**
 * What one run recorded: its file, or its part of a compacted one; or, where only a beginning of its file is on disk for
 * sure, that beginning or the rest.
 */
export interface Segment {
  /** Name inside the ledger directory. */
  readonly file: string;
  /** null: torn off before its header was written, or damaged. */
  readonly header: LedgerHeader | null;
  /** Up to where of the file it was read; parts of a compacted one say 0, but for the first. */
  sizeBytes: number;
  /** Keys that are `done` now because of this segment. */
  doneKeys: number;
  /** Recorded after the last checkpoint of a boot that is over. */
  readonly mayBeUnsynced: boolean;
  /** Its last checkpoint. */
  checkpoint: CheckpointLine | undefined;
}

/** One of which no line is read yet. */
export const createSegment = (file: string, header: LedgerHeader | null): Segment => ({
  file,
  header,
  sizeBytes: 0,
  doneKeys: 0,
  mayBeUnsynced: false,
  checkpoint: undefined,
});

/** The run that wrote a segment. Files are named after runs, for those that have lost their header. */
export const runOf = ({ file, header }: Segment): string => header?.run ?? file.replace(/\.jsonl$/, "");
