import { didYouMean } from "../base/nearest.js";
import { modeDefinitionOf, type TemplateUse } from "../contracts/define.js";
import { type ModeDefinition, templateModeFields } from "../contracts/modes.js";
import { PLACEHOLDER } from "./interpolation.js";
import { mergeBranches, mergeModes, useOf } from "./mixin/merge.js";
import type { Report } from "./report.js";
import { ignoredKeys, snakeName, spellings } from "./text/names.js";
import {
  type Branch,
  createBranch,
  isBranch,
  isNull,
  keyOriginOf,
  Leaf,
  originOf,
  referredKey,
  type Tree,
  treeFromCode,
} from "./tree.js";

export interface ModeSource {
  loadMode(name: string): Promise<ModeDefinition | undefined>;
  readonly modeNames: readonly string[];
}

export interface MergedField {
  /** Declared name: `hardShardMode`. */
  readonly field: string;
  /** A mapping with declared keys and `use`, or a single `null` or `???`. */
  readonly tree: Tree;
  /** Absent where the field is no mode, is off, or its mode is not known. */
  readonly definition: ModeDefinition | undefined;
}

export interface MergedMixin {
  readonly fields: readonly MergedField[];
  /** The same as one tree, for interpolation. */
  readonly tree: Branch;
}

const modeKinds: Readonly<Record<string, string>> = templateModeFields;
/** Where only one mode exists, its name may be left out. */
const onlyMode: Readonly<Record<string, string>> = { softShard: "SoftShard" };

/**
 * Merges layers (low → high) over what the decorator says.
 * Mapping onto mapping merges by key; another `use` replaces the mode; `null` turns it off; anything else replaces.
 */
export async function mergeMixin(
  template: TemplateUse,
  layers: readonly Branch[],
  modes: ModeSource,
  report: Report,
): Promise<MergedMixin> {
  const declared = new Set([...Object.keys(modeKinds), ...Object.keys(template.spec)]);
  const decorator = { kind: "decorator", text: `@${template.name}` } as const;
  const fields = new Map<string, MergedField>();
  for (const [field, data] of Object.entries(template.spec)) {
    if (data === undefined) continue;
    try {
      const tree = treeFromCode(data, decorator, [field]);
      const merged = await over(undefined, { field, tree, modes, report, written: modeDefinitionOf(data) });
      if (merged) fields.set(field, merged);
    } catch (error) {
      report.mistake(error);
    }
  }
  for (const layer of layers) {
    const given = Object.entries(layer);
    if (!template.mixinMode && given.length > 0) {
      const [key, tree] = given[0]!;
      report.refuse("mixin", `this task says mixinMode: false, so its ${key} cannot be configured`, {
        where: keyOriginOf(tree),
      });
      continue;
    }
    for (const [field, tree] of declaredKeys(layer, declared, `the template ${template.name}`, report)) {
      const merged = await over(fields.get(field), { field, tree, modes, report });
      if (merged) fields.set(field, merged);
    }
  }
  const all = withoutUnreadRoot([...fields.values()]);
  const tree = createBranch(
    decorator,
    all.map((one) => [one.field, one.tree]),
  );
  return { fields: all, tree };
}

/** An input root that the task leaves to configuration need not be named where the input mode reads nothing below it. */
function withoutUnreadRoot(fields: readonly MergedField[]): MergedField[] {
  const input = fields.find(({ field }) => field === "inputMode")?.definition;
  const reads = !(input && "readsInputRoot" in input) || input.readsInputRoot;
  return fields.map((one) => {
    const root = isBranch(one.tree) && one.field === "hardShardMode" ? one.tree.inputPath : undefined;
    if (reads || !root || !isPlaceholder(root) || originOf(root).kind !== "decorator") return one;
    const here = new Leaf(".", { kind: "default", text: "default" });
    return { ...one, tree: createBranch(originOf(one.tree), [...Object.entries(one.tree), ["inputPath", here]]) };
  });
}

interface Upper {
  readonly field: string;
  readonly tree: Tree;
  readonly modes: ModeSource;
  readonly report: Report;
  /** The definition that came with the value, for modes no registry knows. */
  readonly written?: ModeDefinition | undefined;
}

async function over(lower: MergedField | undefined, upper: Upper): Promise<MergedField | undefined> {
  const { field, tree, report } = upper;
  const kind = Object.hasOwn(modeKinds, field) ? modeKinds[field] : undefined;
  if (kind === undefined && !upper.written && useOf(tree) === undefined) {
    const below = lower?.tree;
    const both = isBranch(below) && isBranch(tree) ? mergeBranches(below, tree) : tree;
    return { field, tree: both, definition: undefined };
  }
  if (isNull(tree) || isPlaceholder(tree)) return { field, tree, definition: undefined };
  if (!isBranch(tree)) {
    const where = originOf(tree).text;
    return void report.refuse("mixin", `${snakeName(field)} must be a mapping like {use: …}, or null`, { where });
  }
  const before = lower && isBranch(lower.tree) ? lower : undefined;
  const use = useOf(tree) ?? useOf(before?.tree) ?? (Object.hasOwn(onlyMode, field) ? onlyMode[field] : undefined);
  if (use === undefined) {
    const where = keyOriginOf(tree);
    return void report.refuse("mixin", `${snakeName(field)} does not say which mode: add use`, { where });
  }
  if (use === PLACEHOLDER) return { field, tree, definition: undefined };
  const definition = await definitionOf(use, before?.definition, upper);
  if (!definition) return undefined;
  if (kind !== undefined && definition.kind !== kind) {
    const message = `${use} is a mode of kind ${definition.kind}; ${snakeName(field)} takes one of kind ${kind}`;
    return void report.refuse("mixin", message, { where: originOf(tree.use ?? tree).text });
  }
  const keys = declaredKeys(tree, new Set(["use", ...Object.keys(definition.fields)]), use, report);
  const given = createBranch(originOf(tree), keys);
  if (useOf(given) === undefined && !before) given.use = new Leaf(use, originOf(tree));
  return { field, definition, tree: before ? mergeModes(before.tree as Branch, given) : given };
}

async function definitionOf(
  use: string,
  before: ModeDefinition | undefined,
  { tree, modes, report, written }: Upper,
): Promise<ModeDefinition | undefined> {
  for (const known of [written, before]) if (known?.name === use) return known;
  const loaded = await modes.loadMode(use);
  if (loaded) return loaded;
  const where = originOf((tree as Branch).use ?? tree).text;
  const hint = `known modes: ${[...modes.modeNames].sort().join(", ")}`;
  report.refuse("mixin", `there is no mode "${use}".${didYouMean(use, modes.modeNames)}`, { where, hint });
  return undefined;
}

/** Entries under their declared names; unknown names and two spellings of one name are mistakes. */
function declaredKeys(branch: Branch, declared: ReadonlySet<string>, owner: string, report: Report): [string, Tree][] {
  const names = spellings(declared);
  const found = new Map<string, { written: string; tree: Tree }>();
  for (const [written, tree] of Object.entries(branch)) {
    const name = names.get(snakeName(written));
    const twin = name === undefined ? undefined : found.get(name);
    const where = keyOriginOf(tree);
    if (name === undefined && ignoredKeys.has(snakeName(written))) {
      report.note(`${written} (${where}) has no meaning here and is ignored`);
    } else if (name === undefined && branch[referredKey]?.has(written)) {
      // A place for anchors in a --mixin-cfg.
    } else if (name === undefined) {
      const known = [...names.keys()];
      const hint =
        written === "mixin"
          ? "A --mixin-cfg file holds the mixin tree alone, without mixin: above it."
          : `known keys: ${known.join(", ")}`;
      report.refuse("mixin", `${owner} has no key "${written}".${didYouMean(written, known)}`, { where, hint });
    } else if (twin) {
      report.refuse("mixin", `"${twin.written}" and "${written}" are two spellings of one field; use one`, { where });
    } else {
      found.set(name, { written, tree });
    }
  }
  return [...found].map(([name, { tree }]) => [name, tree]);
}

export const isPlaceholder = (tree: Tree): boolean => tree instanceof Leaf && tree.value === PLACEHOLDER;
