import type { SoftPartition } from "../../../contracts/modes.js";
import type { EpochRecord } from "../ledger-index.js";
import type { EpochSelection } from "../lines.js";
import { type MatchGlobs, sameScope, scopePredicate, softWithin } from "./epoch-scope.js";

/**
 * Epochs: the full (re)doings of a root, numbered from 0, which is there from the beginning. `--force` opens the next one,
 * with the scope of its run: which items it redoes. Every outcome belongs to the epoch in its run's header, the highest one
 * opened by then: what is done now is newer than all that any `--force` has asked for so far.
 *
 *     a key is finished by the ledger  ⇔  it is done or filtered with an epoch ≥ requiredEpoch(key)
 *     requiredEpoch(key) = the highest epoch opened whose scope contains the key
 *
 * So after a killed `--force` the next run, plain or not, redoes what the epoch has not reached yet.
 *
 * Two kinds bind less than that. A *partial* epoch (`--force` with `--limit`, `--sample N`, `--debug-item`) binds the run
 * that opened it alone: which items it would have reached is written nowhere. One with a *soft shard* binds runs over the
 * same soft shard or a part of it: a key has no position, so a run over more cannot know which items were meant.
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
    // It takes every key: no lower epoch can ask for more.
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

/** `--force` again over the same scope goes on with the last epoch of that scope, unless it is complete; else it opens one. */
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
