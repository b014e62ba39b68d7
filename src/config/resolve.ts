import { KagurazakaError, MistakesError } from "../base/errors.js";
import type { OptionSpec, OptionSpecs } from "../base/option-spec.js";
import type { TemplateUse } from "../contracts/define.js";
import type { ConfigEntry, Json, ResolvedConfig, RunSettings } from "../contracts/index.js";
import { type HelpOwner, knownFlags, readFlags, unknownFlag } from "./command-line.js";
import { ignoredKeys } from "./ignored.js";
import { createInterpolator, type Interpolator } from "./interpolation.js";
import { type Layers, loadLayers, unusedKeys } from "./layers.js";
import { type MergedMixin, type ModeSource, mergeMixin, type Report } from "./mixin.js";
import { defaultOf, mixinEntries, reportPlaceholders, resolveMixin, treeEntries, treeValue } from "./mixin-values.js";
import { flagName, snakeName } from "./names.js";
import { parseOptionText } from "./option-values.js";
import { runOptions, type ToolOption, toolOptions, type UiSettings } from "./run-options.js";
import type { Said } from "./said.js";
import { maskEntry } from "./secrets.js";
import { type Branch, createBranch, isBranch, Leaf, List, placeOf, type Tree, toPlain } from "./tree.js";

/** Who declares what. Known once task and backbone are loaded. */
export interface ConfigOwners extends ModeSource {
  readonly backboneName: string;
  readonly backboneOptions: OptionSpecs;
  readonly taskName: string;
  readonly taskOptions: OptionSpecs;
  /** The task says `static rawArgs = true`. */
  readonly rawArgs?: boolean;
  readonly template?: TemplateUse | undefined;
  /** Absolute path of the task file. */
  readonly scriptPath?: string | undefined;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** A run's configuration, and what only the command line program needs. */
export interface Resolved extends ResolvedConfig {
  readonly ui: UiSettings;
}

/** What is needed before owners are loaded. */
export interface Peek {
  /** A path or `@name`. */
  readonly taskFile: string | undefined;
  readonly exportName: string | undefined;
  readonly backbone: string;
  readonly help: HelpOwner | undefined;
  readonly version: boolean;
  /** From the command line alone; enough to report errors in the right form. */
  readonly ui: UiSettings;
  readonly notes: readonly string[];
}

/** @throws the mistakes of the configuration files, when the name of the backbone may hang on them */
export async function peekConfig(
  said: Said,
  { cwd = process.cwd(), env = process.env }: Pick<ConfigOwners, "cwd" | "env"> = {},
): Promise<Peek> {
  const notes: string[] = [];
  const report: Report = { mistake: () => {}, note: (text) => void notes.push(text) };
  const layers = await loadLayers(said, cwd);
  const wantsHelp = said.line?.help !== undefined || said.line?.version === true;
  if (!wantsHelp) MistakesError.throwIfAny([...said.mistakes, ...layers.mistakes]);
  const tree = said.run.get("backbone") ?? findKey(layers.section, "backbone");
  const interpolator = createInterpolator({
    root: layers.cfg,
    scriptPath: undefined,
    configPath: layers.configPath,
    env,
  });
  const name = tree instanceof Leaf ? interpolator.resolve(tree, ["task", "backbone"]) : undefined;
  const ui: Record<string, unknown> = {};
  for (const option of uiNames) {
    try {
      ui[option] = optionValue(option, toolOptions[option]!, said.run.get(snakeName(option)), report);
    } catch {
      // The second pass reports it; until then the default has to do.
      ui[option] = toolOptions[option]!.default;
    }
  }
  return {
    taskFile: said.line?.taskFile,
    exportName: said.line?.exportName,
    backbone: name instanceof Leaf && typeof name.value === "string" ? name.value : "auto",
    help: said.line?.help,
    version: said.line?.version ?? false,
    ui: ui as unknown as UiSettings,
    notes,
  };
}

const uiNames = ["json", "progress", "logFormat", "showConfig", "debugItem"] as const;

const findKey = (branch: Branch, name: string): Tree | undefined =>
  Object.entries(branch).find(([key]) => snakeName(key) === name)?.[1];

/**
 * The one door: all layers, checked and merged; defaults < decorator < --cfg < --mixin-cfg < --mixin and flags.
 * @throws MistakesError with everything that is wrong (or the one mistake alone); nothing was written
 */
export async function resolveConfig(said: Said, owners: ConfigOwners): Promise<Resolved> {
  const { cwd = process.cwd(), env = process.env } = owners;
  const mistakes: KagurazakaError[] = [...said.mistakes];
  const notes = new Set<string>();
  const report: Report = {
    mistake: (error) => {
      if (!KagurazakaError.is(error)) throw error;
      mistakes.push(...(error instanceof MistakesError ? error.mistakes : [error]));
    },
    note: (text) => void notes.add(text),
  };
  const layers = await loadLayers(said, cwd);
  mistakes.push(...layers.mistakes, ...collisions(owners));
  const flags = gatherFlags(said, layers, owners, report);
  const merged = await mergeTemplate(owners, layers, report);
  const root = createBranch(placeOf(layers.cfg), Object.entries(layers.cfg));
  root.task = root.backbone = overlaid(layers.section, flags.shared);
  root.mixin = merged?.tree ?? createBranch(placeOf(layers.cfg));
  const interpolator = createInterpolator({ root, scriptPath: owners.scriptPath, configPath: layers.configPath, env });

  const entries: ConfigEntry[] = [];
  const section = (
    path: string,
    specs: Readonly<Record<string, OptionSpec>>,
    own: ReadonlyMap<string, Tree>,
  ): Record<string, unknown> => readSection({ path, specs, own, shared: flags.shared, interpolator, report, entries });
  const run = section("run", runOptions, new Map()) as unknown as RunSettings;
  const ui = section("ui", pick(toolOptions, uiNames), new Map()) as unknown as UiSettings;
  const { backbone } = section("run", pick(toolOptions, ["backbone"]), new Map());
  const backboneOptions = section("backbone", owners.backboneOptions, flags.backbone);
  const task = section("task", owners.taskOptions, flags.task);
  const template = merged ? resolveMixin(merged, interpolator, report) : null;
  if (merged) entries.push(...mixinEntries(merged));
  mistakes.push(...unusedKeys(layers));
  MistakesError.throwIfAny(distinct(mistakes));
  return {
    run,
    ui,
    backbone: { name: owners.backboneName === "" ? String(backbone) : owners.backboneName, options: backboneOptions },
    task: { task: task as Record<string, Json | undefined>, template, rawArgs: flags.rawArgs },
    entries: entries.map(maskEntry),
    notes: [...notes],
  };
}

/** The template's values after all layers, before references are followed: what help shows. Mistakes are left to `resolveConfig`. */
export async function previewMixin(said: Said, owners: ConfigOwners): Promise<MergedMixin | undefined> {
  const layers = await loadLayers(said, owners.cwd ?? process.cwd());
  return mergeTemplate(owners, layers, { mistake: () => {}, note: () => {} });
}

async function mergeTemplate(owners: ConfigOwners, layers: Layers, report: Report): Promise<MergedMixin | undefined> {
  if (owners.template) return mergeMixin(owners.template, layers.mixins, owners, report);
  const said = layers.mixins.flatMap((layer) => Object.values(layer))[0];
  if (said) {
    report.mistake(
      new KagurazakaError("mixin", `the task ${owners.taskName} has no template, so a mixin has nothing to change`, {
        where: placeOf(said).text,
      }),
    );
  }
  return undefined;
}

interface Gathered {
  /** Said on the command line or in a file, by the one spelling: whoever declares the name gets it. */
  readonly shared: ReadonlyMap<string, Tree>;
  /** Said by code to one owner alone. */
  readonly task: ReadonlyMap<string, Tree>;
  readonly backbone: ReadonlyMap<string, Tree>;
  readonly rawArgs: readonly string[];
}

function gatherFlags(said: Said, layers: Layers, owners: ConfigOwners, report: Report): Gathered {
  const flagOwners = { ...owners, rawArgs: owners.rawArgs === true };
  const known = knownFlags(flagOwners);
  const shared = new Map<string, Tree>();
  const rawArgs: string[] = [];
  const spelled = new Map<string, string>();
  for (const [key, tree] of Object.entries(layers.section)) {
    const name = snakeName(key);
    const where = placeOf(tree).atKey ?? placeOf(tree).text;
    const twin = spelled.get(name);
    spelled.set(name, key);
    const flag = known.get(name);
    if (twin !== undefined) {
      report.mistake(
        new KagurazakaError("config-file", `"${twin}" and "${key}" are two spellings of one flag; use one`, { where }),
      );
    } else if (!flag && owners.rawArgs === true) {
      rawArgs.push(...rawWords(key, tree));
    } else if (!flag && ignoredKeys.has(name)) {
      report.note(`${key} (${where}) has no meaning here and is ignored`);
    } else if (!flag) {
      report.mistake(unknownFlag(key, known, where));
    } else if ((flag.spec as ToolOption).argvOnly) {
      report.mistake(new KagurazakaError("config-file", `${key} can only be said on the command line`, { where }));
    } else if (!notGiven(tree, flag.spec)) {
      shared.set(name, tree);
    }
  }
  if (said.line) {
    const second = readFlags(said.line, flagOwners);
    for (const mistake of second.mistakes) report.mistake(mistake);
    for (const [name, tree] of second.flags) shared.set(name, tree);
    rawArgs.push(...second.rawArgs);
  } else {
    for (const [name, tree] of said.run) shared.set(name, tree);
    rawArgs.push(...said.rawArgs);
    for (const [own, specs, owner] of [
      [said.task, owners.taskOptions, owners.taskName],
      [said.backbone, owners.backboneOptions, owners.backboneName],
    ] as const) {
      const declared = new Map(Object.entries(specs).map(([name, spec]) => [snakeName(name), { spec, owner }]));
      for (const [name, tree] of own)
        if (!declared.has(name)) report.mistake(unknownFlag(name, declared, placeOf(tree).text));
    }
  }
  return { shared, task: said.task, backbone: said.backbone, rawArgs };
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

/** What references see: the file's values under what flags say instead. */
function overlaid(section: Branch, flags: ReadonlyMap<string, Tree>): Branch {
  const merged = createBranch(placeOf(section), Object.entries(section));
  for (const [name, tree] of flags) {
    const key = Object.keys(section).find((said) => snakeName(said) === name) ?? name;
    merged[key] = tree;
  }
  return merged;
}

/** A task or backbone that takes one of our own names would never see its value. */
function collisions(owners: ConfigOwners): KagurazakaError[] {
  const ours = new Map(Object.keys(toolOptions).map((name) => [snakeName(name), name]));
  const check = (specs: OptionSpecs, owner: string): KagurazakaError[] =>
    Object.keys(specs)
      .filter((name) => ours.has(snakeName(name)))
      .map(
        (name) =>
          new KagurazakaError(
            "usage",
            `${owner} declares the option "${name}", but ${flagName(ours.get(snakeName(name))!)} is a flag of kagurazaka`,
            { hint: "Give the option another name." },
          ),
      );
  return [
    ...check(owners.taskOptions, `the task ${owners.taskName}`),
    ...check(owners.backboneOptions, `the backbone ${owners.backboneName}`),
  ];
}

interface Section {
  readonly path: string;
  readonly specs: Readonly<Record<string, OptionSpec>>;
  readonly own: ReadonlyMap<string, Tree>;
  readonly shared: ReadonlyMap<string, Tree>;
  readonly interpolator: Interpolator;
  readonly report: Report;
  readonly entries: ConfigEntry[];
}

function readSection({ path, specs, own, shared, interpolator, report, entries }: Section): Record<string, unknown> {
  const values = Object.create(null) as Record<string, unknown>;
  for (const [name, spec] of Object.entries(specs)) {
    const snake = snakeName(name);
    const tree = own.get(snake) ?? shared.get(snake);
    if (tree) entries.push(...treeEntries(tree, `${path}.${snake}`));
    else if (spec.default !== undefined)
      entries.push({ path: `${path}.${snake}`, value: spec.default, origin: { kind: "default", text: "default" } });
    try {
      if (tree && placeOf(tree).kind === "file" && reportPlaceholders(tree, ["task", snake], report)) continue;
      const resolved = tree && placeOf(tree).kind === "file" ? interpolator.resolve(tree, ["task", snake]) : tree;
      values[name] = optionValue(name, spec, resolved, report);
    } catch (error) {
      report.mistake(error);
    }
  }
  return values;
}

/** The typed value of a flag, wherever it was said; `undefined` where nobody said anything and there is no default. */
function optionValue(name: string, spec: OptionSpec, tree: Tree | undefined, report: Report): unknown {
  const shown = snakeName(name);
  if (tree === undefined) {
    if (spec.required)
      throw new KagurazakaError("bad-value", `${shown} is required`, {
        where: "command line",
        hint: `Say ${flagName(name)} …`,
      });
    const written = typeof spec.default === "string" && Object.hasOwn(toolOptions, name) && spec.parse;
    return written ? spec.parse!(spec.default as string) : defaultOf(spec, name);
  }
  const place = placeOf(tree);
  const only = tree instanceof List && place.kind === "flag" && tree.items.length === 1 ? tree.items[0]! : tree;
  // A text in a file reads as it would on a command line, except that YAML has types of its own for JSON.
  const asFlag = place.kind === "flag" || (place.kind === "file" && spec.type !== "json");
  if (asFlag && only instanceof Leaf && typeof only.value === "string") {
    const note = (text: string): void => report.note(text);
    return parseOptionText(shown, spec, only.value, place.text, {
      note,
      ...(only.expression === undefined ? {} : { shown: only.expression }),
    });
  }
  return treeValue(shown, spec, tree, report);
}

const pick = (specs: Readonly<Record<string, ToolOption>>, names: readonly string[]): Record<string, ToolOption> =>
  Object.fromEntries(names.map((name) => [name, specs[name]!]));

/** One cause can be met twice: a placeholder that two others refer to. */
function distinct(mistakes: readonly KagurazakaError[]): KagurazakaError[] {
  const seen = new Set<string>();
  return mistakes.filter((mistake) => {
    const id = `${mistake.code}\0${mistake.message}\0${mistake.where ?? ""}`;
    return seen.has(id) ? false : seen.add(id) !== undefined;
  });
}
