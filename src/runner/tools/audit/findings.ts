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

export interface Counted {
  readonly count: number;
  /** The first items. */
  readonly examples: readonly { readonly key: string; readonly says?: string }[];
}
