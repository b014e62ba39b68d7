import { type Aspect, aspects, differencesOf, type Made } from "../../ledger/index.js";
import { type Finding, Findings } from "./findings.js";
import type { Verdict } from "./judge.js";

/** Hears of every item as it is judged. `needsForce`: the same command would leave it as it is. */
export type ItemListener = (key: string, finding: Finding, needsForce: boolean) => void;

/** How items that are not as they should be could be mended, each in the cheapest way there is. */
export interface Remedies {
  /** Failed ones that `--retry-failed` runs again. */
  readonly retry: number;
  /** Others that the same command runs. */
  readonly run: number;
  /** Those it leaves as they are. */
  readonly force: number;
}

/** What verdicts come to. */
export class AuditCounters {
  readonly findings = new Findings();
  /** Of the finished items. */
  readonly stale = Object.fromEntries(Object.keys(aspects).map((aspect) => [aspect, 0])) as Record<Aspect, number>;
  /** Items that are not as they should be. */
  bad = 0;
  readonly remedies = { retry: 0, run: 0, force: 0 };
  /** Items that the task's own code was asked about. */
  asked = 0;
  readonly #now: Made;
  readonly #onItem: ItemListener | undefined;
  /** Neighbours were mostly made by one run, and the answer is the same. */
  #last: { readonly made: Made | null; readonly differs: readonly Aspect[] } | undefined;

  constructor(now: Made, onItem: ItemListener | undefined) {
    this.#now = now;
    this.#onItem = onItem;
  }

  /** @param made undefined: never recorded; null: recorded, but what made it is lost */
  add(key: string, verdict: Verdict, made: Made | null | undefined): void {
    const { finding, wouldRun, says } = verdict;
    this.findings.add(finding, key, says);
    const needsForce = !isFine(verdict) && !wouldRun;
    if (!isFine(verdict)) this.bad++;
    if (needsForce) this.remedies.force++;
    else if (finding === "failed") this.remedies.retry++;
    else if (!isFine(verdict) && !beyondRuns.has(finding)) this.remedies.run++;
    if (finding === "finished" && made !== undefined)
      for (const aspect of this.#differences(made)) this.stale[aspect]++;
    this.#onItem?.(key, finding, needsForce);
  }

  #differences(made: Made | null): readonly Aspect[] {
    if (this.#last?.made !== made || this.#last === undefined)
      this.#last = { made, differs: differencesOf(made, this.#now) };
    return this.#last.differs;
  }
}

/** What no run can mend: the input has to change, or the task has to be asked first. */
const beyondRuns: ReadonlySet<Finding> = new Set<Finding>(["refused", "undecided"]);

/** An output that nobody has recorded is as good as finished where the finish check, not the ledger, decides. */
function isFine({ finding, wouldRun, asksTask }: Verdict): boolean {
  if (finding === "unrecorded") return !wouldRun || asksTask;
  return finding === "finished" || finding === "filtered";
}
