import type { OptionSpec } from "../base/option-spec.js";
import { bySnakeName } from "./command-line.js";
import { knownFlags, readFlags, unknownFlag } from "./flags.js";
import type { Layers } from "./layers.js";
import type { RawInput } from "./raw-input.js";
import type { Report } from "./report.js";
import { type DefaultsOwners, readTaskDefaults } from "./task-defaults.js";
import { ignoredKeys, snakeName, spellings } from "./text/names.js";
import { type Branch, createBranch, isBranch, keyOriginOf, Leaf, List, originOf, type Tree, toPlain } from "./tree.js";

interface Gathered {
  /** From the command line or a file, by names in snake_case: the owner that declares the name gets the value. */
  readonly shared: ReadonlyMap<string, Tree>;
  /** Given by code to one owner alone. */
  readonly task: ReadonlyMap<string, Tree>;
  readonly backbone: ReadonlyMap<string, Tree>;
  readonly rawArgs: readonly string[];
}

/** All flags, low to high: the task's defaults, the sections of --cfg, the command line or code. */
export async function gatherFlags(
  input: RawInput,
  layers: Layers,
  owners: DefaultsOwners,
  report: Report,
): Promise<Gathered> {
  const shared = await readTaskDefaults(owners, report);
  const known = knownFlags(owners);
  const rawArgs: string[] = [];
  const spelled = new Map<string, string>();
  for (const [key, tree] of Object.entries(layers.section)) {
    const name = snakeName(key);
    const where = keyOriginOf(tree);
    const twin = spelled.get(name);
    spelled.set(name, key);
    const flag = known.get(name);
    if (twin !== undefined) {
      report.refuse("config-file", `"${twin}" and "${key}" are two spellings of one flag; use one`, { where });
    } else if (!flag && owners.rawArgs) {
      rawArgs.push(...rawWords(key, tree));
    } else if (!flag && ignoredKeys.has(name)) {
      report.note(`${key} (${where}) has no meaning here and is ignored`);
    } else if (!flag) {
      report.mistake(unknownFlag(key, known, { where }));
    } else if (flag.spec.argvOnly) {
      report.refuse("config-file", `${key} can only be given on the command line`, { where });
    } else if (!notGiven(tree, flag.spec)) {
      shared.set(name, tree);
    }
  }
  if (input.line) {
    const second = readFlags(input.line, owners);
    for (const mistake of second.mistakes) report.mistake(mistake);
    for (const [name, tree] of second.flags) shared.set(name, tree);
    rawArgs.push(...second.rawArgs);
  } else {
    for (const [name, tree] of input.run) shared.set(name, tree);
    rawArgs.push(...input.rawArgs);
    for (const [own, specs, owner] of [
      [input.task, owners.taskOptions, owners.taskName],
      [input.backbone, owners.backboneOptions, owners.backboneName],
    ] as const) {
      const declared = new Map([...bySnakeName(specs)].map(([name, spec]) => [name, { spec, owner }]));
      for (const [name, tree] of own)
        if (!declared.has(name)) report.mistake(unknownFlag(name, declared, { where: originOf(tree).text }));
    }
  }
  for (const [name, tree] of input.forced ?? []) shared.set(name, tree);
  return { shared, task: input.task, backbone: input.backbone, rawArgs };
}

/** `false` says something where true is the default; anywhere else it means that the flag was not given. */
function notGiven(tree: Tree, spec: OptionSpec): boolean {
  if (!(tree instanceof Leaf)) return false;
  return tree.value === null || (tree.value === false && spec.type !== "boolean");
}

/** A key of a YAML section as the words a task that reads them raw would get. */
function rawWords(key: string, tree: Tree): string[] {
  const flag = `--${key}`;
  if (tree instanceof List) return [flag, ...tree.items.map((item) => wordOf(item))];
  if (isBranch(tree)) return [flag, wordOf(tree)];
  if (tree.value === true) return [flag];
  return tree.value === false || tree.value === null ? [] : [flag, wordOf(tree)];
}

const wordOf = (tree: Tree): string =>
  tree instanceof Leaf ? (tree.text ?? String(tree.value)) : JSON.stringify(toPlain(tree));

/** What references see: the file's values, with those that flags override. */
export function overlaid(section: Branch, flags: ReadonlyMap<string, Tree>): Branch {
  const merged = createBranch(originOf(section), Object.entries(section));
  const written = spellings(Object.keys(section));
  for (const [name, tree] of flags) merged[written.get(name) ?? name] = tree;
  return merged;
}
