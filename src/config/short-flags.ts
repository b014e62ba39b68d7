import { stringifyJson } from "../base/exact-json.js";
import type { Layers } from "./layers.js";
import type { MergedMixin } from "./mixin.js";
import type { Report } from "./report.js";
import { flagName, snakeName } from "./text/names.js";
import { type Branch, createBranch, isBranch, isNull, Leaf, originOf, type Tree, toPlain } from "./tree.js";

/** As flags are kept: in snake_case. */
type ShortName = "in" | "out" | "lines" | "files_from";

const isShort = (name: string): name is ShortName => Object.hasOwn(targets, name);

interface Target {
  /** Field of the template. */
  readonly field: string;
  /** Key in it that takes the value. */
  readonly key: string;
  /** A mode that is chosen along with it, and its other values. */
  readonly mode?: Readonly<Record<string, string>>;
}

const targets: Readonly<Record<ShortName, Target>> = {
  in: { field: "hardShardMode", key: "inputPath" },
  out: { field: "hardShardMode", key: "outputPath" },
  lines: { field: "inputMode", key: "linesPath", mode: { use: "InputByLines", as: "text" } },
  files_from: { field: "inputMode", key: "linesPath", mode: { use: "InputByLines", as: "path" } },
};

/** The short flags that are given, where no task or backbone owns the name. */
export function givenShorts(
  shared: ReadonlyMap<string, Tree>,
  owned: (name: string) => boolean,
): ReadonlyMap<ShortName, Tree> {
  return new Map([...shared].filter(([name]) => isShort(name) && !owned(name)) as [ShortName, Tree][]);
}

export function shortsWithoutTemplate(shorts: ReadonlyMap<ShortName, Tree>, taskName: string, report: Report): void {
  for (const [name, tree] of shorts) {
    const field = snakeName(targets[name].field);
    report.refuse("mixin", `${flagName(name)} sets ${field}, but the task ${taskName} has no template`, {
      where: originOf(tree).text,
    });
  }
}

/** @param merged the template without short flags: whether its hard shard has such a path at all */
export function fittingShorts(
  shorts: ReadonlyMap<ShortName, Tree>,
  merged: MergedMixin,
  report: Report,
): ReadonlyMap<ShortName, Tree> {
  const fits = [...shorts].filter(([name, tree]) => {
    const { field, key, mode: chosen } = targets[name];
    const mode = merged.fields.find((one) => one.field === field)?.definition;
    if (chosen || !mode || Object.hasOwn(mode.fields, key)) return true;
    const known = Object.keys(mode.fields).map((one) => `${snakeName(field)}.${snakeName(one)}`);
    report.refuse("mixin", `${flagName(name)} sets ${snakeName(key)}, and ${mode.name} has no such field`, {
      where: originOf(tree).text,
      hint: `Say --mixin with ${known.join(", ")}.`,
    });
    return false;
  });
  return new Map(fits);
}

/**
 * The layers with the short flags among them: what a file says beside its `mixin:`, what the command line says beside
 * --mixin. Neither of two in one layer wins: where they differ, one of them is a mistake.
 */
export function withShorts(shorts: ReadonlyMap<ShortName, Tree>, layers: Layers, report: Report): Branch[] {
  const { files, between, ofWords } = layers;
  const [lines, paths] = [shorts.get("lines"), shorts.get("files_from")];
  if (lines && paths)
    report.refuse("usage", "--lines and --files-from contradict each other", {
      where: originOf(paths).text,
      hint: "Lines are either texts or paths of files.",
    });
  const fileOf = (tree: Tree): number =>
    originOf(tree).kind === "file" ? files.findLastIndex(({ cfg }) => originOf(cfg).file === originOf(tree).file) : -1;
  const of = (file: number, beside: Branch | undefined): Branch[] =>
    [...shorts]
      .filter(([, tree]) => fileOf(tree) === file)
      .map(([name, tree]) => {
        const branch = branchOf(targets[name], tree);
        const other = conflictOf(targets[name], branch, beside);
        if (other !== undefined) refuseContradiction(name, tree, other, report);
        return branch;
      });
  const ofFiles = files.flatMap(({ mixin }, file) => [mixin, ...of(file, mixin)]);
  return [...ofFiles, ...between, ...of(-1, ofWords), ofWords].filter((layer) => layer !== undefined);
}

function branchOf({ field, key, mode: chosen = {} }: Target, tree: Tree): Branch {
  const origin = originOf(tree);
  const given = Object.entries(chosen).map(([name, value]) => [name, new Leaf(value, origin)] as const);
  return createBranch(origin, [[field, createBranch(origin, [...given, [key, tree]])]]);
}

interface Contradiction {
  readonly path: string;
  readonly tree: Tree;
}

/** What a layer says about the same value, when it is something else. */
function conflictOf({ field }: Target, short: Branch, layer: Branch | undefined): Contradiction | undefined {
  const mode = layer && under(layer, field);
  if (mode === undefined) return undefined;
  const path = snakeName(field);
  if (!isBranch(mode)) return { path, tree: mode };
  for (const [key, tree] of Object.entries(short[field] as Branch)) {
    const other = under(mode, key);
    if (other === undefined || stringifyJson(toPlain(other, true)) === stringifyJson(toPlain(tree, true))) continue;
    return { path: `${path}.${snakeName(key)}`, tree: other };
  }
  return undefined;
}

const under = (branch: Branch, name: string): Tree | undefined =>
  Object.entries(branch).find(([key]) => snakeName(key) === snakeName(name))?.[1];

function refuseContradiction(name: ShortName, tree: Tree, other: Contradiction, report: Report): void {
  const given = `${flagName(name)} ${stringifyJson(toPlain(tree, true))}`;
  const value = isNull(other.tree) ? "null" : stringifyJson(toPlain(other.tree, true));
  const where = `${originOf(tree).text} and ${originOf(other.tree).text}`;
  report.refuse("mixin", `${given} and ${other.path}=${value} say different things`, {
    where,
    hint: "Say one of them.",
  });
}
