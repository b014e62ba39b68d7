/** What an audit can find of an item; each listed item is exactly one of these. */
export const findings = {
  finished: "",
  filtered: "the task had nothing to do",
  missing: "recorded as done, but an output is not there",
  outdated: "the output is there, but the finish check does not take it",
  unrecorded: "the output is there, but no run has recorded it",
  unsound: "--deep: the task's own check says no",
  failed: "the latest try failed",
  refused: "it cannot run",
  due: "--force asks for it again",
  undecided: "only the task's isExecuted() knows; --deep asks it",
  neverRun: "never run to its end",
} as const;

export type Finding = keyof typeof findings;

interface Example {
  readonly key: string;
  readonly says?: string;
}

export interface Counted {
  readonly count: number;
  /** The first of them. */
  readonly examples: readonly Example[];
}

const EXAMPLES = 3;

/** Counts items by what was found, and keeps the first few of each. */
export class Findings {
  readonly #counted = new Map<Finding, { count: number; examples: Example[] }>();
  total = 0;

  /** `says` is asked only for those that will be shown. */
  add(finding: Finding, key: string, says: () => string | undefined = () => undefined): void {
    this.total++;
    const counted = this.#counted.get(finding) ?? { count: 0, examples: [] };
    this.#counted.set(finding, counted);
    counted.count++;
    if (counted.examples.length >= EXAMPLES) return;
    const text = says();
    counted.examples.push({ key, ...(text === undefined ? {} : { says: text }) });
  }

  count(finding: Finding): number {
    return this.#counted.get(finding)?.count ?? 0;
  }

  /** In the order of the table, none left out. */
  all(): Record<Finding, Counted> {
    const names = Object.keys(findings) as Finding[];
    const entries = names.map((name) => [name, this.#counted.get(name) ?? { count: 0, examples: [] }] as const);
    return Object.fromEntries(entries) as unknown as Record<Finding, Counted>;
  }
}
