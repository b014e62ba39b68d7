import type { RunSettings } from "../../contracts/run-config.js";

/**
 * How a setting decides which items run:
 *
 * - `selects-by-key`: the key alone says whether an item is in, so a later run can tell which items were meant;
 * - `selects-by-order`: it changes the order of the items, and with `--limit` which of them come first;
 * - `counts`: it depends on what else was listed or recorded, so no rule can name the items afterwards;
 * - `no`: it selects nothing.
 */
type Selection = "selects-by-key" | "selects-by-order" | "counts" | "no";

/** Each setting says what it is; as a function where that depends on the value. */
export type SelectionTable<S> = {
  readonly [K in keyof S]: Selection | ((value: NonNullable<S[K]>) => Selection);
};

/** A setting that is missing here does not compile. */
export const selection = {
  dryRun: "no",
  limit: "counts",
  sample: (share) => ("percent" in share ? "selects-by-key" : "counts"),
  only: "selects-by-key",
  keys: "selects-by-key",
  shuffle: "selects-by-order",
  seed: "no",
  shard: "selects-by-key",
  force: "no",
  redo: "no",
  skipFailed: "no",
  retryFailed: "counts",
  retries: "no",
  backoff: "no",
  timeout: "no",
  maxFailures: "no",
  allowFailures: "no",
  stall: "no",
  grace: "no",
  rate: "no",
  runDir: "no",
  durable: "no",
  concurrency: "no",
  chunksize: "no",
} as const satisfies SelectionTable<RunSettings>;

type Name = keyof RunSettings;

/** Settings that may select by key. */
export type KeySelector = {
  [K in Name]: (typeof selection)[K] extends "selects-by-key" | ((value: never) => Selection) ? K : never;
}[Name];

/** Whether a setting is given at all: not absent, not off, not an empty list. */
const isGiven = (value: unknown): boolean =>
  value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0);

function selectionOf(name: Name, value: unknown): Selection {
  const is: Selection | ((value: never) => Selection) = selection[name];
  return typeof is === "function" ? is(value as never) : is;
}

/** The settings given in this run that select in one of these ways. */
export function givenSelectors(run: RunSettings, ...ways: readonly Selection[]): Name[] {
  return (Object.keys(selection) as Name[]).filter(
    (name) => isGiven(run[name]) && ways.includes(selectionOf(name, run[name])),
  );
}

/** The same settings without those that select in one of these ways. */
export function withoutSelectors(run: RunSettings, ...ways: readonly Selection[]): RunSettings {
  const absent = givenSelectors(run, ...ways).map((name) => [name, off[name as keyof typeof off]]);
  return { ...run, ...(Object.fromEntries(absent) as Partial<RunSettings>) };
}

type Selector = { [K in Name]: (typeof selection)[K] extends "no" ? never : K }[Name];

/** What a selector is where it is not given; of those not named here, `undefined`. */
const off: { readonly [K in Selector as undefined extends RunSettings[K] ? never : K]: RunSettings[K] } = {
  only: [],
  shuffle: false,
  retryFailed: false,
};
