import { type KagurazakaError, MistakesError } from "../base/errors.js";
import type { OptionSpecs } from "../base/option-spec.js";
import type { BackboneOptions, ConfigEntry, Json, ResolvedConfig, RunSettings } from "../contracts/index.js";
import type { CommandLine } from "./command-line.js";
import type { FlagOwners } from "./flags.js";
import { gatherFlags, overlaid } from "./gather.js";
import { createInterpolator } from "./interpolation.js";
import { type Layers, loadLayers, mixinsOf, unusedKeys } from "./layers.js";
import { type MergedMixin, type ModeSource, mergeMixin } from "./mixin.js";
import type { RawInput } from "./raw-input.js";
import { Report } from "./report.js";
import { runOptions, type ToolOption, toolOptions, type UiSettings, uiNames } from "./run-options.js";
import { maskEntry } from "./secrets.js";
import { fittingShorts, givenShorts, shortsWithoutTemplate, withShorts } from "./short-flags.js";
import { declaredName, flagName, snakeName, spellings } from "./text/names.js";
import { createBranch, Leaf, originOf, type Tree } from "./tree.js";
import { mixinEntries, optionValue, readSection, resolveMixin } from "./values.js";
import { writtenConfig } from "./written.js";

/** The declarations of task and backbone, once both are loaded. */
export interface ConfigOwners extends FlagOwners, ModeSource {
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
export interface Peek extends Pick<CommandLine, "taskFile" | "exportName" | "help" | "version"> {
  readonly backbone: string;
  /** From the command line alone; enough to report errors in the right form. */
  readonly ui: UiSettings;
}

/** @throws the mistakes of the configuration files, when the name of the backbone may hang on them */
export async function peekConfig(
  input: RawInput,
  { cwd = process.cwd(), env = process.env }: Pick<ConfigOwners, "cwd" | "env"> = {},
): Promise<Peek> {
  const report = new Report();
  const layers = await loadLayers(input, cwd);
  const wantsHelp = input.line?.help !== undefined || input.line?.version === true;
  if (!wantsHelp) MistakesError.throwIfAny(layers.mistakes);
  const inSection = spellings(Object.keys(layers.section)).get("backbone");
  const tree = input.run.get("backbone") ?? (inSection === undefined ? undefined : layers.section[inSection]);
  const { cfg: root, configPath } = layers;
  const interpolator = createInterpolator({ root, scriptPath: undefined, configPath, env });
  const name = tree instanceof Leaf ? interpolator.resolve(tree, ["task", "backbone"]) : undefined;
  const ui: Record<string, unknown> = {};
  for (const option of uiNames) {
    try {
      ui[option] = optionValue(option, toolOptions[option]!, input.run.get(snakeName(option)), report);
    } catch {
      // The second pass reports it; until then the default has to do.
      ui[option] = toolOptions[option]!.default;
    }
  }
  return {
    taskFile: input.line?.taskFile,
    exportName: input.line?.exportName,
    backbone: name instanceof Leaf && typeof name.value === "string" ? name.value : "auto",
    help: input.line?.help,
    version: input.line?.version ?? false,
    ui: ui as unknown as UiSettings,
  };
}

/**
 * All layers, checked and merged; defaults < decorator and task < --cfg < --mixin-cfg < --mixin and flags.
 * @throws MistakesError with everything that is wrong (or the one mistake alone); nothing was written
 */
export async function resolveConfig(input: RawInput, owners: ConfigOwners): Promise<Resolved> {
  const { cwd = process.cwd(), env = process.env } = owners;
  const layers = await loadLayers(input, cwd);
  const report = new Report();
  for (const mistake of [...input.mistakes, ...layers.mistakes]) report.mistake(mistake);
  refuseCollisions(owners, report);
  const flags = await gatherFlags(input, layers, owners, report);
  const merged = await mergeTemplate(owners, layers, flags.shared, report);
  const root = createBranch(originOf(layers.cfg), Object.entries(layers.cfg));
  root.task = root.backbone = overlaid(layers.section, flags.shared);
  root.mixin = merged?.tree ?? createBranch(originOf(layers.cfg));
  const scope = { root, scriptPath: owners.scriptPath, configPath: layers.configPath, env };
  const interpolator = createInterpolator(scope);

  const entries: ConfigEntry[] = [];
  const section = (path: string, specs: OptionSpecs, own?: ReadonlyMap<string, Tree>): Record<string, unknown> =>
    readSection({ path, specs, own, shared: flags.shared, interpolator, report, entries });
  const run = section("run", runOptions) as unknown as RunSettings;
  const ui = section("ui", pick(toolOptions, uiNames)) as unknown as UiSettings;
  const { backbone } = section("run", pick(toolOptions, ["backbone"]));
  const backboneOptions = section("backbone", owners.backboneOptions, flags.backbone);
  const task = section("task", owners.taskOptions, flags.task);
  const template = merged ? resolveMixin(merged, interpolator, report) : null;
  if (merged) entries.push(...mixinEntries(merged));
  for (const mistake of unusedKeys(layers)) report.mistake(mistake);
  MistakesError.throwIfAny(distinct(report.mistakes));
  return {
    run,
    ui,
    backbone: { name: owners.backboneName === "" ? String(backbone) : owners.backboneName, options: backboneOptions },
    task: { task: task as Record<string, Json | undefined>, template, rawArgs: flags.rawArgs },
    entries: entries.map(maskEntry),
    notes: [...report.notes],
    written() {
      const own = new Map([...flags.shared, ...flags.task]);
      const keeping = createInterpolator({ ...scope, keepsMachine: true });
      const { rawArgs } = flags;
      return writtenConfig({ specs: owners.taskOptions, options: own, mixin: merged, rawArgs, interpolator: keeping });
    },
  };
}

/**
 * The backbone's options alone, without those of the task: a node gets the rest from each run.
 * @throws MistakesError with everything that is wrong with any flag
 */
export async function resolveBackbone(input: RawInput, owners: ConfigOwners): Promise<BackboneOptions> {
  const { cwd = process.cwd(), env = process.env } = owners;
  const layers = await loadLayers(input, cwd);
  const report = new Report();
  for (const mistake of [...input.mistakes, ...layers.mistakes]) report.mistake(mistake);
  const { shared, backbone: own } = await gatherFlags(input, layers, owners, report);
  const root = createBranch(originOf(layers.cfg), Object.entries(layers.cfg));
  root.task = root.backbone = overlaid(layers.section, shared);
  const interpolator = createInterpolator({ root, scriptPath: owners.scriptPath, configPath: layers.configPath, env });
  const specs = owners.backboneOptions;
  const options = readSection({ path: "backbone", specs, own, shared, interpolator, report, entries: [] });
  MistakesError.throwIfAny(distinct(report.mistakes));
  return options;
}

/** The template's values after all layers, before references are followed: what help shows. Mistakes are left to `resolveConfig`. */
export async function previewMixin(input: RawInput, owners: ConfigOwners): Promise<MergedMixin | undefined> {
  const layers = await loadLayers(input, owners.cwd ?? process.cwd());
  return mergeTemplate(owners, layers, input.run, new Report());
}

async function mergeTemplate(
  owners: ConfigOwners,
  layers: Layers,
  flags: ReadonlyMap<string, Tree>,
  report: Report,
): Promise<MergedMixin | undefined> {
  const { template, taskName } = owners;
  const mixins = mixinsOf(layers);
  const shorts = givenShorts(flags, (name) =>
    [owners.taskOptions, owners.backboneOptions].some((specs) => declaredName(specs, name) !== undefined),
  );
  if (template && shorts.size === 0) return mergeMixin(template, mixins, owners, report);
  if (template) {
    const fitting = fittingShorts(shorts, await mergeMixin(template, mixins, owners, new Report()), report);
    return mergeMixin(template, withShorts(fitting, layers, report), owners, report);
  }
  shortsWithoutTemplate(shorts, taskName, report);
  const given = mixins.flatMap((layer) => Object.values(layer))[0];
  if (given) {
    report.refuse("mixin", `the task ${taskName} has no template, so a mixin has nothing to change`, {
      where: originOf(given).text,
    });
  }
  return undefined;
}

/** A task or backbone that takes one of our own names would never see its value. */
function refuseCollisions(owners: ConfigOwners, report: Report): void {
  const check = (specs: OptionSpecs, owner: string): void => {
    for (const name of Object.keys(specs)) {
      const ours = declaredName(toolOptions, name);
      if (ours === undefined) continue;
      const message = `${owner} declares the option "${name}", but ${flagName(ours)} is a flag of kagurazaka`;
      report.refuse("usage", message, { hint: "Give the option another name." });
    }
  };
  check(owners.taskOptions, `the task ${owners.taskName}`);
  check(owners.backboneOptions, `the backbone ${owners.backboneName}`);
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
