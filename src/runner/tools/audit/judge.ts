import { statSync } from "node:fs";
import { join } from "node:path";
import type { FinishRule, OutputEntry } from "../../../contracts/modes.js";
import type { KeyStatus } from "../../ledger/index.js";
import type { LedgerView } from "../../ledger/view.js";
import type { Candidate } from "../../plan/candidates.js";
import { ExistingFiles, type FinishedCheck, isFinished } from "../../plan/finished.js";
import type { Finding } from "./findings.js";

export interface Verdict {
  readonly finding: Finding;
  readonly says?: () => string | undefined;
  /** The same command would run it again, or ask the task whether it has to. */
  readonly wouldRun: boolean;
  /** The task's `isExecuted` has the last word. */
  readonly asksTask: boolean;
}

interface JudgeOptions {
  readonly finished: FinishedCheck;
  readonly rule: FinishRule | null;
  readonly taskDecides: boolean;
  readonly outputRoot: string | null;
  readonly ledger: LedgerView & { readonly index: { statusOf(key: string): KeyStatus | undefined } };
}

/**
 * Holds what is recorded of an item against what lies on the disk. The finish check is asked as a run asks it; besides, of
 * an item that is done every declared output has to be there, for without them `process` would not have been done.
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
    const lacking = this.#lacking(candidate.outputs);
    if (entry === undefined) {
      const isThere = state === "output exists" || (candidate.outputs.length > 0 && lacking === undefined);
      if (isThere) return found("unrecorded");
      return found(asksTask ? "undecided" : "neverRun");
    }
    if (lacking !== undefined) return found("missing", () => this.#describe(lacking));
    if (isDue) return found("due", () => `done in epoch ${entry.epoch}, asked for in epoch ${required}`);
    if (state === "stale") return found("outdated", () => "--redo asks for it again");
    return found(wouldRun && !asksTask ? "outdated" : "finished");
  }

  #lacking(outputs: readonly OutputEntry[]): Lack | undefined {
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
    return `${relPath} has ${size} bytes, the finish check asks for ${minBytes}`;
  }
}

interface Lack {
  readonly relPath: string;
  readonly minBytes: number;
}
