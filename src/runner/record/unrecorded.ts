import { type DisposalStack, openDisposalStack } from "../../base/disposal-stack.js";
import { parseJson } from "../../base/exact-json.js";
import type { UnrecordedOutcomes } from "../../contracts/fleet.js";
import { type Lease, ownProcess } from "../lease/index.js";
import { type Ledger, type LedgerHeader, type LedgerIndex, loadLedger, openLedger } from "../ledger/index.js";
import { QueueChunk } from "../plan/chunk-message.js";

interface UnrecordedRequest {
  readonly shards: readonly {
    readonly rootId: string;
    readonly ledgerDir: string;
    readonly lease: Pick<Lease, "assertHeld">;
  }[];
  /** The run that records them. */
  readonly run: string;
  readonly durable: boolean;
}

/**
 * Records outcomes that nodes have sent to coordinators which crashed before they could record them. Called before the plan
 * is made, so that no such item runs again. Each crashed run gets a segment of its own, with its own header.
 * @returns the number of outcomes
 */
export async function recordUnrecorded(
  all: AsyncIterable<UnrecordedOutcomes>,
  { shards, run, durable }: UnrecordedRequest,
): Promise<number> {
  const stack = openDisposalStack();
  const segments = new Map<string, RecoverySegment>();
  let count = 0;
  try {
    for await (const unrecorded of all) {
      const { shard } = unrecorded;
      const ours = shards.find(({ rootId }) => rootId === shard.rootId);
      if (!ours) continue;
      const header = shard.record as unknown as LedgerHeader;
      const name = `${shard.rootId} ${header.run}`;
      const place = { ledgerDir: ours.ledgerDir, run: `${run}-for-${header.run}`, durable, stack };
      const segment = segments.get(name) ?? (await openSegment(header, place));
      segments.set(name, segment);
      count += append(segment, unrecorded);
      ours.lease.assertHeld();
      segment.ledger.flush();
      unrecorded.recorded();
    }
  } finally {
    await stack.close();
  }
  return count;
}

/** Where outcomes of one dead run are written, and what is known already. */
interface RecoverySegment {
  readonly ledger: Ledger;
  readonly header: LedgerHeader;
  readonly index: LedgerIndex;
}

/** The header says what made the results; the machine is the one that writes them down. */
async function openSegment(
  { covers: _, durable: __, ...crashed }: LedgerHeader,
  { ledgerDir: dir, run, durable, stack }: { ledgerDir: string; run: string; durable: boolean; stack: DisposalStack },
): Promise<RecoverySegment> {
  const index = await loadLedger(dir);
  const { boot, host } = ownProcess();
  const own = { run, at: new Date().toISOString(), seq: index.nextSeq, boot, host, ...(durable ? { durable } : {}) };
  const header: LedgerHeader = { ...crashed, ...own };
  return { ledger: stack.use(openLedger({ dir, header, durable })), header, index };
}

/**
 * Leaves out what is recorded already: a coordinator may die after it has recorded an outcome and before the queue knows.
 * @returns how many were written
 */
function append(
  { ledger, header, index: known }: RecoverySegment,
  { chunk: message, outcomes }: UnrecordedOutcomes,
): number {
  const chunk = new QueueChunk(message);
  const isFinished = (key: string): boolean => known.finishedEpoch(key) >= header.epoch;
  let count = 0;
  for (let i = 0; i < outcomes.plain.length; i += 2) {
    const key = chunk.keyAt(outcomes.plain[i]!);
    if (isFinished(key)) continue;
    ledger.appendDone(key, outcomes.plain[i + 1]!);
    count++;
  }
  for (const { index, attempt, status, durationMs, reason, error } of outcomes.rest) {
    const { key, json } = chunk.itemAt(index);
    if (isFinished(key)) continue;
    if (status === "done") ledger.appendDone(key, durationMs, { attempts: attempt });
    else if (status === "filtered") ledger.appendFiltered(key, durationMs, reason ?? "", attempt);
    else if (status === "failed" && error)
      ledger.appendFailed({ key, attempts: attempt, ms: durationMs, error, item: parseJson(json) });
    else continue;
    count++;
  }
  return count;
}
