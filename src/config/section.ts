import { KagurazakaError } from "../base/errors.js";
import type { OptionSpec, OptionSpecs } from "../base/option-spec.js";
import type { ConfigEntry } from "../contracts/index.js";
import type { Interpolator } from "./interpolation.js";
import { defaultOf, reportPlaceholders, treeEntries, treeValue } from "./mixin/values.js";
import { parseOptionText } from "./option-values.js";
import type { Report } from "./report.js";
import { toolOptions } from "./run-options.js";
import { hideEntry } from "./secrets.js";
import { flagName, snakeName } from "./text/names.js";
import { Leaf, List, originOf, type Tree } from "./tree.js";

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
    if (!tree && spec.default !== undefined)
      entries.push({ path: `${path}.${snake}`, value: spec.default, origin: { kind: "default", text: "default" } });
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
    if (spec.required)
      throw new KagurazakaError("bad-value", `${shown} is required`, {
        where: "command line",
        hint: `Say ${flagName(name)} …`,
      });
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
