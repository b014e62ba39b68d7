import { type Aspect, aspects, differencesOf, type Made } from "../../ledger/index.js";
import { type Counted, type Finding, findings } from "./findings.js";
import type { Verdict } from "./judge.js";

/** Called for every judged item. `needsForce`: running the same command again would not repair it. */
export type ItemListener = (key: string, finding: Finding, needsForce: boolean) => void;

/** How many bad items each command would repair; each item is counted for the cheapest one. */
export interface Remedies {
  /** Failed items: `--retry-failed`. */
  readonly retry: number;
  /** The same command again. */
  readonly run: number;
  /** The same command with `--force`. */
  readonly force: number;
}

const EXAMPLES = 3;

const forEachName = <N extends string, V>(table: Readonly<Record<N, unknown>>, create: () => V): Record<N, V> =>
  Object.fromEntries(Object.keys(table).map((name) => [name, create()])) as Record<N, V>;

/** Counts the verdicts of an audit, and keeps the first items of each finding as examples. */
export class AuditCounters {
  total = 0;
  readonly items = forEachName(findings, () => ({ count: 0, examples: [] as Counted["examples"][number][] }));
  /** Finished items made by other code, another version or other options than now. */
  readonly stale = forEachName(aspects, () => 0);
  /** Items that are not finished as they should be. */
  bad = 0;
  readonly remedies = { retry: 0, run: 0, force: 0 };
  /** Items that the task's own code was asked about. */
  asked = 0;
  readonly #now: Made;
  readonly #onItem: ItemListener | undefined;
  /** Cached, because consecutive items were mostly made by one run. */
  #last: { readonly made: Made | null; readonly differs: readonly Aspect[] } | undefined;

  constructor(now: Made, onItem: ItemListener | undefined) {
    this.#now = now;
    this.#onItem = onItem;
  }

  /** @param made undefined: never recorded; null: recorded, but the header of its segment is lost */
  add(key: string, verdict: Verdict, made: Made | null | undefined): void {
    const { finding, wouldRun, says } = verdict;
    this.total++;
    const { count, examples } = this.items[finding];
    this.items[finding].count = count + 1;
    if (count < EXAMPLES) examples.push({ key, ...withText(says?.()) });
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

const withText = (says: string | undefined) => (says === undefined ? {} : { says });

/** No run repairs these: the input has to change, or the task has to be asked first. */
const beyondRuns: ReadonlySet<Finding> = new Set<Finding>(["refused", "undecided"]);

/** An unrecorded output counts as finished where the finish check, not the ledger, decides. */
function isFine({ finding, wouldRun, asksTask }: Verdict): boolean {
  if (finding === "unrecorded") return !wouldRun || asksTask;
  return finding === "finished" || finding === "filtered";
}
