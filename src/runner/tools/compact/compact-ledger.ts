import { rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { environmentError, listDirectory, syncPath } from "../../../base/disk.js";
import { KagurazakaError } from "../../../base/errors.js";
import { StagedFile } from "../../../base/whole-file.js";
import type { Damage } from "../../ledger/damage.js";
import { COMPACTED_VERSION, type LedgerHeader, unknownFacts } from "../../ledger/lines.js";
import { listSegments } from "../../ledger/load-ledger.js";
import type { Segment } from "../../ledger/segment.js";
import { copyLatest } from "./copy-latest.js";
import { LineWriter } from "./line-writer.js";
import { type Survey, surveyLines } from "./survey.js";

interface CompactRequest {
  readonly dir: string;
  /** Names the compaction as a run is named: unique among machines. */
  readonly run: string;
  readonly task: string;
  readonly boot: string | null;
  /** Throws when another coordinator works here: then nothing is renamed and nothing removed. */
  readonly assertHeld: () => void;
}

interface LedgerSize {
  readonly files: number;
  readonly lines: number;
  readonly bytes: number;
}

export interface Compaction {
  /** False: the ledger was compact already, and nothing was written. */
  readonly changed: boolean;
  readonly before: LedgerSize;
  readonly after: LedgerSize;
  /** Incomplete last lines, left behind. */
  readonly torn: number;
  /** Left behind as well. */
  readonly damage: Damage;
}

/**
 * Folds all files of a ledger into one: of every key its latest line, byte for byte, under the header of the run that wrote
 * it, runs in their old order; steps of epochs and lines of unknown kinds keep their places.
 *
 *     compacted-<run>.jsonl    {"v":2,"compacted":true,"seq":<above all>,…}
 *                              {"v":1,"run":"a","seq":1,…}      the header of a, if any of its lines is left
 *                              {"k":"x","s":"done","ms":1}
 *                              {"v":1,"run":"b","seq":2,…}
 *                              {"k":"y","s":"failed",…}
 *
 * A header inside a file begins a segment, so every key keeps its run, code, options, epoch and boot.
 *
 * Why a kill at any moment does no harm. The new file is written and synced under a name that no reader looks at; one
 * rename puts it there as a whole; the old files are removed after that. So a reader finds all old files, or the new one
 * and some of the old. The second case reads like the new file alone: of a key the last line counts, segments go by `seq`,
 * the new file's is above that of every old one, and every key of an old file has a line in it. An epoch opened twice is one
 * epoch, and old files are removed newest first, so that epochs are read in their old order; a run that begins later has a
 * `seq` above this one. No run appends to an old file meanwhile: the lease is asked again before the rename and before the
 * first removal. Checkpoints are left out: all outputs were synced before (`compactShard`), and the new file is.
 *
 * Memory is that of loading, 20 bytes a key: one pass notes the number of each key's last line, the other copies those.
 */
export async function compactLedger(request: CompactRequest): Promise<Compaction> {
  const { dir } = request;
  removeFiles(dir, listDirectory("read the ledger", dir).filter(isCompactionLeftover));
  const files = listSegments(dir);
  const survey = await surveyLines(dir, files);
  const before = sizeOf(dir, files, survey.lines);
  const isFolded =
    files.length <= 1 && survey.outcomes === survey.latest.size && survey.torn + survey.damage.count === 0;
  const { torn, damage } = survey;
  if (isFolded) return { changed: false, before, after: before, torn, damage };
  const after = await write(request, files, survey);
  request.assertHeld();
  const folded = files.map(({ file }) => file);
  removeFiles(dir, folded.toReversed());
  return { changed: true, before, after, torn, damage };
}

/** Whether it is the file of a compaction that was killed: no reader looks at it. */
export const isCompactionLeftover = (name: string): boolean => /^compacting-.*\.tmp$/.test(name);

/** In this order, each gone from the disk before the function returns. */
function removeFiles(dir: string, names: readonly string[]): void {
  if (names.length === 0) return;
  try {
    for (const name of names) rmSync(join(dir, name), { force: true });
    syncPath(dir);
  } catch (error) {
    throw environmentError("remove files from", dir, error);
  }
}

function sizeOf(dir: string, files: readonly Segment[], lines: number): LedgerSize {
  const bytes = files.reduce(
    (sum, { file }) => sum + (statSync(join(dir, file), { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
  return { files: files.length, lines, bytes };
}

async function write(request: CompactRequest, files: readonly Segment[], survey: Survey): Promise<LedgerSize> {
  const { dir, run } = request;
  const path = join(dir, `compacted-${run}.jsonl`);
  try {
    using file = new StagedFile({ temporary: join(dir, `compacting-${run}.tmp`), durable: true }, "wx");
    const writer = new LineWriter(file.fd);
    writer.writeHeader(headerOf(request, 1 + survey.highestSeq));
    const copied = await copyLatest({ dir, files, latest: survey.latest, writer });
    if (copied !== survey.latest.size) throw changedMeanwhile(dir);
    writer.flush();
    file.finish();
    request.assertHeld();
    file.renameTo(path);
    syncPath(dir);
    return { files: 1, lines: writer.lines, bytes: writer.bytes };
  } catch (error) {
    throw environmentError("write the ledger", path, error);
  }
}

function headerOf({ run, task, boot }: CompactRequest, seq: number): LedgerHeader {
  const at = new Date().toISOString();
  // No outcome stands under this header: the headers below have the facts. All outputs are on disk before the file is there.
  const facts = { ...unknownFacts, run, task, at, seq, boot, durable: true as const };
  return { v: COMPACTED_VERSION, compacted: true, ...facts, c: "is written with it" };
}

/** The lease rules it out; should it happen all the same, no line must be lost. */
function changedMeanwhile(dir: string): KagurazakaError {
  return new KagurazakaError("environment", `the ledger ${dir} was written to while it was being compacted`, {
    where: dir,
    hint: "Nothing was changed. Find out which process writes there, then give the same command again.",
  });
}
