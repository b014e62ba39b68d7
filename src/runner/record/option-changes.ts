import { join } from "node:path";
import { readOwn } from "../../base/own-file.js";
import type { ConfigEntry } from "../../contracts/run-config.js";

const SHOWN = 3;

interface Options {
  readonly config: readonly Pick<ConfigEntry, "path" | "value">[];
  /** Hash of the raw words; undefined: unknown. */
  readonly wordsHash: string | undefined;
}

/** The options that an earlier run had otherwise, as text; empty where its record cannot be read. */
export function optionChanges(runsDir: string, run: string, now: Options): string {
  const before = readOptions(join(runsDir, run, "run.json"));
  if (!before) return "";
  const [earlier, current] = [meaningOf(before), meaningOf(now)];
  const changed = [...new Set([...earlier.keys(), ...current.keys()])].filter(
    (path) => earlier.get(path) !== current.get(path),
  );
  const changes = changed
    .slice(0, SHOWN)
    .map((path) => `${path.replace(/^(?:task|mixin)\./, "")} was ${earlier.get(path) ?? "unset"}`);
  if (before.wordsHash !== undefined && before.wordsHash !== now.wordsHash)
    changes.unshift("the words after -- were different");
  return [...changes, ...(changed.length > SHOWN ? [`and ${changed.length - SHOWN} more`] : [])].join(", ");
}

/** Path → value of the entries that results depend on: not of roots, shards and speed. */
function meaningOf({ config }: Options): ReadonlyMap<string, string> {
  const entries = config.filter(
    ({ path }) => /^(?:task|mixin)\./.test(path) && !/^mixin\.(?:hard_shard_mode|soft_shard)\b/.test(path),
  );
  return new Map(entries.map(({ path, value }) => [path, show(value)]));
}

/** The task file of an earlier run; undefined where its record cannot be read. */
export function sourceOf(runsDir: string, run: string): string | undefined {
  try {
    const { source } = JSON.parse(readOwn(join(runsDir, run, "run.json"))) as {
      readonly source?: unknown;
    };
    return typeof source === "string" ? source : undefined;
  } catch {
    return undefined;
  }
}

function readOptions(file: string): Options | undefined {
  try {
    const { config, wordsHash } = JSON.parse(readOwn(file)) as {
      readonly config: Readonly<Record<string, { readonly value: unknown }>>;
      readonly wordsHash?: string;
    };
    return { config: Object.entries(config).map(([path, { value }]) => ({ path, value })), wordsHash };
  } catch {
    return undefined;
  }
}

function show(value: unknown): string {
  const json = JSON.stringify(value) ?? String(value);
  return json.length > 40 ? `${json.slice(0, 37)}…` : json;
}
