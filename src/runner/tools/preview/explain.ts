import { join } from "node:path";
import { didYouMean } from "../../../base/nearest.js";
import { differencesOf } from "../../ledger/index.js";
import type { Candidate } from "../../plan/candidates.js";
import { isFinished } from "../../plan/finished.js";
import type { PreparedRun } from "../../prepare/prepared-run.js";
import { withoutSelectors } from "../../prepare/selection.js";
import { type History, openHistory } from "../../record/history.js";
import { type OpenPlanner, openPlanner } from "../../run/open-plan.js";

interface Step {
  readonly step: string;
  readonly says: string;
}

/** Why an item would run or not, step by step. */
interface Explanation {
  readonly key: string;
  readonly verdict: "would run" | "would be skipped" | "is left out" | "cannot run" | "is not listed";
  readonly steps: readonly Step[];
}

/** Lists the input until the key turns up and follows it through the stages of the plan. Writes nothing. */
export async function explainItem(prepared: PreparedRun, key: string): Promise<Explanation> {
  let explanation: Explanation | undefined;
  for (const shard of prepared.shards.keys()) {
    explanation = await explainIn(prepared, shard, key);
    if (explanation.verdict !== "is not listed") break;
  }
  return explanation!;
}

async function explainIn(prepared: PreparedRun, shard: number, key: string): Promise<Explanation> {
  const history = await openHistory(prepared, shard);
  const everything = withoutSelectors(prepared.config.run, "selects-by-key", "selects-by-order", "counts");
  const whole = { ...prepared, config: { ...prepared.config, run: everything } };
  await using planner = await openPlanner(whole, history);
  await using selecting = await openPlanner(prepared, history);
  let refusal: string | undefined;
  const near: string[] = [];
  const listener = {
    onListed: () => {},
    onRefused: (refused: { key: string; error: { code?: string; message: string } }) => {
      if (refused.key === key) refusal = `${refused.error.code}: ${refused.error.message}`;
    },
  };
  for await (const candidates of planner.candidates(listener)) {
    for (const candidate of candidates) {
      if (near.length < 10_000) near.push(candidate.key);
      if (candidate.key !== key) continue;
      return explainCandidate({ prepared, history, planner, outOf: selecting.keyFilter(key) }, candidate);
    }
    if (refusal !== undefined) break;
  }
  if (refusal !== undefined) return { key, verdict: "cannot run", steps: [{ step: "input", says: refusal }] };
  const inSoftShard = prepared.program.modes?.softShard ? " (of this soft shard)" : "";
  const steps = [
    { step: "input", says: `not among the items listed${inSoftShard}.${didYouMean(key, near)}` },
    { step: "ledger", says: ledgerText(history, key) },
  ];
  return { key, verdict: "is not listed", steps };
}

interface Sources {
  readonly prepared: PreparedRun;
  readonly history: History;
  /** Plans all items, selected or not. */
  readonly planner: OpenPlanner;
  /** Why the item is not selected; null: it is. */
  readonly outOf: string | null;
}

function explainCandidate({ prepared, history, planner, outOf }: Sources, candidate: Candidate): Explanation {
  const { key } = candidate;
  const { outputRoot } = prepared.shards[history.shard]!;
  const entry = history.index.statusOf(key);
  const steps: Step[] = [
    { step: "input", says: "listed" },
    { step: "selection", says: outOf ?? "in" },
    ...candidate.outputs.map(({ field, relPath }) => ({ step: field, says: join(outputRoot ?? "", relPath) })),
    { step: "ledger", says: ledgerText(history, key) },
  ];
  if (entry?.status === "done") {
    const differs = differencesOf(entry.segment.header, history.headerOf(""));
    if (differs.length > 0) steps.push({ step: "made by", says: `other ${differs.join(", ")} than now; kept` });
  }
  const required = history.requiredEpoch(key);
  if (required > 0 && (entry?.epoch ?? -1) < required)
    steps.push({ step: "epoch", says: `--force asks for epoch ${required}` });
  if (outOf !== null) return { key, verdict: "is left out", steps };
  const state = planner.finished.stateOf(candidate);
  const isTaskAsked = typeof prepared.instance.isExecuted === "function" && !history.ignoresTask;
  const outdated = planner.finished.isOutdated(candidate) ? "no: the output is older" : "no";
  const due = isTaskAsked ? "no, unless the task's isExecuted() says so" : outdated;
  const stale = "yes, but --redo asks for it again";
  const unsynced =
    "yes, but recorded after the last checkpoint before a restart: its output may be incomplete and is made again";
  steps.push({ step: "finished", says: { due, stale, unsynced }[state as string] ?? state });
  return { key, verdict: isFinished(state) ? "would be skipped" : "would run", steps };
}

function ledgerText({ index }: History, key: string): string {
  const entry = index.statusOf(key);
  if (!entry) return "never recorded";
  return `${entry.status} in run ${entry.segment.header?.run ?? entry.segment.file}, epoch ${entry.epoch}`;
}
