import type { CheckpointLine, LedgerHeader } from "./lines.js";

/**
 * What one run recorded: its file, or its part of a compacted file. A file that may be unsynced from some byte on counts as
 * two segments: the synced beginning and the rest.
 */
export interface Segment {
  /** Name inside the ledger directory. */
  readonly file: string;
  /** null: the header is damaged, or the run was killed before it was written. */
  readonly header: LedgerHeader | null;
  /** How many bytes of the file were read; 0 for all parts of a compacted file but the first. */
  sizeBytes: number;
  /** Keys that are `done` now because of this segment. */
  doneKeys: number;
  /** Recorded after the last checkpoint of a boot that is over. */
  readonly mayBeUnsynced: boolean;
  /** Its last checkpoint. */
  checkpoint: CheckpointLine | undefined;
}

/** A segment of which no line has been read. */
export const createSegment = (file: string, header: LedgerHeader | null): Segment => ({
  file,
  header,
  sizeBytes: 0,
  doneKeys: 0,
  mayBeUnsynced: false,
  checkpoint: undefined,
});

/** The run that wrote a segment; without a header, by the name of the file. */
export const runOf = ({ file, header }: Segment): string => header?.run ?? file.replace(/\.jsonl$/, "");
