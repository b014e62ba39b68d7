import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ConfigEntry } from "../../contracts/run-config.js";

const SHOWN = 3;

/** What a run was told, as far as results depend on it. */
interface Options {
  readonly config: readonly ConfigEntry[];
  readonly wordsHash: string;
}

/** What a task is given, as against where and how fast it runs: the parts of the configuration that results depend on. */
const meaning = ({ path }: { readonly path: string }): boolean =>
  /^(?:task|mixin)\./.test(path) && !/^mixin\.(?:hard_shard_mode|soft_shard)\b/.test(path);

/** Which options an earlier run had otherwise, in words; empty where its record does not tell. */
export function optionChanges(runsDir: string, run: string, now: Options): string {
  const before = readOptions(join(runsDir, run, "run.json"));
  if (!before) return "";
  const current = new Map(now.config.filter(meaning).map(({ path, value }) => [path, show(value)]));
  const earlier = new Map(
    [...before.config].filter(([path]) => meaning({ path })).map(([path, value]) => [path, show(value)]),
  );
  const changed = [...new Set([...earlier.keys(), ...current.keys()])].filter(
    (path) => earlier.get(path) !== current.get(path),
  );
  const words = changed
    .slice(0, SHOWN)
    .map((path) => `${path.replace(/^(?:task|mixin)\./, "")} was ${earlier.get(path) ?? "unset"}`);
  if (before.wordsHash !== undefined && before.wordsHash !== now.wordsHash)
    words.unshift("the words after -- were others");
  return [...words, ...(changed.length > SHOWN ? [`and ${changed.length - SHOWN} more`] : [])].join(", ");
}

function readOptions(path: string): { config: Map<string, unknown>; wordsHash: string | undefined } | undefined {
  try {
    const { config, wordsHash } = JSON.parse(readFileSync(path, "utf8")) as RunJson;
    return { config: new Map(Object.entries(config).map(([name, { value }]) => [name, value])), wordsHash };
  } catch {
    return undefined;
  }
}

interface RunJson {
  readonly config: Readonly<Record<string, { readonly value: unknown }>>;
  readonly wordsHash?: string;
}

function show(value: unknown): string {
  const json = JSON.stringify(value) ?? String(value);
  return json.length > 40 ? `${json.slice(0, 37)}…` : json;
}
