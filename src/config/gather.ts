import { KagurazakaError } from "../base/errors.js";
import { stringifyJson } from "../base/exact-json.js";
import { didYouMean } from "../base/nearest.js";
import type { OptionSpec, OptionSpecs } from "../base/option-spec.js";
import { bySnakeName } from "./command-line.js";
import { type FlagOwners, knownFlags, readFlags, unknownFlag } from "./flags.js";
import type { Layers } from "./layers.js";
import type { RawInput } from "./raw-input.js";
import type { Report } from "./report.js";
import { runOptions, type ToolOption, toolOptions, writtenValue } from "./run-options.js";
import { declaredName, flagName, ignoredKeys, snakeName, spellings } from "./text/names.js";
import {
  type Branch,
  createBranch,
  isBranch,
  keyOriginOf,
  Leaf,
  List,
  originOf,
  type Tree,
  toPlain,
  treeFromCode,
  type ValueOrigin,
} from "./tree.js";
import { optionValue } from "./values.js";

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
  owners: FlagOwners,
  report: Report,
): Promise<Gathered> {
  const shared = await readTaskDefaults(owners, report);
  const known = knownFlags(owners);
  const rawArgs: string[] = [];
  for (const [name, tree] of input.base?.task ?? []) shared.set(name, tree);
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
  const words = rawArgs.length > 0 ? rawArgs : (input.base?.rawArgs ?? []);
  return { shared, task: input.task, backbone: input.backbone, rawArgs: words };
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
  tree instanceof Leaf ? (tree.text ?? String(tree.value)) : stringifyJson(toPlain(tree))!;

/** What references see: the file's values, with those that flags override. */
export function overlaid(section: Branch, flags: ReadonlyMap<string, Tree>): Branch {
  const merged = createBranch(originOf(section), Object.entries(section));
  const written = spellings(Object.keys(section));
  for (const [name, tree] of flags) merged[written.get(name) ?? name] = tree;
  return merged;
}

const ofTask: ValueOrigin = { kind: "task", text: "task" };

/**
 * The task's own defaults, by names in snake_case: of the run's settings and of the backbone's flags. A flag that only another
 * backbone has is ignored, so that `num_process` may stand there while the task runs on `inline`.
 */
async function readTaskDefaults(owners: FlagOwners, report: Report): Promise<Map<string, Tree>> {
  const trees = new Map<string, Tree>();
  const where = `static defaults of ${owners.taskName}`;
  const mistake = (code: "bad-value" | "unknown-flag", message: string, hint?: string): void =>
    report.refuse(code, message, { where, ...(hint === undefined ? {} : { hint }) });
  const defaults = owners.taskDefaults;
  if (defaults === undefined) return trees;
  if (typeof defaults !== "object" || defaults === null || Array.isArray(defaults)) {
    mistake("bad-value", "static defaults must be an object", "For example { num_process: 1, concurrency: 16 }.");
    return trees;
  }
  const spelled = new Map<string, string>();
  for (const [written, value] of Object.entries(defaults)) {
    if (value === undefined) continue;
    const name = snakeName(written);
    const twin = spelled.get(name);
    spelled.set(name, written);
    const found = findFlag(name, owners);
    if (twin !== undefined) {
      mistake("bad-value", `"${twin}" and "${written}" are two spellings of one flag; use one`);
    } else if (found) {
      try {
        trees.set(name, valueTree(found, value, report));
      } catch (error) {
        if (!KagurazakaError.is(error)) throw error;
        mistake("bad-value", error.message);
      }
    } else if (declaredName(owners.taskOptions, written) !== undefined) {
      mistake("bad-value", `"${written}" is an option of the task itself`, "Give that option a default.");
    } else if (declaredName(toolOptions, written) !== undefined) {
      mistake("bad-value", `${flagName(name)} can only be given when a run is started, not by the task`);
    } else {
      const others = (await owners.otherBackboneFlags?.()) ?? [];
      if (others.some((other) => snakeName(other) === name)) continue;
      const known = [...Object.keys(runOptions), ...Object.keys(owners.backboneOptions), ...others].map(snakeName);
      mistake("unknown-flag", `there is no flag "${written}".${didYouMean(name, known)}`);
    }
  }
  return trees;
}

function findFlag(written: string, { backboneOptions }: FlagOwners): [string, ToolOption] | undefined {
  for (const specs of [runOptions, backboneOptions] as readonly OptionSpecs[]) {
    const name = declaredName(specs, written);
    if (name !== undefined) return [name, specs[name]!];
  }
  return undefined;
}

/** Read here once, so that a bad value is the task's mistake even where a flag says something else. */
function valueTree([name, spec]: [string, ToolOption], value: unknown, report: Report): Tree {
  const tree = treeFromCode(writtenValue(spec, value), ofTask, [name]);
  optionValue(name, spec, tree, report);
  return tree;
}
