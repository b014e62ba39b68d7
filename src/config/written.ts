import { KagurazakaError } from "../base/errors.js";
import { stringifyJson } from "../base/exact-json.js";
import type { OptionSpec, OptionSpecs } from "../base/option-spec.js";
import type { Json, WrittenConfig } from "../contracts/index.js";
import type { Interpolator } from "./interpolation.js";
import type { MergedMixin } from "./mixin.js";
import { Report } from "./report.js";
import { maskValue } from "./secrets.js";
import { asLiteral } from "./text/expression.js";
import { snakeName } from "./text/names.js";
import { isBranch, originOf, type Tree, toPlain } from "./tree.js";
import { optionValue } from "./values.js";

interface WrittenRequest {
  readonly specs: OptionSpecs;
  /** The task's options, by names in snake_case. */
  readonly options: ReadonlyMap<string, Tree>;
  readonly mixin: MergedMixin | undefined;
  readonly rawArgs: readonly string[];
  /** One that leaves what differs by machine as it is written. */
  readonly interpolator: Interpolator;
}

/**
 * The configuration of a task for other machines, which resolve what differs by machine: environment variables, the place of
 * the task file. All other references are replaced. @throws KagurazakaError where a value is a secret
 */
export function writtenConfig({ specs, options, mixin, rawArgs, interpolator }: WrittenRequest): WrittenConfig {
  const task: Record<string, Json> = Object.create(null);
  for (const [name, spec] of Object.entries(specs)) {
    const tree = options.get(snakeName(name));
    if (tree) task[name] = open(`task.${snakeName(name)}`, spec, optionAsWritten(name, spec, tree, interpolator));
  }
  return { task, mixin: mixin ? mixinAsWritten(mixin, interpolator) : null, rawArgs: open("task", {}, rawArgs) };
}

/** Only values of files have references; all others are plain text. */
function optionAsWritten(name: string, spec: OptionSpec, tree: Tree, interpolator: Interpolator): Json {
  if (originOf(tree).kind === "file") return plain(interpolator.resolve(tree, ["task", name]), spec);
  const value = spec.type === "json" ? optionValue(name, spec, tree, new Report()) : toPlain(tree, true);
  return literal(value as Json);
}

function mixinAsWritten({ fields }: MergedMixin, interpolator: Interpolator): Record<string, Json> {
  const written: Record<string, Json> = Object.create(null);
  for (const { field, tree, definition } of fields) {
    const path = ["mixin", field];
    const name = `mixin.${snakeName(field)}`;
    if (!definition || !isBranch(tree)) {
      written[field] = open(name, {}, toPlain(interpolator.resolve(tree, path)) as Json);
      continue;
    }
    const values: Record<string, Json> = Object.create(null);
    for (const [key, child] of Object.entries(tree)) {
      const spec = definition.fields[key];
      values[key] = open(
        `${name}.${snakeName(key)}`,
        spec ?? {},
        plain(interpolator.resolve(child, [...path, key]), spec),
      );
    }
    written[field] = values;
  }
  return written;
}

const plain = (tree: Tree, spec: OptionSpec | undefined): Json => toPlain(tree, spec?.type !== "json") as Json;

function literal(value: Json): Json {
  if (typeof value === "string") return asLiteral(value);
  if (Array.isArray(value)) return value.map(literal);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, literal(child)]));
}

/** The value, where it may be read by everyone who reads the queue. */
function open<T extends Json | readonly string[]>(path: string, { secret }: Pick<OptionSpec, "secret">, value: T): T {
  const shown = maskValue(path, value, secret === true ? true : undefined);
  if (stringifyJson(shown) === stringifyJson(value)) return value;
  const message = `${path} has a secret in it, which all who read the queue of the fleet could read`;
  const hint = "Write ${oc.env:NAME} in a --cfg or --mixin, and set NAME where each node runs.";
  throw new KagurazakaError("bad-value", message, { where: path, hint });
}
