import { existsSync } from "node:fs";
import { KagurazakaError } from "../../../base/errors.js";
import { openLease, ownProcess } from "../../lease/index.js";
import { syncFileSystems } from "../../ledger/checkpoints/sync-file-systems.js";
import { findUnsynced, type Machine } from "../../ledger/checkpoints/unsynced.js";
import { listSegments } from "../../ledger/load-ledger.js";
import { createRunId } from "../../run/run-id.js";
import { type Compaction, compactLedger } from "./compact-ledger.js";

export interface CompactShardRequest {
  readonly ledgerDir: string;
  /** null: no files are written; undefined: somewhere. */
  readonly outputRoot: string | null | undefined;
  readonly leaseDir: string;
  readonly task: string;
  readonly onWait?: (message: string) => void;
}

const NOTHING = { files: 0, lines: 0, bytes: 0 } as const;

/**
 * Compacts the ledger of one root, with the lease of all of it in hand: no run works there meanwhile, in no shard.
 * @throws KagurazakaError `root-in-use` while one does
 */
export async function compactShard(request: CompactShardRequest): Promise<Compaction> {
  const { ledgerDir, outputRoot, leaseDir, task, onWait } = request;
  // Where nothing was recorded there is nothing to lock either, and no directory to be made for it.
  if (!existsSync(ledgerDir)) return { changed: false, before: NOTHING, after: NOTHING, damaged: 0 };
  const run = createRunId();
  await using lease = await openLease({
    dir: leaseDir,
    scope: { soft: [], hash: null },
    run,
    ...(onWait ? { onWait } : {}),
  });
  const { boot, host } = ownProcess();
  refuseDoubt(ledgerDir, { boot, host });
  // None is all there are.
  await syncPublished(outputRoot === undefined ? [] : [ledgerDir, outputRoot ?? ledgerDir].filter(existsSync));
  return await compactLedger({ dir: ledgerDir, run, task, boot, assertHeld: () => lease.assertHeld() });
}

/** What a restart has put in doubt would be taken for whole afterwards. */
function refuseDoubt(ledgerDir: string, here: Machine): void {
  if (findUnsynced(ledgerDir, listSegments(ledgerDir), here).windows.length === 0) return;
  throw new KagurazakaError(
    "environment",
    `${ledgerDir} tells of results that a restart of this machine may have spoiled`,
    {
      where: ledgerDir,
      hint: "Run the task once over what it worked on then (the same list, if it had one): it makes again what may not be whole. Then compact.",
    },
  );
}

const SYNC_WITHIN_MS = 60_000;

/**
 * Sync marks do not outlive compaction, for afterwards nothing is in doubt: so all that was published goes to the disk first.
 * Other file systems are none of its business: one that hangs would keep it waiting for ever.
 */
async function syncPublished(dirs: readonly string[]): Promise<void> {
  const syncing = syncFileSystems(dirs);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`it took longer than ${SYNC_WITHIN_MS / 1000} s`), SYNC_WITHIN_MS);
  });
  const failure = await Promise.race([syncing.ended, late]);
  clearTimeout(timer);
  syncing.abandon();
  if (failure === undefined) return;
  throw new KagurazakaError("environment", `the disk could not be synced before compaction: ${failure}`, {
    hint: "Nothing was changed; give the same command again.",
  });
}
