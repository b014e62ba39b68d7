import { existsSync } from "node:fs";
import { bootId, openLease } from "../../lease/index.js";
import { createRunId } from "../../run/run-id.js";
import { type Compaction, compactLedger } from "./compact-ledger.js";

export interface CompactPlaceRequest {
  readonly ledgerDir: string;
  readonly leaseDir: string;
  readonly task: string;
  readonly onWait?: (message: string) => void;
}

const NOTHING = { files: 0, lines: 0, bytes: 0 } as const;

/**
 * Compacts the ledger of one root, with the lease of all of it in hand: no run works there meanwhile, in no shard.
 * @throws KagurazakaError `root-in-use` while one does
 */
export async function compactPlace(request: CompactPlaceRequest): Promise<Compaction> {
  const { ledgerDir, leaseDir, task, onWait } = request;
  // Where nothing was recorded there is nothing to lock either, and no directory to be made for it.
  if (!existsSync(ledgerDir)) return { changed: false, before: NOTHING, after: NOTHING, damaged: 0 };
  const run = createRunId();
  await using lease = await openLease({
    dir: leaseDir,
    scope: { soft: [], hash: null },
    run,
    ...(onWait ? { onWait } : {}),
  });
  return await compactLedger({ dir: ledgerDir, run, task, boot: bootId(), assertHeld: () => lease.assertHeld() });
}
