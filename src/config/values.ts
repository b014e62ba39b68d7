import { KagurazakaError } from "../base/errors.js";
import type { OptionSpec, OptionSpecs } from "../base/option-spec.js";
import type { ConfigEntry, Json, Origin } from "../contracts/index.js";
import { fillHint, type Interpolator, unfilled } from "./interpolation.js";
import { isPlaceholder, type MergedField, type MergedMixin } from "./mixin.js";
import { checkOptionValue, parseOptionText } from "./option-values.js";
import type { Report } from "./report.js";
import { toolOptions } from "./run-options.js";
import { hideEntry, maskValue } from "./secrets.js";
import { flagName, snakeName } from "./text/names.js";
import { isBranch, Leaf, List, originOf, type Tree, toPlain } from "./tree.js";

/** One owner's options and where their values may come from. */
interface Section {
  readonly path: string;
  readonly specs: OptionSpecs;
  /** Given to this owner alone. */
  readonly own: ReadonlyMap<string, Tree> | undefined;
  readonly shared: ReadonlyMap<string, Tree>;
  readonly interpolator: Interpolator;
  readonly report: Report;
  readonly entries: ConfigEntry[];
}

/** Typed values of one owner's options; adds an entry for each. */
export function readSection(section: Section): Record<string, unknown> {
  const { path, specs, own, shared, interpolator, report, entries } = section;
  const values = Object.create(null) as Record<string, unknown>;
  for (const [name, spec] of Object.entries(specs)) {
    const snake = snakeName(name);
    const tree = own?.get(snake) ?? shared.get(snake);
    const given = tree ? treeEntries(tree, `${path}.${snake}`) : [];
    entries.push(...(spec.secret ? given.map(hideEntry) : given));
    if (!tree && spec.default !== undefined) entries.push(defaultEntry(`${path}.${snake}`, spec));
    const isOfFile = tree !== undefined && originOf(tree).kind === "file";
    if (isOfFile && reportPlaceholders(tree, ["task", snake], report)) continue;
    report.attempt(() => {
      const resolved = isOfFile ? interpolator.resolve(tree, ["task", snake]) : tree;
      values[name] = optionValue(name, spec, resolved, report);
    });
  }
  return Object.freeze(values);
}

/** The typed value of a flag from any layer; `undefined` where no layer has one and there is no default. */
export function optionValue(name: string, spec: OptionSpec, tree: Tree | undefined, report: Report): unknown {
  const shown = snakeName(name);
  if (tree === undefined) {
    const details = { where: "command line", hint: `Say ${flagName(name)} …` };
    if (spec.required) throw new KagurazakaError("bad-value", `${shown} is required`, details);
    const written = typeof spec.default === "string" && Object.hasOwn(toolOptions, name) && spec.parse;
    return written ? spec.parse!(spec.default as string) : defaultOf(spec, name);
  }
  const origin = originOf(tree);
  const only = tree instanceof List && origin.kind === "flag" && tree.items.length === 1 ? tree.items[0]! : tree;
  // A text in a file reads as it would on a command line, except that YAML has types of its own for JSON.
  const asFlag = origin.kind === "flag" || (origin.kind === "file" && spec.type !== "json");
  if (asFlag && only instanceof Leaf && typeof only.value === "string") {
    return parseOptionText(only.value, spec, {
      name: shown,
      where: origin.text,
      note: (text) => report.note(text),
      shown: only.expression,
    });
  }
  return treeValue(shown, spec, tree, report);
}

/**
 * Field → `{ use, …parsed fields }` or null: what crosses to a worker.
 * Interpolates and parses merged modes. Everything wrong with any of them is reported, not the first thing alone.
 */
export function resolveMixin(merged: MergedMixin, interpolator: Interpolator, report: Report): Record<string, Json> {
  const values = Object.create(null) as Record<string, Json>;
  for (const field of merged.fields) {
    const value = report.attempt(() => fieldValue(field, interpolator, report));
    if (value !== undefined) values[field.field] = value;
  }
  return values;
}

function fieldValue(merged: MergedField, interpolator: Interpolator, report: Report): Json | undefined {
  const { field, tree, definition } = merged;
  const path = ["mixin", field];
  if (!definition || !isBranch(tree)) {
    if (reportPlaceholders(tree, path, report)) return undefined;
    return toPlain(interpolator.resolve(tree, path)) as Json;
  }
  const values = Object.create(null) as Record<string, Json>;
  values.use = definition.name;
  for (const [name, spec] of Object.entries(definition.fields)) {
    const at = [...path, name];
    const given = tree[name];
    const value = report.attempt(() => {
      const shown = at.slice(1).map(snakeName).join(".");
      if (given !== undefined) {
        if (reportPlaceholders(given, at, report)) return undefined;
        return treeValue(shown, spec, interpolator.resolve(given, at), report);
      }
      if (!spec.required) return defaultOf(spec, shown);
      throw new KagurazakaError("placeholder", `${shown} has no value and needs one`, { hint: fillHint(at) });
    });
    if (value !== undefined) values[name] = value as Json;
  }
  return values;
}

/** A default written as "30s" or "64KB" is read as such; anything else is the value itself. */
function defaultOf(spec: OptionSpec, name: string): unknown {
  const written = typeof spec.default === "string" && (spec.type === "duration" || spec.type === "size");
  return written ? checkOptionValue(spec.default, spec, { name, where: "default" }) : spec.default;
}

/** The typed value of a tree whose references are replaced. */
function treeValue(name: string, spec: OptionSpec, tree: Tree, report: Report): unknown {
  const origin = originOf(tree);
  return checkOptionValue(toPlain(tree, spec.type !== "json"), spec, {
    name,
    where: origin.text,
    note: (text) => report.note(text),
    shown: firstExpression(tree, name),
  });
}

/** As it may be shown. */
function firstExpression(tree: Tree, path: string): string | undefined {
  if (tree instanceof Leaf) return tree.expression && String(maskValue(path, tree.expression));
  for (const [key, child] of Object.entries(tree instanceof List ? tree.items : tree)) {
    const found = firstExpression(child, `${path}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Whether `???` stands anywhere in the tree; every one of them is reported. */
function reportPlaceholders(tree: Tree, path: readonly string[], report: Report): boolean {
  if (tree instanceof Leaf) {
    if (!isPlaceholder(tree)) return false;
    report.mistake(unfilled(path, tree.origin));
    return true;
  }
  const children =
    tree instanceof List ? tree.items.map((item, index) => [String(index), item] as const) : Object.entries(tree);
  return children.map(([key, child]) => reportPlaceholders(child, [...path, key], report)).includes(true);
}

const bare = ({ kind, text }: Origin): Origin => ({ kind, text });

const defaultEntry = (path: string, spec: OptionSpec): ConfigEntry => ({
  path,
  value: spec.default,
  origin: { kind: "default", text: "default" },
});

/** One line per value, as it was written: references stay references. */
export function mixinEntries(merged: MergedMixin): ConfigEntry[] {
  return merged.fields.flatMap(({ field, tree, definition }) => {
    const path = `mixin.${snakeName(field)}`;
    const fields = definition && isBranch(tree) ? definition.fields : {};
    const secret = Object.keys(fields).flatMap((name) => (fields[name]!.secret ? [`${path}.${snakeName(name)}`] : []));
    const isSecret = (at: string): boolean => secret.some((one) => at === one || at.startsWith(`${one}.`));
    const given = treeEntries(tree, path, 1).map((entry) => (isSecret(entry.path) ? hideEntry(entry) : entry));
    const defaults = Object.entries(fields)
      .filter(([name, spec]) => spec.default !== undefined && !Object.hasOwn(tree, name))
      .map(([name, spec]) => defaultEntry(`${path}.${snakeName(name)}`, spec));
    return [...given, ...defaults];
  });
}

/** @param declared how many levels of keys are declared names, shown in snake_case */
function treeEntries(tree: Tree, path: string, declared = 0): ConfigEntry[] {
  if (!isBranch(tree) || Object.keys(tree).length === 0)
    return [{ path, value: toPlain(tree, true), origin: bare(originOf(tree)) }];
  return Object.entries(tree).flatMap(([key, child]) =>
    treeEntries(child, `${path}.${declared > 0 ? snakeName(key) : key}`, declared - 1),
  );
}
