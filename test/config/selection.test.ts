import { expect, test } from "vitest";
import type { RunSettings } from "../../src/contracts/run-config.js";
import {
  givenSelectors,
  type SelectionTable,
  selection,
  withoutSelectors,
} from "../../src/runner/prepare/selection.js";
import { resolveArgv } from "./helpers.js";

const settingsOf = async (flags: string): Promise<RunSettings> => (await resolveArgv(`task.ts T ${flags}`)).run;

test.each([
  ["", [], [], []],
  ["--limit 0", [], [], ["limit"]],
  ["--sample 1%", ["sample"], [], []],
  ["--sample 0%", ["sample"], [], []],
  ["--sample 0", [], [], ["sample"]],
  ["--only a --keys k --shard 0/2", ["only", "keys", "shard"], [], []],
  ["--shuffle --seed 3", [], ["shuffle"], []],
  ["--retry-failed", [], [], ["retryFailed"]],
  ["--skip-failed --force --redo code --dry-run --rate 1/s --durable", [], [], []],
])("%s: by key, by order, counting", async (flags, byKey, byOrder, counting) => {
  const run = await settingsOf(flags);
  expect(givenSelectors(run, "selects-by-key")).toEqual(byKey);
  expect(givenSelectors(run, "selects-by-order")).toEqual(byOrder);
  expect(givenSelectors(run, "counts")).toEqual(counting);
});

test("settings without selectors are those of a command that does not give them", async () => {
  const flags = "--retries 5 --skip-failed";
  const run = await settingsOf(`${flags} --only a --keys k --shard 0/2 --sample 1% --shuffle --limit 3 --retry-failed`);
  expect(withoutSelectors(run, "selects-by-key", "selects-by-order", "counts")).toEqual(await settingsOf(flags));
  expect(withoutSelectors(run, "counts")).toEqual({ ...run, limit: undefined, retryFailed: false });
});

test("keys given as a list are no keys without selectors", async () => {
  const run = { ...(await settingsOf("")), keys: ["a"] };
  expect(withoutSelectors(run, "selects-by-key").keys).toBeUndefined();
});

test("the table names every setting, and no other", async () => {
  expect(Object.keys(selection).sort()).toEqual(Object.keys(await settingsOf("")).sort());
});

// For `npm run typecheck`: a setting that has not said what it is does not compile.
const { limit: _, ...forgetful } = selection;
// @ts-expect-error Property 'limit' is missing
forgetful satisfies SelectionTable<RunSettings>;
// @ts-expect-error Property 'fresh' is missing
selection satisfies SelectionTable<RunSettings & { readonly fresh: boolean }>;
