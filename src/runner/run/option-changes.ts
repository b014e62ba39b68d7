import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ConfigEntry } from "../../contracts/run-config.js";

const SHOWN = 3;

/** What a task is given, as against where and how fast it runs: the parts of the configuration that results depend on. */
const meaning = ({ path }: { readonly path: string }): boolean =>
  /^(?:task|mixin)\./.test(path) && !/^mixin\.(?:hard_shard_mode|soft_shard)\b/.test(path);

/** Which options an earlier run had otherwise, in words; empty where its record does not tell. */
export function optionChanges(runsDir: string, run: string, now: readonly ConfigEntry[]): string {
  const before = readConfig(join(runsDir, run, "run.json"));
  if (!before) return "";
  const current = new Map(now.filter(meaning).map(({ path, value }) => [path, show(value)]));
  const earlier = new Map(
    [...before].filter(([path]) => meaning({ path })).map(([path, value]) => [path, show(value)]),
  );
  const changed = [...new Set([...earlier.keys(), ...current.keys()])].filter(
    (path) => earlier.get(path) !== current.get(path),
  );
  const words = changed
    .slice(0, SHOWN)
    .map((path) => `${path.replace(/^(?:task|mixin)\./, "")} was ${earlier.get(path) ?? "unset"}`);
  return [...words, ...(changed.length > SHOWN ? [`and ${changed.length - SHOWN} more`] : [])].join(", ");
}

function readConfig(path: string): Map<string, unknown> | undefined {
  try {
    const { config } = JSON.parse(readFileSync(path, "utf8")) as { config: Record<string, { value: unknown }> };
    return new Map(Object.entries(config).map(([name, { value }]) => [name, value]));
  } catch {
    return undefined;
  }
}

function show(value: unknown): string {
  const json = JSON.stringify(value) ?? String(value);
  return json.length > 40 ? `${json.slice(0, 37)}…` : json;
}
