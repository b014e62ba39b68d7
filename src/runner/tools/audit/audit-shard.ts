import { existsSync } from "node:fs";
import { KagurazakaError } from "../../../base/errors.js";
import { foldsNames, isSameDirectory } from "../../../base/names-on-disk.js";
import type { RunSettings } from "../../../contracts/run-config.js";
import { type Holder, holdersOf } from "../../lease/index.js";
import type { Aspect, Damage, EpochSelection } from "../../ledger/index.js";
import type { Candidate, Refusal } from "../../plan/candidates.js";
import { KnownOutputs } from "../../plan/known-outputs.js";
import type { PreparedRun } from "../../prepare/prepared-run.js";
import { givenSelectors, withoutSelectors } from "../../prepare/selection.js";
import type { ShardPaths } from "../../prepare/shard-paths.js";
import { damagedOwnerFile } from "../../prepare/state-owner.js";
import { openHistory } from "../../record/history.js";
import { partitionOf } from "../../record/run-record.js";
import { openPlanner } from "../../run/open-plan.js";
import { AuditCounters, type ItemListener, type Remedies } from "./audit-counters.js";
import { type DeepCheck, type LogHook, openDeepCheck } from "./deep-check.js";
import { compareFailedFile, type FailedFileState } from "./failed-file.js";
import type { Counted, Finding } from "./findings.js";
import { Judge, type Verdict } from "./judge.js";
import { findLeftovers, type Leftovers } from "./leftovers.js";
import { findOrphans, type Orphans } from "./orphans.js";

interface AuditOptions {
  /** Ask the task's own code as well. */
  readonly deep: boolean;
  readonly onLog?: LogHook;
  readonly onItem?: ItemListener;
}

/** What an audit found in one root, its ledger and the files of its runs. */
export interface ShardAudit {
  readonly outputRoot: string | null;
  readonly stateDir: string;
  /** Runs that were alive during the audit: outputs that they had not written yet count as missing. */
  readonly running: readonly Holder[];
  readonly total: number;
  readonly items: Readonly<Record<Finding, Counted>>;
  /** Finished items made by other code, another version or other options, which a run keeps. */
  readonly stale: Readonly<Record<Aspect, number>>;
  /** null: not searched; `orphansNote` says why. */
  readonly orphans: Orphans | null;
  readonly orphansNote: string | undefined;
  readonly leftovers: Leftovers;
  /** Lines of the ledger that are not as they were written; `places` has the first ones. */
  readonly damaged: { readonly lines: number; readonly places: Damage["places"] };
  /** `state.json` where it is damaged: the next run writes it anew. */
  readonly damagedState: string | null;
  /** Epochs of `--force` that are not complete. */
  readonly openEpochs: readonly { readonly epoch: number; readonly scope: EpochSelection }[];
  /** One of them selects just these items: the same command continues it. */
  readonly goesOnWithEpoch: boolean;
  /** null: a run is alive, which writes the file at its end. */
  readonly failedFile: FailedFileState | null;
  /** Items that the task's own code was asked about; null: without `--deep`. */
  readonly deepChecked: number | null;
  readonly remedies: Remedies;
  readonly isSound: boolean;
}

/**
 * Lists the items of a command and compares each with ledger and disk, then checks the root as a whole. Takes no lease and
 * writes nothing.
 *
 * A root is sound when the same command would have nothing to do and the disk contradicts nothing in the ledger. Results of
 * other code, which a run keeps with a warning, and orphans are reported but do not make it unsound.
 */
export async function auditShard(prepared: PreparedRun, shard: number, options: AuditOptions): Promise<ShardAudit> {
  const judged = withoutOrderFlags(prepared);
  const paths = prepared.shards[shard]!;
  const { program, config, instance } = judged;
  // Read first: a run that begins later does not affect what was read before.
  const running = holdersOf(paths.leaseDir);
  const history = await openHistory(judged, shard);
  await using planner = await openPlanner(judged, history);
  await using deep = options.deep ? await openDeepCheck(judged, shard, options.onLog ?? (() => {})) : undefined;
  const finishMode = program.modes?.finishCheckMode;
  const judge = new Judge({
    finished: planner.finished,
    rule: finishMode ? finishMode.definition.rule(finishMode.fields) : null,
    taskDecides: typeof instance.isExecuted === "function",
    outputRoot: paths.outputRoot,
    ledger: history,
  });
  const orphansNote = whyNoOrphans(judged, paths);
  const known = orphansNote === undefined ? new KnownOutputs(foldsNames(paths.outputRoot!)) : null;
  const counters = new AuditCounters(history.headerOf(""), options.onItem);
  const add = ({ key }: Candidate, verdict: Verdict): void =>
    counters.add(key, verdict, history.index.statusOf(key)?.segment.header);
  const listener = {
    onListed: () => {},
    onRefused: ({ key, error }: Refusal) =>
      counters.add(key, { finding: "refused", says: () => error.message, wouldRun: true, asksTask: false }, undefined),
  };
  for await (const candidates of planner.candidates(listener)) {
    for (const { outputs } of known ? candidates : []) for (const output of outputs) known!.add(output);
    if (!deep) for (const candidate of candidates) add(candidate, judge.judge(candidate));
    else
      await forEachAtOnce(candidates, config.run.concurrency ?? 1, async (candidate) =>
        add(candidate, await askTask(deep, candidate, judge.judge(candidate), counters)),
      );
  }
  const leftOut = [...program.roots.map(({ inputPath }) => inputPath), paths.stateDir];
  const { damage, epochs } = history.index;
  const found: Omit<ShardAudit, "isSound"> = {
    outputRoot: paths.outputRoot,
    stateDir: paths.stateDir,
    running,
    total: counters.total,
    items: counters.items,
    stale: counters.stale,
    orphans: known && findOrphans(paths.outputRoot!, leftOut, known),
    orphansNote,
    leftovers: findLeftovers(paths, partitionOf(program, config.run), new Set(running.map(({ run }) => run))),
    damaged: { lines: damage.count, places: damage.places },
    damagedState: damagedOwnerFile(paths.stateDir) ?? null,
    openEpochs: epochs
      .filter(({ complete, partial }) => !complete && !partial)
      .map(({ epoch, scope }) => ({ epoch, scope })),
    goesOnWithEpoch: history.ignoresTask,
    failedFile: running.length > 0 ? null : await compareFailedFile(paths.failedFile, history.index),
    deepChecked: deep ? counters.asked : null,
    remedies: counters.remedies,
  };
  return { ...found, isSound: counters.bad === 0 && isRootSound(found) };
}

function isRootSound({
  leftovers,
  damaged,
  damagedState,
  goesOnWithEpoch,
  failedFile,
}: Omit<ShardAudit, "isSound">): boolean {
  return (
    leftovers.staging.length === 0 &&
    leftovers.ledger.length === 0 &&
    damaged.lines === 0 &&
    damagedState === null &&
    !goesOnWithEpoch &&
    failedFile?.agrees !== false
  );
}

/** Flags that select by order or by outcome do not change which items should be finished. */
function withoutOrderFlags(prepared: PreparedRun): PreparedRun {
  const { run } = prepared.config;
  if (run.sample && "count" in run.sample) {
    throw new KagurazakaError("usage", "verify cannot select a number of items", {
      where: "--sample",
      hint: "Give a share (--sample 1%), or leave it out.",
    });
  }
  const settings: RunSettings = {
    ...withoutSelectors(run, "selects-by-order", "counts"),
    force: false,
    skipFailed: false,
  };
  return { ...prepared, config: { ...prepared.config, run: settings } };
}

/** Why orphans cannot be found in this audit; undefined: they can. */
function whyNoOrphans({ program, config: { run } }: PreparedRun, { outputRoot }: ShardPaths): string | undefined {
  if (!program.modes?.outputMode || outputRoot === null) return "no output mode names outputs";
  if (!existsSync(outputRoot)) return "there is no output root yet";
  if (program.roots.some(({ inputPath }) => isSameDirectory(inputPath, outputRoot)))
    return "inputs are in the output root";
  const isPart = partitionOf(program, run).soft.length > 0 || givenSelectors(run, "selects-by-key").length > 0;
  return isPart ? "only a part of the items was listed" : undefined;
}

/** `--deep`: the task's own answer overrides the verdict. */
async function askTask(
  deep: DeepCheck,
  candidate: Candidate,
  verdict: Verdict,
  counters: AuditCounters,
): Promise<Verdict> {
  const { finding, asksTask } = verdict;
  if (finding !== "finished" && finding !== "unrecorded" && finding !== "undecided") return verdict;
  counters.asked++;
  const { isExecuted, objection } = await deep.check(candidate, asksTask);
  if (objection !== undefined) return { ...verdict, finding: "unsound", says: () => objection, wouldRun: false };
  if (isExecuted === undefined) return verdict;
  if (isExecuted) return { ...verdict, finding: "finished", wouldRun: false };
  return finding === "finished"
    ? { ...verdict, finding: "unsound", says: () => "isExecuted() says that it is not finished" }
    : { ...verdict, finding: "neverRun" };
}

async function forEachAtOnce<T>(all: readonly T[], atOnce: number, work: (one: T) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < all.length) await work(all[next++]!);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, all.length) }, lane));
}
