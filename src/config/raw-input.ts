import { KagurazakaError } from "../base/errors.js";
import { didYouMean } from "../base/nearest.js";
import type { WrittenConfig } from "../contracts/run-config.js";
import { type CommandLine, parseCommandLine } from "./command-line.js";
import { Report } from "./report.js";
import { runOptions, type ToolOption, writtenValue } from "./run-options.js";
import { declaredName, isAssignment, snakeName } from "./text/names.js";
import { type Branch, isBranch, Leaf, type Scalar, type Tree, treeFromCode, type ValueOrigin } from "./tree.js";

/** The input before anything is loaded: an argument vector, or options from code. */
export interface RawInput {
  readonly line: CommandLine | undefined;
  /** Paths, low to high. */
  readonly cfg: readonly string[];
  readonly mixinCfg: readonly string[];
  /** `key=value` words, in order. */
  readonly assignments: readonly string[];
  /** A mixin tree given by code. */
  readonly mixinTree: Branch | undefined;
  /** By names in snake_case. Code gives each owner's apart; on a command line the owners are not known yet. */
  readonly run: ReadonlyMap<string, Tree>;
  readonly task: ReadonlyMap<string, Tree>;
  readonly backbone: ReadonlyMap<string, Tree>;
  readonly rawArgs: readonly string[];
  /** The configuration of a run of another machine, below all layers of this one. */
  readonly base?: BaseInput;
  /** Settings that win over all layers: those of `--debug-item`. */
  readonly forced?: ReadonlyMap<string, Tree>;
  readonly mistakes: readonly KagurazakaError[];
}

interface BaseInput {
  readonly mixin: Branch | undefined;
  readonly task: ReadonlyMap<string, Tree>;
  readonly rawArgs: readonly string[];
}

/** The same input over the configuration of a run that another machine has written. */
export function overWritten(input: RawInput, { task, mixin, rawArgs }: WrittenConfig): RawInput {
  const origin: ValueOrigin = { kind: "file", text: "the run" };
  const branch = mixin === null ? undefined : (treeFromCode(mixin, origin, ["mixin"]) as Branch);
  const options = Object.entries(task).map(
    ([name, value]) => [snakeName(name), treeFromCode(value, origin, [name])] as const,
  );
  return { ...input, base: { mixin: branch, task: new Map(options), rawArgs } };
}

export const inputFromArgv = (argv: readonly string[]): RawInput => inputFromLine(parseCommandLine(argv));

/** @param mistakes what is wrong with the command's own words and flags, to be reported with all else */
export function inputFromLine(line: CommandLine, mistakes: readonly KagurazakaError[] = []): RawInput {
  return {
    line,
    cfg: line.cfg,
    mixinCfg: line.mixinCfg,
    assignments: line.mixin,
    mixinTree: undefined,
    run: line.tool,
    task: new Map(),
    backbone: new Map(),
    rawArgs: [],
    mistakes,
  };
}

/** The same input with settings that win over all layers. */
export function withSettings(input: RawInput, settings: Readonly<Record<string, Scalar>>, flag: string): RawInput {
  const origin: ValueOrigin = { kind: "flag", text: flag };
  const forced = new Map(Object.entries(settings).map(([name, value]) => [snakeName(name), new Leaf(value, origin)]));
  return { ...input, run: new Map([...input.run, ...forced]), forced };
}

/**
 * What `runTask` is given. The run's settings stand beside these by their camelCase names, typed as in `RunSettings`
 * (`{ percent: 1 }`) or as a flag's text (`"1%"`); durations are always a text with their unit (`"30s"`). `undefined` counts as absent.
 */
export interface CodeOptions {
  readonly backbone?: string | undefined;
  /** Paths of YAML files, relative to the working directory; of several, later ones are merged over earlier ones. */
  readonly cfg?: string | readonly string[] | undefined;
  readonly mixinCfg?: string | readonly string[] | undefined;
  /** A mixin tree, or `key=value` texts. */
  readonly mixin?: Readonly<Record<string, unknown>> | readonly string[] | undefined;
  readonly taskOptions?: Readonly<Record<string, unknown>> | undefined;
  readonly backboneOptions?: Readonly<Record<string, unknown>> | undefined;
  readonly rawArgs?: readonly string[] | undefined;
  readonly [setting: string]: unknown;
}

const ownKeys = ["backbone", "cfg", "mixinCfg", "mixin", "taskOptions", "backboneOptions", "rawArgs"];

/** Mistakes are kept and reported by `resolveConfig` with all others. */
export function inputFromCode(options: CodeOptions = {}): RawInput {
  const report = new Report();
  const section = (name: "taskOptions" | "backboneOptions"): Map<string, Tree> =>
    report.attempt(() => specTrees(options[name], name)) ?? new Map();
  const texts = (name: "cfg" | "mixinCfg" | "backbone"): readonly string[] =>
    report.attempt(() => textsOf(options[name], name)) ?? [];
  const run = new Map<string, Tree>();
  for (const [written, value] of Object.entries(options)) {
    if (value === undefined || ownKeys.includes(written)) continue;
    const name = declaredName(runOptions, written);
    if (name === undefined) {
      const known = [...Object.keys(runOptions), ...ownKeys];
      const message = `there is no option "${written}".${didYouMean(written, known)}`;
      report.refuse("bad-value", message, { where: "options" });
    } else {
      report.attempt(() => run.set(snakeName(name), settingTree(name, value)));
    }
  }
  const [backbone] = texts("backbone");
  if (backbone !== undefined) run.set("backbone", new Leaf(backbone, at("backbone")));
  const mixin = report.attempt(() => mixinFromCode(options.mixin));
  return {
    line: undefined,
    cfg: texts("cfg"),
    mixinCfg: texts("mixinCfg"),
    assignments: mixin?.assignments ?? [],
    mixinTree: mixin?.mixinTree,
    run,
    task: section("taskOptions"),
    backbone: section("backboneOptions"),
    rawArgs: options.rawArgs ?? [],
    mistakes: report.mistakes,
  };
}

const at = (name: string): ValueOrigin => ({ kind: "code", text: `options.${name}` });

/** A text or, but for the backbone, a list of texts. */
function textsOf(value: unknown, name: string): readonly string[] {
  if (value === undefined) return [];
  const isSeveral = Array.isArray(value) && name !== "backbone";
  const texts: readonly unknown[] = isSeveral ? value : [value];
  if (texts.every((text) => typeof text === "string" && text !== "")) return texts as readonly string[];
  throw badValue(name, name === "backbone" ? "must be a text" : "must be a text or a list of texts");
}

function specTrees(value: unknown, name: string): Map<string, Tree> {
  if (value === undefined) return new Map();
  const tree = treeFromCode(value, at(name), [name]);
  if (!isBranch(tree)) throw badValue(name, "must be an object");
  return new Map(Object.entries(tree).map(([written, child]) => [snakeName(written), child]));
}

function settingTree(name: string, value: unknown): Tree {
  const spec: ToolOption = runOptions[name as keyof typeof runOptions];
  return treeFromCode(value === null ? null : writtenValue(spec, value), at(name), [name]);
}

function mixinFromCode(mixin: CodeOptions["mixin"]): { assignments?: readonly string[]; mixinTree?: Branch } {
  if (mixin === undefined) return {};
  if (Array.isArray(mixin)) {
    const wrong = mixin.find((word) => typeof word !== "string" || !isAssignment(word));
    if (wrong === undefined) return { assignments: mixin };
    throw badValue("mixin", `must hold key=value texts, not ${JSON.stringify(wrong)}`);
  }
  const tree = treeFromCode(mixin, at("mixin"), ["mixin"]);
  if (isBranch(tree)) return { mixinTree: tree };
  throw badValue("mixin", "must be an object or a list of key=value texts");
}

const badValue = (name: string, says: string): KagurazakaError =>
  new KagurazakaError("bad-value", `${name} ${says}`, { where: `options.${name}` });
