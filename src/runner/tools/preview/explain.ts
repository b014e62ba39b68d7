import { join } from "node:path";
import { didYouMean } from "../../../base/nearest.js";
import { differencesOf } from "../../ledger/index.js";
import { isFinished } from "../../plan/finished.js";
import type { PreparedRun } from "../../prepare/prepared-run.js";
import { withoutSelectors } from "../../prepare/selection.js";
import { openHistory } from "../../record/history.js";
import { openPlanner } from "../../run/open-plan.js";

/** Why an item would run or not, step by step. */
interface Explanation {
  readonly key: string;
  readonly verdict: "would run" | "would be skipped" | "is left out" | "cannot run" | "is not listed";
  readonly steps: readonly { readonly step: string; readonly says: string }[];
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
  const { outputRoot } = prepared.shards[shard]!;
  const everything = withoutSelectors(prepared.config.run, "selects-by-key", "selects-by-order", "counts");
  const whole = { ...prepared, config: { ...prepared.config, run: everything } };
  await using planner = await openPlanner(whole, history);
  await using selecting = await openPlanner(prepared, history);
  const steps: { step: string; says: string }[] = [];
  const end = (verdict: Explanation["verdict"]): Explanation => ({ key, verdict, steps });
  const entry = history.index.statusOf(key);
  const ledger = entry
    ? `${entry.status} in run ${entry.segment.header?.run ?? entry.segment.file}, epoch ${entry.epoch}`
    : "never recorded";
  let listed = 0;
  let refusal: string | undefined;
  const near: string[] = [];
  const listener = {
    onListed: () => void listed++,
    onRefused: (refused: { key: string; error: { code?: string; message: string } }) => {
      if (refused.key === key) refusal = `${refused.error.code}: ${refused.error.message}`;
    },
  };
  for await (const candidates of planner.candidates(listener)) {
    for (const candidate of candidates) {
      if (near.length < 10_000) near.push(candidate.key);
      if (candidate.key !== key) continue;
      steps.push({ step: "input", says: "listed" });
      const out = selecting.keyFilter(key);
      steps.push({ step: "selection", says: out ?? "in" });
      for (const { field, relPath } of candidate.outputs)
        steps.push({ step: field, says: join(outputRoot ?? "", relPath) });
      steps.push({ step: "ledger", says: ledger });
      if (entry?.status === "done") {
        const differs = differencesOf(entry.segment.header, history.headerOf(""));
        if (differs.length > 0) steps.push({ step: "made by", says: `other ${differs.join(", ")} than now; kept` });
      }
      const required = history.requiredEpoch(key);
      if (required > 0 && (entry?.epoch ?? -1) < required)
        steps.push({ step: "epoch", says: `--force asks for epoch ${required}` });
      if (out !== null) return end("is left out");
      const state = planner.finished.stateOf(candidate);
      const taskAsked = typeof prepared.instance.isExecuted === "function" && !history.ignoresTask;
      const outdated = planner.finished.isOutdated(candidate) ? "no: the output is older" : "no";
      const due = taskAsked ? "no, unless the task's isExecuted() says so" : outdated;
      const unsynced =
        "yes, but after the last checkpoint of a boot that is over: its output may not be whole and is made again";
      const says = { due, stale: "yes, but --redo asks for it again", unsynced }[state as string] ?? state;
      steps.push({ step: "finished", says });
      return end(isFinished(state) ? "would be skipped" : "would run");
    }
    if (refusal !== undefined) break;
  }
  if (refusal !== undefined) {
    steps.push({ step: "input", says: refusal });
    return end("cannot run");
  }
  const inSoftShard = prepared.program.modes?.softShard ? " (of this soft shard)" : "";
  steps.push(
    { step: "input", says: `not among the items listed${inSoftShard}.${didYouMean(key, near)}` },
    { step: "ledger", says: ledger },
  );
  return end("is not listed");
}
