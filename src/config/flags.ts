import { KagurazakaError } from "../base/errors.js";
import { nearestName } from "../base/nearest.js";
import type { OptionSpec, OptionSpecs } from "../base/option-spec.js";
import { type CommandLine, flagTree, looksLikeFile, toolArity } from "./command-line.js";
import { type ToolOption, toolOptions } from "./run-options.js";
import { isShort, shortOptions } from "./short-flags.js";
import { flagName, isAssignment, snakeName } from "./text/names.js";
import { type Arity, type FlagItem, readWords } from "./text/words.js";
import { List, type Tree } from "./tree.js";

/** Who may own a flag besides the tool. */
export interface FlagOwners {
  readonly backboneName: string;
  readonly backboneOptions: OptionSpecs;
  readonly taskName: string;
  readonly taskOptions: OptionSpecs;
  /** Unknown flags and words are the task's. */
  readonly rawArgs: boolean;
  /** The task has one, for short flags to set values of. */
  readonly template?: unknown;
  /** What the task says of flags nobody gives, by the one spelling. */
  readonly defaults?: ReadonlyMap<string, Tree>;
}

interface SaidFlags {
  /** By the one spelling; whose they are follows from who declares the name. */
  readonly flags: ReadonlyMap<string, Tree>;
  readonly rawArgs: readonly string[];
  readonly mistakes: readonly KagurazakaError[];
}

interface KnownFlag {
  readonly spec: OptionSpec | ToolOption;
  readonly owner: string;
}

/** Every declared flag by its one spelling; the tool's come first, but for the short ones: those any owner may take. */
export function knownFlags(owners: FlagOwners): Map<string, KnownFlag> {
  const known = new Map<string, KnownFlag>();
  const add = (specs: OptionSpecs, owner: string): void => {
    for (const [name, spec] of Object.entries(specs))
      if (!known.has(snakeName(name))) known.set(snakeName(name), { spec, owner });
  };
  add(toolOptions, "kagurazaka");
  add(owners.backboneOptions, `the backbone ${owners.backboneName}`);
  add(owners.taskOptions, `the task ${owners.taskName}`);
  // A task that reads unknown flags raw and has no template gets these too.
  if (owners.template || !owners.rawArgs) add(shortOptions, "kagurazaka");
  return known;
}

/** Second pass, when all owners are known: every flag has one, or is a mistake, or the task takes it raw. */
export function readFlags(line: CommandLine, owners: FlagOwners): SaidFlags {
  const known = knownFlags(owners);
  const arityOf = (name: string): Arity | undefined => {
    const spec = known.get(name)?.spec;
    if (!spec) return undefined;
    const ours = !isShort(name) || (Object.values(shortOptions) as unknown[]).includes(spec);
    const arity = (ours ? toolArity(name) : undefined) ?? (spec.type === "boolean" ? "none" : "one");
    return spec.type === "strings" || spec.type === "integers" || spec.type === "map"
      ? name === "mixin"
        ? arity
        : "many"
      : arity;
  };
  const { items, rest } = readWords(line.argv, arityOf, line.positionals);
  const flags = new Map<string, Tree>();
  const rawArgs: string[] = [];
  const mistakes: KagurazakaError[] = [];
  for (const item of items) {
    if (item.kind === "word") {
      if (line.positionals.has(item.index)) continue;
      if (owners.rawArgs) rawArgs.push(item.text);
      else if (!item.afterUnknown) mistakes.push(unexpectedWord(item.text));
    } else if (item.arity === undefined) {
      if (owners.rawArgs) rawArgs.push(...item.source);
      else mistakes.push(unknownFlag(item.said, known));
    } else {
      const mistake = missingValue(item);
      if (mistake) mistakes.push(mistake);
      else if (item.name !== "mixin")
        flags.set(item.name, joined(flags.get(item.name), flagTree(item, known.get(item.name)!.spec)));
    }
  }
  return { flags, rawArgs: [...rawArgs, ...rest], mistakes };
}

/** Lists collect; of anything else the last one wins. */
export function joined(before: Tree | undefined, now: Tree): Tree {
  return before instanceof List && now instanceof List ? new List([...before.items, ...now.items], now.origin) : now;
}

export function missingValue(item: FlagItem): KagurazakaError | undefined {
  if (item.name === "mixin") {
    const wrong = item.values.find((word) => !isAssignment(word));
    if (wrong === undefined && item.values.length > 0) return undefined;
    return new KagurazakaError("usage", `--mixin needs key=value${wrong === undefined ? "" : `, not "${wrong}"`}`, {
      where: item.said,
    });
  }
  const needs = item.arity === "one" || item.arity === "many";
  return needs && item.values.length === 0
    ? new KagurazakaError("usage", `${item.said} needs a value`, { where: item.said })
    : undefined;
}

function unexpectedWord(word: string): KagurazakaError {
  const said = looksLikeFile(word) || !isAssignment(word) ? "" : " Did you mean --mixin before it?";
  return new KagurazakaError("usage", `"${word}" belongs to nothing.${said}`, {
    where: "command line",
    hint: "The words besides flags are <task_file> <task_name>, first or last; words for a task that reads them raw go after --.",
  });
}

export function unknownFlag(said: string, known: ReadonlyMap<string, KnownFlag>, where = said): KagurazakaError {
  const near = nearestName(said, known.keys());
  const owner = near === undefined ? undefined : known.get(near);
  const hint =
    near === undefined || !owner
      ? "See -h (the task's flags), -hb (the backbone's) and -hk (kagurazaka's); words for a task that reads them raw go after --."
      : undefined;
  const nearest =
    near === undefined || !owner ? "" : ` Did you mean ${flagName(nameOf(near))}, a flag of ${owner.owner}?`;
  return new KagurazakaError("unknown-flag", `nobody declares ${said}.${nearest}`, {
    where,
    ...(hint ? { hint } : {}),
  });
}

/** Tool flags are shown in kebab-case, others as declared. */
const nameOf = (name: string): string => Object.keys(toolOptions).find((tool) => snakeName(tool) === name) ?? name;

export const missingTask = (): KagurazakaError =>
  new KagurazakaError("usage", "no task is named", {
    where: "command line",
    hint: "kagurazaka <task_file> <task_name>, or kagurazaka @word-count; see kagurazaka -hk",
  });
