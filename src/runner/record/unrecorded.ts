import { type DisposalStack, openDisposalStack } from "../../base/disposal-stack.js";
import type { UnrecordedOutcomes } from "../../contracts/fleet.js";
import { type Lease, ownProcess } from "../lease/index.js";
import { type Ledger, type LedgerHeader, loadLedger, openLedger } from "../ledger/index.js";
import { decodeChunk } from "../plan/chunk-message.js";

export interface UnrecordedRequest {
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
  const ledgers = new Map<string, Ledger>();
  let count = 0;
  try {
    for await (const unrecorded of all) {
      const { shard, outcomes } = unrecorded;
      const ours = shards.find(({ rootId }) => rootId === shard.rootId);
      if (!ours) continue;
      const header = shard.record as unknown as LedgerHeader;
      const name = `${shard.rootId} ${header.run}`;
      const segment = { ledgerDir: ours.ledgerDir, run: `${run}-for-${header.run}`, durable, stack };
      const ledger = ledgers.get(name) ?? (await openSegment(header, segment));
      ledgers.set(name, ledger);
      append(ledger, unrecorded);
      ours.lease.assertHeld();
      ledger.flush();
      unrecorded.recorded();
      count += outcomes.plain.length / 2 + outcomes.rest.length;
    }
  } finally {
    await stack.close();
  }
  return count;
}

/** Code, version and options of the header are those of the crashed run; sequence, time and machine those of this one. */
async function openSegment(
  { covers: _, durable: __, ...crashed }: LedgerHeader,
  { ledgerDir: dir, run, durable, stack }: { ledgerDir: string; run: string; durable: boolean; stack: DisposalStack },
): Promise<Ledger> {
  const { nextSeq: seq } = await loadLedger(dir);
  const { boot, host } = ownProcess();
  const own = { run, at: new Date().toISOString(), seq, boot, host, ...(durable ? { durable } : {}) };
  return stack.use(openLedger({ dir, header: { ...crashed, ...own }, durable }));
}

function append(ledger: Ledger, { chunk: message, outcomes }: UnrecordedOutcomes): void {
  const { chunk, indices } = decodeChunk(message);
  const at = new Map(indices.map((index, i) => [index, i]));
  for (let i = 0; i < outcomes.plain.length; i += 2)
    ledger.appendDone(chunk.keyAt(at.get(outcomes.plain[i]!)!), outcomes.plain[i + 1]!);
  for (const { index, attempt, status, durationMs, reason, error } of outcomes.rest) {
    const { key, json } = chunk.itemAt(at.get(index)!);
    if (status === "done") ledger.appendDone(key, durationMs, { attempts: attempt });
    else if (status === "filtered") ledger.appendFiltered(key, durationMs, reason ?? "", attempt);
    else if (status === "failed" && error)
      ledger.appendFailed({ key, attempts: attempt, ms: durationMs, error, item: JSON.parse(json) });
  }
}
