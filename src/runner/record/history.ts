import type { Partition } from "../../contracts/partition.js";
import type { RunSettings } from "../../contracts/run-config.js";
import { compileGlobs } from "../../data/globs/globs.js";
import { displayPath } from "../../loader/paths.js";
import { areDisjoint, ownProcess } from "../lease/index.js";
import {
  type Aspect,
  aspects,
  createEpochBook,
  decideForce,
  describeDamage,
  type EpochBook,
  type EpochSelection,
  type ForcedEpoch,
  LEDGER_VERSION,
  type Ledger,
  type LedgerHeader,
  type LedgerIndex,
  loadLedger,
  type Machine,
  type Made,
  openSegments,
  packKeys,
  sameScope,
} from "../ledger/index.js";
import type { LedgerView } from "../ledger/view.js";
import type { PreparedRun } from "../prepare/prepared-run.js";
import { givenSelectors, type KeySelector } from "../prepare/selection.js";
import { inputHashOf } from "./input-hash.js";
import { optionChanges, sourceOf } from "./option-changes.js";
import { optionsHashOf, partitionOf, wordsHashOf } from "./run-record.js";

/** What earlier runs of one hard shard recorded, and what this run may take as finished. */
export interface History extends LedgerView {
  /** Number of the hard shard. */
  readonly shard: number;
  readonly index: LedgerIndex;
  readonly book: EpochBook;
  readonly forced: ForcedEpoch | undefined;
  /** An epoch is open: items must be redone, and the task's `isExecuted` is not asked. */
  readonly ignoresTask: boolean;
  /** The code, version and options that make this run's results. */
  readonly now: Made;
  readonly warnings: readonly string[];
  /** This run lists every item of its input. */
  readonly seesAll: boolean;
  /** Enough results of earlier runs are unsynced to make waiting for the disk at the end worth it. */
  readonly owesSync: boolean;
  headerOf(run: string): LedgerHeader;
  /** Everything that this run selects is finished: closes the epochs that asked for it. */
  completeEpoch(ledger: Pick<Ledger, "appendEpochComplete">): void;
}

export async function openHistory(prepared: PreparedRun, shard: number): Promise<History> {
  const { program, config } = prepared;
  const settings = config.run;
  const { boot, host } = ownProcess();
  const here: Machine = { boot, host };
  const index = await loadLedger(prepared.shards[shard]!.ledgerDir, here);
  const now = provenanceOf(prepared);
  const selection = epochSelectionOf(prepared);
  const partial = isPartial(settings);
  const forced =
    settings.force === false
      ? undefined
      : decideForce({ records: index.epochs, mode: settings.force, scope: selection, partial });
  const soft = selection.soft ?? [];
  const book = createEpochBook({
    records: index.epochs,
    soft,
    matchGlobs: compileGlobs,
    ...(forced ? { forced } : {}),
  });
  const partition = partitionOf(program, settings);
  const input = inputHashOf(prepared, shard);
  const covers = coveredBy(index, boot, partition);
  const open = index.epochs.filter((epoch) => !epoch.complete && !epoch.partial && sameScope(epoch.scope, selection));
  return {
    shard,
    index,
    book,
    forced,
    ignoresTask: forced !== undefined || open.length > 0,
    warnings: warningsOf({ prepared, shard, index, now, forced, continues: open.length > 0 }),
    now,
    statusOf: (key) => index.statusOf(key),
    requiredEpoch: (key) => book.requiredEpoch(key),
    isFullySynced: index.isFullySynced,
    outputMayBeUnsynced: (key, times) => index.outputMayBeUnsynced(key, times),
    seesAll: input !== undefined && !partial && !settings.skipFailed && sameScope(selection, {}),
    owesSync: index.windows.length > 0 || covers.length >= MANY_SEGMENTS,
    headerOf: (run) => ({
      v: LEDGER_VERSION,
      run,
      task: program.ref.id,
      at: new Date().toISOString(),
      seq: index.nextSeq,
      ...now,
      epoch: book.current,
      boot,
      host,
      ...(input === undefined ? {} : { input }),
      ...(settings.durable ? { durable: true } : {}),
      ...(covers.length > 0 && !settings.durable ? { covers } : {}),
      shard: partition,
    }),
    completeEpoch(ledger) {
      if (partial) return;
      const epochs = new Set(open.map(({ epoch }) => epoch));
      if (forced) epochs.add(forced.epoch);
      for (const epoch of epochs) ledger.appendEpochComplete({ epoch, scope: selection });
    },
  };
}

/** After this many runs without a final checkpoint, a run waits for the disk even if it was short. */
const MANY_SEGMENTS = 8;
/** Keeps the header, with the names of the segments, within the first 64 KB of a segment: readers look no further. */
const MAX_COVERS = 1000;

/** Segments of this boot without a final checkpoint, but for those of other partitions, whose runs may be alive. */
function coveredBy(index: LedgerIndex, boot: string | null, partition: Partition): string[] {
  if (boot === null) return [];
  return openSegments(index.segments)
    .filter(({ header }) => header !== null && header.boot === boot && !areDisjoint(header.shard, partition))
    .map(({ file }) => file)
    .slice(-MAX_COVERS);
}

/** The items that `--force` would redo in this run. */
function epochSelectionOf({ program, config: { run } }: PreparedRun): EpochSelection {
  const { soft } = partitionOf(program, run);
  const parts = (givenSelectors(run, "selects-by-key") as KeySelector[]).map((name) =>
    scopeParts[name](run[name] as never),
  );
  return Object.assign(soft.length > 0 ? { soft } : {}, ...parts) as EpochSelection;
}

/** A setting that selects by key does not compile before it is a part of an epoch's scope. */
const scopeParts: { readonly [K in KeySelector]: (value: NonNullable<RunSettings[K]>) => EpochSelection } = {
  shard: (shard) => ({ shard }),
  only: (only) => ({ only: [...only] }),
  sample: (share) => ("percent" in share ? { samplePercent: share.percent } : {}),
  keys: (keys) => ({ keys: packKeys(new Set(keys)) }),
};

/** It reaches items that no rule can name afterwards, so nothing later may be judged by it. */
const isPartial = (run: RunSettings): boolean => givenSelectors(run, "counts").length > 0;

function provenanceOf({ program }: PreparedRun): Made {
  const { version } = program.taskClass;
  return {
    module: program.ref.moduleHash,
    version: version === undefined ? null : String(version),
    options: optionsHashOf(program),
  };
}

interface Findings {
  readonly prepared: PreparedRun;
  readonly shard: number;
  readonly index: LedgerIndex;
  readonly now: Made;
  readonly forced: ForcedEpoch | undefined;
  /** An epoch of an earlier `--force` is open. */
  readonly continues: boolean;
}

const OTHER = { code: "other code", version: "another version of the task", options: "other options" } as const;

/** The warnings at the start of a run. Results of other code or options are kept, but for what `--redo` names. */
function warningsOf(findings: Findings): string[] {
  const { prepared, shard, index, now, forced, continues } = findings;
  const { redo } = prepared.config.run;
  const warnings: string[] = [];
  const { damage } = index;
  if (damage.count > 0) {
    const [what, fate] =
      damage.count === 1
        ? [
            "1 damaged line, which is left out",
            "Its item counts as not finished, unless its output or an older line says",
          ]
        : [
            `${damage.count} damaged lines, which are left out`,
            "Their items count as not finished, unless outputs or older lines say",
          ];
    warnings.push(`the ledger has ${what}: ${describeDamage(damage, displayPath)}. ${fate} otherwise`);
  }
  if (forced) return warnings;
  // Without a window, a later run has looked at all unsynced keys: those left over are not listed any more.
  if (index.unsyncedKeys > 0 && index.windows.length > 0) {
    // Outputs whose lines were lost are found only when the plan comes to them.
    const least = prepared.shards[shard]!.outputRoot === null ? "" : "at least ";
    warnings.push(
      `the machine has been restarted: ${least}${index.unsyncedKeys} results younger than the last checkpoint may be incomplete and are made again`,
    );
  }
  if (continues) warnings.push("an earlier --force over these items was not finished; this run continues it");
  for (const cause of Object.keys(aspects) as Aspect[]) {
    const count = index
      .doneByProvenance()
      .reduce((sum, made) => sum + (made[aspects[cause]] === now[aspects[cause]] ? 0 : made.doneKeys), 0);
    if (count === 0) continue;
    const fate = redo.includes(cause) ? "are made again" : `are kept; --redo ${cause} makes them again`;
    const which = cause === "options" ? changedOptions(findings) : cause === "code" ? otherSource(findings) : "";
    warnings.push(
      `${count} ${count === 1 ? "result was" : "results were"} made by ${OTHER[cause]}${which} and ${fate}`,
    );
  }
  return warnings;
}

/** Compared with the last run that had other options and made results that still count. */
function changedOptions({ prepared, shard, index, now }: Findings): string {
  const last = index.segments.findLast(({ header, doneKeys }) => doneKeys > 0 && header?.options !== now.options);
  const { runsDir } = prepared.shards[shard]!;
  const { rawArgs } = prepared.program.options;
  const current = { config: prepared.config.entries, wordsHash: wordsHashOf(rawArgs) };
  const changes = last?.header ? optionChanges(runsDir, last.header.run, current) : "";
  return changes === "" ? "" : ` (${changes})`;
}

/** Another task file, where a task of the same name has made the results. */
function otherSource({ prepared, shard, index, now }: Findings): string {
  const last = index.segments.findLast(({ header, doneKeys }) => doneKeys > 0 && header?.module !== now.module);
  const source = last?.header ? sourceOf(prepared.shards[shard]!.runsDir, last.header.run) : undefined;
  return source === undefined || source === prepared.sourcePath ? "" : ` (${displayPath(source)})`;
}
