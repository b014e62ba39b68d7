import { existsSync } from "node:fs";
import { KagurazakaError } from "../../../base/errors.js";
import { wholeInput } from "../../../contracts/partition.js";
import { openLease, ownProcess } from "../../lease/index.js";
import { syncFileSystems } from "../../ledger/checkpoints/sync-file-systems.js";
import { findUnsynced, type Machine } from "../../ledger/checkpoints/unsynced.js";
import { listSegments } from "../../ledger/load-ledger.js";
import { createRunId } from "../../run/run-id.js";
import { type Compaction, compactLedger } from "./compact-ledger.js";

interface CompactShardRequest {
  readonly ledgerDir: string;
  /** null: the task writes no files; undefined: it is not known where. */
  readonly outputRoot: string | null | undefined;
  readonly leaseDir: string;
  readonly task: string;
  readonly onWait?: (message: string) => void;
}

const NOTHING = { files: 0, lines: 0, bytes: 0 } as const;

/**
 * Compacts the ledger of one root while it holds the lease of the whole root, so that no run of any shard works there.
 * @throws KagurazakaError `root-in-use` while one does
 */
export async function compactShard(request: CompactShardRequest): Promise<Compaction> {
  const { ledgerDir, outputRoot, leaseDir, task, onWait } = request;
  // Where nothing was recorded there is nothing to lock either, and no directory to be made for it.
  if (!existsSync(ledgerDir))
    return { changed: false, before: NOTHING, after: NOTHING, torn: 0, damage: { count: 0, places: [] } };
  const run = createRunId();
  await using lease = await openLease({
    dir: leaseDir,
    partition: wholeInput,
    run,
    ...(onWait ? { onWait } : {}),
  });
  const { boot, host } = ownProcess();
  refuseUnsynced(ledgerDir, { boot, host });
  // Without a directory, all file systems are synced.
  await syncPublished(outputRoot === undefined ? [] : [ledgerDir, outputRoot ?? ledgerDir].filter(existsSync));
  return await compactLedger({ dir: ledgerDir, run, task, boot, assertHeld: () => lease.assertHeld() });
}

/** Without checkpoints, outputs that a restart may have damaged would count as whole. */
function refuseUnsynced(ledgerDir: string, here: Machine): void {
  if (findUnsynced(ledgerDir, listSegments(ledgerDir), here).windows.length === 0) return;
  const message = `${ledgerDir} has results that may not have been on disk when this machine restarted`;
  const hint =
    "Run the task once more over the same input (the same list, if it had one): it makes again what may not be whole. Then compact.";
  throw new KagurazakaError("environment", message, { where: ledgerDir, hint });
}

const SYNC_WITHIN_MS = 60_000;

/**
 * A compacted ledger has no checkpoints, for everything in it counts as synced: so all that was published is synced first.
 * Only on the file systems of these directories: another one that hangs would keep it waiting for ever.
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
