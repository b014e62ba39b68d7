import { KagurazakaError } from "../base/errors.js";
import { nearestName } from "../base/nearest.js";
import type { OptionSpec, OptionSpecs } from "../base/option-spec.js";
import { flagName, isAssignment, snakeName } from "./names.js";
import { type ToolOption, toolOptions } from "./run-options.js";
import { Leaf, List, type Place, type Tree } from "./tree.js";
import { type Arity, type FlagItem, readWords, type WordItem } from "./words.js";

export type HelpOwner = "task" | "backbone" | "kagurazaka";
export const commands = ["explain", "init", "export-inputs"] as const;

/** What an argument vector says before anybody but the tool is known. */
export interface CommandLine {
  readonly command: "run" | (typeof commands)[number];
  /** The words of a command other than `run`, untouched. */
  readonly rest: readonly string[];
  readonly argv: readonly string[];
  readonly help: HelpOwner | undefined;
  readonly version: boolean;
  /** A path or `@name`. */
  readonly taskFile: string | undefined;
  readonly exportName: string | undefined;
  /** Indices in `argv` of those two. */
  readonly positionals: ReadonlySet<number>;
  readonly cfg: string | undefined;
  readonly mixinCfg: string | undefined;
  /** All groups, in order. */
  readonly mixin: readonly string[];
  /** The tool's own flags by their one spelling; other layers may say more. */
  readonly tool: ReadonlyMap<string, Tree>;
}

function toolArity(name: string): Arity | undefined {
  const spec = toolByName.get(name);
  if (!spec) return undefined;
  if (name === "mixin") return "assignments";
  if (spec.bare) return { optional: spec.bare.words };
  // What a list takes beyond its first word is only known once the positionals are.
  return spec.type === "boolean" ? "none" : "one";
}

const toolByName: ReadonlyMap<string, ToolOption> = new Map(
  Object.entries(toolOptions).map(([name, spec]) => [snakeName(name), spec]),
);

/** First pass: pure, and never a mistake, because half of the flags may be somebody else's. */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  const command = commands.find((name) => name === argv[0]);
  if (command) return { ...emptyLine, command, rest: argv.slice(1) };
  const { items } = readWords(argv, toolArity, new Set());
  const words = items.filter((item) => item.kind === "word");
  const [file, name] = findPositionals(words, items);
  const tool = new Map<string, Tree>();
  const mixin: string[] = [];
  for (const item of items) {
    if (item.kind !== "flag" || item.arity === undefined) continue;
    if (item.name === "mixin") mixin.push(...item.values);
    else tool.set(item.name, flagTree(item, toolByName.get(item.name)!));
  }
  const text = (flag: string): string | undefined => {
    const said = tool.get(flag);
    return said instanceof Leaf && typeof said.value === "string" ? said.value : undefined;
  };
  const asked = items.findLast(
    (item): item is FlagItem =>
      item.kind === "flag" && Object.hasOwn(helpOwners, item.name) && item.arity !== undefined,
  );
  return {
    ...emptyLine,
    argv,
    help: asked && helpOwners[asked.name],
    version: tool.has("version"),
    taskFile: file?.text,
    exportName: name?.text,
    positionals: new Set([file, name].flatMap((word) => (word ? [word.index] : []))),
    cfg: text("cfg"),
    mixinCfg: text("mixin_cfg"),
    mixin,
    tool,
  };
}

const helpOwners: Readonly<Record<string, HelpOwner>> = {
  help: "task",
  help_backbone: "backbone",
  help_kagurazaka: "kagurazaka",
};

const emptyLine: CommandLine = {
  command: "run",
  rest: [],
  argv: [],
  help: undefined,
  version: false,
  taskFile: undefined,
  exportName: undefined,
  positionals: new Set(),
  cfg: undefined,
  mixinCfg: undefined,
  mixin: [],
  tool: new Map(),
};

const looksLikeFile = (word: string): boolean => /[\\/]/.test(word) || isTaskFile(word);
const looksLikeName = (word: string): boolean => /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(word);

/** Task file and export: the words before the first flag, else the last ones. Flags between them are borne where it is clear. */
function findPositionals(words: readonly WordItem[], items: readonly (WordItem | FlagItem)[]): [WordItem?, WordItem?] {
  const firstFlag = items.find((item) => item.kind === "flag")?.index ?? Number.POSITIVE_INFINITY;
  const leading = words.filter((word) => word.index < firstFlag);
  const [before, last] = [words.at(-2), words.at(-1)];
  if (leading.length > 0) {
    const file = leading[0]!;
    if (file.text.startsWith("@")) return [file];
    if (leading[1]) return [file, leading[1]];
    const late = last !== file && last && !last.afterUnknown && items.at(-1) === last && looksLikeName(last.text);
    return late ? [file, last] : [file];
  }
  if (!last) return [];
  if (isTaskFile(last.text) || !before) return [last];
  if (isTaskFile(before.text)) return before.text.startsWith("@") ? [before] : [before, last];
  // Flags after the positionals although there are some before them: clear enough when one word alone is a task file.
  const files = words.filter((word) => isTaskFile(word.text));
  if (files.length === 1) {
    const next = words[words.indexOf(files[0]!) + 1];
    const name =
      next && next.index === files[0]!.index + 1 && looksLikeName(next.text) && !files[0]!.text.startsWith("@")
        ? next
        : undefined;
    return [files[0], name];
  }
  return looksLikeFile(last.text) ? [last] : [before, last];
}

const isTaskFile = (word: string): boolean => /^@[\w-]|\.[cm]?[jt]sx?$|\.py$/.test(word);

function flagTree(item: FlagItem, spec: ToolOption | OptionSpec): Tree {
  const place: Place = { kind: "flag", text: item.said };
  const leaf = (text: string): Leaf => new Leaf(text, place);
  if (item.arity === "none") return item.inline ? leaf(item.values[0]!) : new Leaf(!item.negated, place);
  if (spec.type === "strings" || spec.type === "integers" || spec.type === "map") {
    return new List(item.values.map(leaf), place);
  }
  const bare = "bare" in spec ? spec.bare?.value : undefined;
  const value = item.values[0] ?? bare;
  return value === undefined ? new List([], place) : leaf(value);
}

/** Who may own a flag besides the tool. */
export interface FlagOwners {
  readonly backboneName: string;
  readonly backboneOptions: OptionSpecs;
  readonly taskName: string;
  readonly taskOptions: OptionSpecs;
  /** Unknown flags and words are the task's. */
  readonly rawArgs: boolean;
}

export interface SaidFlags {
  /** By the one spelling; whose they are follows from who declares the name. */
  readonly flags: ReadonlyMap<string, Tree>;
  readonly rawArgs: readonly string[];
  readonly mistakes: readonly KagurazakaError[];
}

export interface KnownFlag {
  readonly spec: OptionSpec | ToolOption;
  readonly owner: string;
}

/** Every declared flag by its one spelling; the tool's come first. */
export function knownFlags(owners: FlagOwners): Map<string, KnownFlag> {
  const known = new Map<string, KnownFlag>();
  const add = (specs: OptionSpecs, owner: string): void => {
    for (const [name, spec] of Object.entries(specs))
      if (!known.has(snakeName(name))) known.set(snakeName(name), { spec, owner });
  };
  add(toolOptions, "kagurazaka");
  add(owners.backboneOptions, `the backbone ${owners.backboneName}`);
  add(owners.taskOptions, `the task ${owners.taskName}`);
  return known;
}

/** Second pass, when all owners are known: every flag has one, or is a mistake, or the task takes it raw. */
export function readFlags(line: CommandLine, owners: FlagOwners): SaidFlags {
  const known = knownFlags(owners);
  const arityOf = (name: string): Arity | undefined => {
    const spec = known.get(name)?.spec;
    if (!spec) return undefined;
    const arity = toolArity(name) ?? (spec.type === "boolean" ? "none" : "one");
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
function joined(before: Tree | undefined, now: Tree): Tree {
  return before instanceof List && now instanceof List ? new List([...before.items, ...now.items], now.place) : now;
}

function missingValue(item: FlagItem): KagurazakaError | undefined {
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
