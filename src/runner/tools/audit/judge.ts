import { statSync } from "node:fs";
import { join } from "node:path";
import type { OutputEntry } from "../../../contracts/modes.js";
import type { KeyStatus } from "../../ledger/index.js";
import type { LedgerView } from "../../ledger/view.js";
import type { Candidate } from "../../plan/candidates.js";
import { ExistingFiles, type FinishedCheck, type FinishedOptions, isFinished } from "../../plan/finished.js";
import type { Finding } from "./findings.js";

export interface Verdict {
  readonly finding: Finding;
  readonly says?: () => string | undefined;
  /** The same command would run the item again, or ask the task about it. */
  readonly wouldRun: boolean;
  /** The task's `isExecuted` decides. */
  readonly asksTask: boolean;
}

interface JudgeOptions extends Pick<FinishedOptions, "rule" | "taskDecides" | "outputRoot"> {
  readonly finished: FinishedCheck;
  readonly ledger: LedgerView & { readonly index: { statusOf(key: string): KeyStatus | undefined } };
}

/**
 * Compares the ledger's entry of an item with its files. The finish check is applied as in a run. In addition, every declared
 * output of a done item has to exist: without it, `process` would have failed.
 */
export class Judge {
  readonly #options: JudgeOptions;
  readonly #files: ExistingFiles | null;

  constructor(options: JudgeOptions) {
    this.#options = options;
    this.#files = options.outputRoot === null ? null : new ExistingFiles(options.outputRoot);
  }

  judge(candidate: Candidate): Verdict {
    const { finished, ledger, taskDecides } = this.#options;
    const entry = ledger.statusOf(candidate.key);
    const required = ledger.requiredEpoch(candidate.key);
    const state = finished.stateOf(candidate);
    const wouldRun = !isFinished(state);
    const asksTask = wouldRun && taskDecides && required === 0;
    const found = (finding: Finding, says?: () => string | undefined): Verdict => ({
      finding,
      wouldRun,
      asksTask: asksTask && (finding === "finished" || finding === "unrecorded" || finding === "undecided"),
      ...(says ? { says } : {}),
    });
    const isDue = entry !== undefined && entry.epoch < required;
    if (entry?.status === "failed") return found("failed");
    if (entry?.status === "filtered") return found(isDue ? "due" : "filtered");
    const lacking = this.#findLack(candidate.outputs);
    if (entry === undefined) {
      const exists = state === "output exists" || (candidate.outputs.length > 0 && lacking === undefined);
      if (exists) return found("unrecorded");
      return found(asksTask ? "undecided" : "neverRun");
    }
    if (lacking !== undefined) return found("missing", () => this.#describe(lacking));
    if (isDue) return found("due", () => `done in epoch ${entry.epoch}, asked for in epoch ${required}`);
    if (state === "stale") return found("outdated", () => "--redo asks for it again");
    return found(wouldRun && !asksTask ? "outdated" : "finished");
  }

  #findLack(outputs: readonly OutputEntry[]): Lack | undefined {
    const { rule } = this.#options;
    if (this.#files === null) return undefined;
    for (const { relPath } of outputs) if (!this.#files.has(relPath, 0)) return { relPath, minBytes: 0 };
    if (rule?.by !== "files" || rule.minBytes === 0) return undefined;
    const { minBytes } = rule;
    const small = rule.select(outputs).find(({ relPath }) => !this.#files!.has(relPath, minBytes));
    return small && { relPath: small.relPath, minBytes };
  }

  #describe({ relPath, minBytes }: Lack): string {
    if (minBytes === 0) return `${relPath} is gone`;
    const size = statSync(join(this.#options.outputRoot!, relPath), { throwIfNoEntry: false })?.size ?? 0;
    return `${relPath} has ${size} bytes; the finish check needs at least ${minBytes}`;
  }
}

interface Lack {
  readonly relPath: string;
  readonly minBytes: number;
}
