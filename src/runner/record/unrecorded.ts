import { type DisposalStack, openDisposalStack } from "../../base/disposal-stack.js";
import { parseJson } from "../../base/exact-json.js";
import type { UnrecordedOutcomes } from "../../contracts/fleet.js";
import type { Json } from "../../contracts/item.js";
import { isPartition } from "../../contracts/partition.js";
import { type Lease, ownProcess } from "../lease/index.js";
import {
  LEDGER_VERSION,
  type Ledger,
  type LedgerHeader,
  type LedgerIndex,
  loadLedger,
  openLedger,
} from "../ledger/index.js";
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
      const header = headerOf(shard.record);
      if (!header) continue;
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

/** What the run has sent to the queue as its record; undefined where others have written something else there. */
function headerOf(record: Json): LedgerHeader | undefined {
  const { v, run, task, module, version, options, epoch, input, shard } = (record ?? {}) as Partial<LedgerHeader>;
  const texts = [
    task,
    module,
    options,
    ...(version === null ? [] : [version]),
    ...(input === undefined ? [] : [input]),
  ];
  const isSound =
    v === LEDGER_VERSION &&
    /^[\w-]{1,200}$/.test(String(run)) &&
    texts.every((text) => typeof text === "string") &&
    Number.isSafeInteger(epoch) &&
    epoch! >= 0 &&
    isPartition(shard);
  if (!isSound) return undefined;
  const rest = { module: module!, version: version!, options: options!, epoch: epoch!, shard };
  return { v, run: run!, task: task!, at: "", seq: 0, boot: null, ...rest, ...(input === undefined ? {} : { input }) };
}

/** Where outcomes of one dead run are written, and what is known already. */
interface RecoverySegment {
  readonly ledger: Ledger;
  readonly header: LedgerHeader;
  readonly index: LedgerIndex;
  /** Keys that were written here: two nodes may have settled one item. */
  readonly written: Set<string>;
}

/** The header says what made the results; the machine is the one that writes them down. */
async function openSegment(
  crashed: LedgerHeader,
  { ledgerDir: dir, run, durable, stack }: { ledgerDir: string; run: string; durable: boolean; stack: DisposalStack },
): Promise<RecoverySegment> {
  const index = await loadLedger(dir);
  const { boot, host } = ownProcess();
  const own = { run, at: new Date().toISOString(), seq: index.nextSeq, boot, host, ...(durable ? { durable } : {}) };
  const header: LedgerHeader = { ...crashed, ...own };
  return { ledger: stack.use(openLedger({ dir, header, durable })), header, index, written: new Set() };
}

/**
 * Leaves out what is recorded already: a coordinator may die after it has recorded an outcome and before the queue knows.
 * @returns how many were written
 */
function append(
  { ledger, header, index: known, written }: RecoverySegment,
  { chunk: message, outcomes }: UnrecordedOutcomes,
): number {
  const chunk = new QueueChunk(message);
  /** The first outcome of an item counts. The index comes from another machine. */
  const isNew = (index: number): boolean => {
    if (!(Number.isInteger(index) && index >= 0 && index < chunk.count)) return false;
    const key = chunk.keyAt(index);
    return known.finishedEpoch(key) < header.epoch && !written.has(key) && written.add(key).has(key);
  };
  let count = 0;
  for (let i = 0; i < outcomes.plain.length; i += 2) {
    if (!isNew(outcomes.plain[i]!)) continue;
    const key = chunk.keyAt(outcomes.plain[i]!);
    ledger.appendDone(key, outcomes.plain[i + 1]!);
    count++;
  }
  for (const { index, attempt, status, durationMs, reason, error } of outcomes.rest) {
    if (!isNew(index)) continue;
    const { key, json } = chunk.itemAt(index);
    if (status === "done") ledger.appendDone(key, durationMs, { attempts: attempt });
    else if (status === "filtered") ledger.appendFiltered(key, durationMs, reason ?? "", attempt);
    else if (status === "failed" && error)
      ledger.appendFailed({ key, attempts: attempt, ms: durationMs, error, item: parseJson(json) });
    else continue;
    count++;
  }
  return count;
}
