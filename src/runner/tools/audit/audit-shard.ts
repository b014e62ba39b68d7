import { existsSync } from "node:fs";
import { KagurazakaError } from "../../../base/errors.js";
import type { RunSettings } from "../../../contracts/run-config.js";
import { type Holder, holdersOf } from "../../lease/index.js";
import type { Aspect, EpochSelection } from "../../ledger/index.js";
import type { Candidate, Refusal } from "../../plan/candidates.js";
import type { PreparedRun } from "../../prepare/prepared-run.js";
import { givenSelectors, withoutSelectors } from "../../prepare/selection.js";
import type { ShardPaths } from "../../prepare/shard-paths.js";
import { openHistory } from "../../record/history.js";
import { partitionOf } from "../../record/run-record.js";
import { openPlanner } from "../../run/open-plan.js";
import { AuditCounters, type ItemListener, type Remedies } from "./audit-counters.js";
import { type DeepCheck, type LogHook, openDeepCheck } from "./deep-check.js";
import { compareFailedFile, type FailedFileState } from "./failed-file.js";
import type { Counted, Finding } from "./findings.js";
import { Judge, type Verdict } from "./judge.js";
import { findLeftovers, type Leftovers } from "./leftovers.js";
import { findOrphans, KnownOutputs, type Orphans } from "./orphans.js";

interface AuditOptions {
  /** Ask the task's own code as well. */
  readonly deep: boolean;
  readonly onLog?: LogHook;
  readonly onItem?: ItemListener;
}

/** What is true of one root, its ledger and the files of its runs. */
export interface ShardAudit {
  readonly outputRoot: string | null;
  readonly stateDir: string;
  /** Runs at work while this was looked at: what they are about to write counts as not there. */
  readonly running: readonly Holder[];
  readonly total: number;
  readonly items: Readonly<Record<Finding, Counted>>;
  /** Of the finished items, those that other code, another version or other options have made: kept. */
  readonly stale: Readonly<Record<Aspect, number>>;
  /** null: not looked for, and why. */
  readonly orphans: Orphans | null;
  readonly orphansNote: string | undefined;
  readonly leftovers: Leftovers;
  readonly damaged: { readonly lines: number; readonly first: string | undefined };
  /** What `--force` has begun and not ended. */
  readonly openEpochs: readonly { readonly epoch: number; readonly scope: EpochSelection }[];
  /** One of them is of just these items: the same command goes on with it. */
  readonly goesOnWithEpoch: boolean;
  /** null: a run is at work, which writes it at its end. */
  readonly failedFile: FailedFileState | null;
  /** Items that the task's own code was asked about; null: it was not. */
  readonly deepChecked: number | null;
  readonly remedies: Remedies;
  readonly isSound: boolean;
}

/**
 * Lists the items of a command and holds each against ledger and disk; then looks at the root as a whole. Takes no lease and
 * writes nothing.
 *
 * Sound: the same command would have nothing to do, and nothing that is recorded is contradicted by what is there. What a
 * run keeps with a warning (results of other code) and what is none of its items (orphans) is told and does not count.
 */
export async function auditShard(prepared: PreparedRun, shard: number, options: AuditOptions): Promise<ShardAudit> {
  const judged = withoutCounting(prepared);
  const paths = prepared.shards[shard]!;
  const { program, config, instance } = judged;
  // Looked at first: whoever begins later is no reason to doubt what was read before.
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
  const known = orphansNote === undefined ? new KnownOutputs() : null;
  const tally = new AuditCounters(history.headerOf(""), options.onItem);
  const settle = ({ key }: Candidate, verdict: Verdict): void =>
    tally.add(key, verdict, history.index.statusOf(key)?.segment.header);
  const listener = {
    onListed: () => {},
    onRefused: ({ key, error }: Refusal) =>
      tally.add(key, { finding: "refused", says: () => error.message, wouldRun: true, asksTask: false }, undefined),
  };
  for await (const candidates of planner.candidates(listener)) {
    for (const { outputs } of known ? candidates : []) for (const output of outputs) known!.add(output);
    if (!deep) for (const candidate of candidates) settle(candidate, judge.judge(candidate));
    else
      await eachAtOnce(candidates, config.run.concurrency, async (candidate) =>
        settle(candidate, await ask(deep, candidate, judge.judge(candidate), tally)),
      );
  }
  const leftOut = [...program.roots.map(({ inputPath }) => inputPath), paths.stateDir];
  const { invalid, epochs } = history.index;
  const found: Omit<ShardAudit, "isSound"> = {
    outputRoot: paths.outputRoot,
    stateDir: paths.stateDir,
    running,
    total: tally.findings.total,
    items: tally.findings.all(),
    stale: tally.stale,
    orphans: known && findOrphans(paths.outputRoot!, leftOut, known),
    orphansNote,
    leftovers: findLeftovers(paths, partitionOf(program, config.run), new Set(running.map(({ run }) => run))),
    damaged: { lines: invalid.count, first: invalid.first },
    openEpochs: epochs
      .filter(({ complete, partial }) => !complete && !partial)
      .map(({ epoch, scope }) => ({ epoch, scope })),
    goesOnWithEpoch: history.ignoresTask,
    failedFile: running.length > 0 ? null : await compareFailedFile(paths.failedFile, history.index),
    deepChecked: deep ? tally.asked : null,
    remedies: tally.remedies,
  };
  return { ...found, isSound: tally.bad === 0 && isWholeSound(found) };
}

function isWholeSound({ leftovers, damaged, goesOnWithEpoch, failedFile }: Omit<ShardAudit, "isSound">): boolean {
  return (
    leftovers.staging.length === 0 &&
    leftovers.ledger.length === 0 &&
    damaged.lines === 0 &&
    !goesOnWithEpoch &&
    failedFile?.agrees !== false
  );
}

/** What is counted while a run goes on does not narrow what is finished. */
function withoutCounting(prepared: PreparedRun): PreparedRun {
  const { run } = prepared.config;
  if (run.sample && "count" in run.sample) {
    throw new KagurazakaError("usage", "an audit cannot pick items by their number", {
      where: "--sample",
      hint: "Say a share (--sample 1%), or leave it out.",
    });
  }
  const settings: RunSettings = {
    ...withoutSelectors(run, "selects-by-order", "counts"),
    force: false,
    skipFailed: false,
  };
  return { ...prepared, config: { ...prepared.config, run: settings } };
}

/** Why files that belong to no item cannot be told here; undefined: they can. */
function whyNoOrphans({ program, config: { run } }: PreparedRun, { outputRoot }: ShardPaths): string | undefined {
  if (!program.modes?.outputMode || outputRoot === null) return "no output mode names outputs";
  if (!existsSync(outputRoot)) return "there is no output root yet";
  if (program.roots.some(({ inputPath }) => inputPath === outputRoot)) return "inputs lie in the output root";
  const isPart = partitionOf(program, run).soft.length > 0 || givenSelectors(run, "selects-by-key").length > 0;
  return isPart ? "only a part of the items was listed" : undefined;
}

/** The task's own answer over ours. */
async function ask(deep: DeepCheck, candidate: Candidate, verdict: Verdict, tally: AuditCounters): Promise<Verdict> {
  const { finding, asksTask } = verdict;
  if (finding !== "finished" && finding !== "unrecorded" && finding !== "undecided") return verdict;
  tally.asked++;
  const { isExecuted, objection } = await deep.check(candidate, asksTask);
  if (objection !== undefined) return { ...verdict, finding: "unsound", says: () => objection, wouldRun: false };
  if (isExecuted === undefined) return verdict;
  if (isExecuted) return { ...verdict, finding: "finished", wouldRun: false };
  return finding === "finished"
    ? { ...verdict, finding: "unsound", says: () => "isExecuted() says that it is not finished" }
    : { ...verdict, finding: "neverRun" };
}

async function eachAtOnce<T>(all: readonly T[], atOnce: number, work: (one: T) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < all.length) await work(all[next++]!);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, all.length) }, lane));
}
