import type { SoftPartition } from "../../../contracts/modes.js";
import type { EpochRecord } from "../ledger-index.js";
import type { EpochSelection } from "../lines.js";
import { type MatchGlobs, sameScope, scopePredicate, softWithin } from "./epoch-scope.js";

/**
 * An epoch is one full (re)doing of a root. Epochs are numbered; epoch 0 always exists. `--force` opens the next one, with a
 * scope: the items it redoes. Every outcome belongs to the epoch in its run's header, the highest one open at that time,
 * because a result made now satisfies every earlier `--force`.
 *
 *     a key is finished by the ledger  ⇔  it is done or filtered with an epoch ≥ requiredEpoch(key)
 *     requiredEpoch(key) = the highest epoch opened whose scope contains the key
 *
 * So after a killed `--force` the next run, with or without `--force`, redoes the items that the epoch has not reached yet.
 *
 * Two kinds apply to fewer runs. A *partial* epoch (`--force` with `--limit`, `--sample N`, `--debug-item`) applies only to
 * the run that opened it, because its items are not recorded. An epoch with a *soft shard* applies to runs over the same
 * soft shard or a part of it: keys have no position, so other runs cannot know its items.
 */
export interface EpochBook {
  /** For the header of this run. */
  readonly current: number;
  requiredEpoch(key: string): number;
}

interface EpochBookRequest {
  readonly records: readonly EpochRecord[];
  /** The soft shard of this run; empty: none. */
  readonly soft: SoftPartition;
  readonly matchGlobs: MatchGlobs;
  /** The result of `decideForce`, in a `--force` run: every item it lists must be done in this epoch. */
  readonly forced?: ForcedEpoch;
}

export function createEpochBook(request: EpochBookRequest): EpochBook {
  const { records, soft, matchGlobs, forced } = request;
  const floor = forced?.epoch ?? 0;
  const binding: { epoch: number; contains: ((key: string) => boolean) | undefined }[] = [];
  for (const record of [...records].sort((a, b) => b.epoch - a.epoch)) {
    if (record.epoch <= floor) break;
    if (record.partial || !softWithin(soft, record.scope.soft ?? [])) continue;
    const contains = scopePredicate(record.scope, matchGlobs);
    binding.push({ epoch: record.epoch, contains });
    // This scope has every key: lower epochs cannot require more.
    if (contains === undefined) break;
  }
  return {
    current: highestEpoch(records, floor),
    requiredEpoch(key) {
      for (const { epoch, contains } of binding) if (contains === undefined || contains(key)) return epoch;
      return floor;
    },
  };
}

export interface ForcedEpoch {
  readonly epoch: number;
  readonly scope: EpochSelection;
  readonly partial: boolean;
  /** It must be written to the ledger before the first outcome (`appendEpochOpen`). False: an earlier run has written it. */
  readonly opens: boolean;
}

interface ForceRequest {
  readonly records: readonly EpochRecord[];
  readonly mode: "continue" | "new";
  readonly scope: EpochSelection;
  /** `--force` with `--limit`, `--sample N` or `--debug-item`. */
  readonly partial: boolean;
}

/** `--force` over the same scope continues the last epoch of that scope unless it is complete; otherwise it opens one. */
export function decideForce(request: ForceRequest): ForcedEpoch {
  const { records, mode, scope, partial } = request;
  if (mode === "continue" && !partial) {
    let last: EpochRecord | undefined;
    for (const record of records) {
      if (!record.partial && sameScope(record.scope, scope) && (last === undefined || record.epoch >= last.epoch))
        last = record;
    }
    if (last !== undefined && !last.complete) return { epoch: last.epoch, scope, partial, opens: false };
  }
  return { epoch: highestEpoch(records, 0) + 1, scope, partial, opens: true };
}

function highestEpoch(records: readonly EpochRecord[], floor: number): number {
  return records.reduce((highest, record) => Math.max(highest, record.epoch), floor);
}
