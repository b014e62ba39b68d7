import type { RunSettings } from "../../contracts/run-config.js";
import { bootId } from "../lease/index.js";
import {
  createEpochBook,
  decideForce,
  type EpochBook,
  type EpochScope,
  type ForcedEpoch,
  LEDGER_VERSION,
  type Ledger,
  type LedgerHeader,
  type LedgerIndex,
  loadLedger,
  packKeys,
  sameScope,
} from "../ledger/index.js";
import type { LedgerView } from "../ledger/view.js";
import { loadGlobs, readKeys } from "../plan/selection.js";
import type { PreparedRun } from "../prepare/prepared-run.js";
import { optionsHashOf, scopeOf } from "./run-record.js";

/** What earlier runs recorded, and what this run may take as finished. */
export interface History extends LedgerView {
  readonly index: LedgerIndex;
  readonly book: EpochBook;
  readonly forced: ForcedEpoch | undefined;
  /** Items must be redone whatever the task's `isExecuted` says: an epoch is open. */
  readonly ignoresTask: boolean;
  readonly warnings: readonly string[];
  headerOf(run: string): LedgerHeader;
  /** Everything in this run's scope is finished: closes the epochs that asked for it. */
  completeEpoch(ledger: Ledger): void;
}

export async function openHistory(prepared: PreparedRun): Promise<History> {
  const { program, config, places } = prepared;
  const settings = config.run;
  const index = await loadLedger(places.ledgerDir);
  const scope = epochScopeOf(prepared);
  const matcher = needsGlobs(scope, index) ? await loadGlobs() : () => () => true;
  const partial = isPartial(settings);
  const forced =
    settings.force === false ? undefined : decideForce({ records: index.epochs, mode: settings.force, scope, partial });
  const soft = scope.soft ?? [];
  const book = createEpochBook({ records: index.epochs, soft, matchGlobs: matcher, ...(forced ? { forced } : {}) });
  const open = index.epochs.filter((epoch) => !epoch.complete && !epoch.partial && sameScope(epoch.scope, scope));
  return {
    index,
    book,
    forced,
    ignoresTask: forced !== undefined || open.length > 0,
    warnings: warningsOf(prepared, index, forced, open.length > 0),
    statusOf: (key) => index.statusOf(key),
    requiredEpoch: (key) => book.requiredEpoch(key),
    headerOf: (run) => ({
      v: LEDGER_VERSION,
      run,
      task: program.ref.id,
      at: new Date().toISOString(),
      seq: index.nextSeq,
      module: program.ref.moduleHash,
      version: versionOf(prepared),
      options: optionsHashOf(program),
      epoch: book.current,
      boot: bootId(),
      shard: scopeOf(program, settings),
    }),
    completeEpoch(ledger) {
      if (partial) return;
      const epochs = new Set(open.map(({ epoch }) => epoch));
      if (forced) epochs.add(forced.epoch);
      for (const epoch of epochs) ledger.appendEpochComplete({ epoch, scope });
      ledger.flush();
    },
  };
}

/** Which items a `--force` of this run would mean. */
function epochScopeOf({ program, config: { run } }: PreparedRun): EpochScope {
  const { soft } = scopeOf(program, run);
  return {
    ...(run.shard ? { shard: run.shard } : {}),
    ...(soft.length > 0 ? { soft } : {}),
    ...(run.only.length > 0 ? { only: [...run.only] } : {}),
    ...(run.sample && "percent" in run.sample ? { samplePercent: run.sample.percent } : {}),
    ...(run.keys === undefined ? {} : { keys: packKeys(readKeys(run.keys)) }),
  };
}

/** It reaches items that no rule can name afterwards, so nothing later may be judged by it. */
function isPartial(run: RunSettings): boolean {
  return run.limit !== undefined || run.retryFailed || (run.sample !== undefined && "count" in run.sample);
}

function needsGlobs(scope: EpochScope, index: LedgerIndex): boolean {
  return scope.only !== undefined || index.epochs.some((epoch) => epoch.scope.only !== undefined);
}

function versionOf({ program }: PreparedRun): string | null {
  const { version } = program.taskClass;
  return version === undefined ? null : String(version);
}

/** Said once, with counts: results of other code or options are kept, and whoever minds can `--force`. */
function warningsOf(
  prepared: PreparedRun,
  index: LedgerIndex,
  forced: ForcedEpoch | undefined,
  continues: boolean,
): string[] {
  const warnings: string[] = [];
  if (index.invalid.count > 0)
    warnings.push(`the ledger has ${index.invalid.count} damaged lines, passed over (first: ${index.invalid.first})`);
  if (forced) return warnings;
  if (continues) warnings.push("a --force over these items was not finished; this run goes on with it");
  const now = {
    module: prepared.program.ref.moduleHash,
    version: versionOf(prepared),
    options: optionsHashOf(prepared.program),
  };
  const older = (name: keyof typeof now): number =>
    index.doneByProvenance().reduce((sum, made) => sum + (made[name] === now[name] ? 0 : made.doneKeys), 0);
  for (const [name, what] of [
    ["module", "other code"],
    ["version", "another version of the task"],
    ["options", "other options"],
  ] as const) {
    const count = older(name);
    if (count > 0) warnings.push(`${count} results were made by ${what} and are kept; --force makes them again`);
  }
  return warnings;
}
