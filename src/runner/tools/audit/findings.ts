/** The findings of an audit, with their descriptions. Each listed item has exactly one. */
export const findings = {
  finished: "",
  filtered: "the task had nothing to do",
  missing: "recorded as done, but an output does not exist",
  outdated: "the output exists, but the finish check does not accept it",
  unrecorded: "the output exists, but no run has recorded it",
  unsound: "--deep: the task's own check rejects it",
  failed: "the last attempt failed",
  refused: "it cannot run",
  due: "--force asks for it again",
  undecided: "only the task's isExecuted() knows; --deep asks it",
  neverRun: "no run has finished it",
} as const;

export type Finding = keyof typeof findings;

export interface Example {
  readonly key: string;
  readonly says?: string;
}

export interface Counted {
  readonly count: number;
  /** The first items. */
  readonly examples: readonly Example[];
}

const EXAMPLES = 3;

/** Counts items by finding, and keeps the first few of each as examples. */
export class Findings {
  readonly #counted = new Map<Finding, { count: number; examples: Example[] }>();
  total = 0;

  /** @param says explains the finding; called only for examples */
  add(finding: Finding, key: string, says: () => string | undefined = () => undefined): void {
    this.total++;
    const counted = this.#counted.get(finding) ?? { count: 0, examples: [] };
    this.#counted.set(finding, counted);
    counted.count++;
    if (counted.examples.length >= EXAMPLES) return;
    const text = says();
    counted.examples.push({ key, ...(text === undefined ? {} : { says: text }) });
  }

  /** All findings, in the order of the table. */
  all(): Record<Finding, Counted> {
    const names = Object.keys(findings) as Finding[];
    const entries = names.map((name) => [name, this.#counted.get(name) ?? { count: 0, examples: [] }] as const);
    return Object.fromEntries(entries) as unknown as Record<Finding, Counted>;
  }
}
