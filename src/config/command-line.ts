import type { OptionSpec, OptionSpecs } from "../base/option-spec.js";
import { shortOptions, type ToolOption, toolOptions } from "./run-options.js";
import { snakeName } from "./text/names.js";
import { type Arity, type FlagItem, readWords, type WordItem, type Words } from "./text/words.js";
import { Leaf, List, type Tree, type ValueOrigin } from "./tree.js";

type HelpOwner = "task" | "backbone" | "kagurazaka";

/** What a command declares about its command line. */
export interface CommandSyntax<S extends OptionSpecs = OptionSpecs> {
  /** As it is typed: `ledger compact`. Empty for a run, which is typed without a name. */
  readonly name: string;
  /** The command's own words, as usage shows them. `[DIR]` may be left out, `SOURCE…` stand for one or more. */
  readonly words: readonly string[];
  readonly options: S;
  /** What may follow besides: the words and flags of a run, or in their place the state directory of a task. */
  readonly takes?: "run" | "run or state" | undefined;
}

export const runSyntax: CommandSyntax = { name: "", words: [], options: {}, takes: "run" };

/** An argument vector, read as far as it can be before task and backbone have declared their flags. */
export interface CommandLine {
  readonly argv: readonly string[];
  readonly command: CommandSyntax;
  readonly help: HelpOwner | undefined;
  readonly version: boolean;
  /** The command's own words and flags. */
  readonly words: readonly string[];
  readonly ownFlags: readonly FlagItem[];
  /** `argv` without those two: the words of the run. */
  readonly runArgv: readonly string[];
  /** A path or `@name`. */
  readonly taskFile: string | undefined;
  /** The word behind it: the export of a task file, the argument of a ready-made task. */
  readonly exportName: string | undefined;
  /** Indices in `argv` of the command's own words, the task file and the export. */
  readonly positionals: ReadonlySet<number>;
  /** Paths of all --cfg, in order. */
  readonly cfg: readonly string[];
  readonly mixinCfg: readonly string[];
  /** All groups, in order. */
  readonly mixin: readonly string[];
  /** The tool's own flags, by their names in snake_case; other layers may say more. */
  readonly tool: ReadonlyMap<string, Tree>;
}

/** Flags by their names in snake_case. */
export const bySnakeName = <S extends OptionSpec>(specs: Readonly<Record<string, S>>): Map<string, S> =>
  new Map(Object.entries(specs).map(([name, spec]) => [snakeName(name), spec]));

const toolFlags: ReadonlyMap<string, ToolOption> = bySnakeName({ ...toolOptions, ...shortOptions });

export const isList = ({ type }: OptionSpec): boolean => type === "strings" || type === "integers" || type === "map";

/** How many words a flag takes. Before the positionals are known, a list takes one word: the next may be the task file. */
export function arityOf(spec: ToolOption | undefined, lists: "one" | "many" = "many"): Arity | undefined {
  if (!spec) return undefined;
  if (spec === toolOptions.mixin) return "assignments";
  if (spec.bare) return { optional: spec.bare.words };
  if (spec.type === "boolean") return "none";
  return isList(spec) ? lists : "one";
}

/** Pure, and never an error: flags that are unknown here may belong to the task or the backbone. */
export function parseCommandLine(argv: readonly string[], command: CommandSyntax = runSyntax): CommandLine {
  const own = bySnakeName(command.options);
  const helpOnly = new Map([["help", toolOptions.help!]]);
  const known: ReadonlyMap<string, ToolOption> = new Map([...(command.takes ? toolFlags : helpOnly), ...own]);
  const first = readItems(argv, command, (name) => arityOf(known.get(name), "one"));
  const found = findPositionals(first.items, command);
  const positionals = new Set([...found.own, ...found.task].map(({ index }) => index));
  const { items } = readItems(argv, command, (name) => arityOf(known.get(name)), positionals);
  const flags = items.filter((item) => item.kind === "flag" && item.arity !== undefined) as FlagItem[];
  const ownFlags = flags.filter(({ name }) => own.has(name));
  const tool = new Map<string, Tree>();
  const mixin: string[] = [];
  for (const flag of flags) {
    if (own.has(flag.name)) continue;
    if (flag.arity === "assignments") for (const word of flag.values) mixin.push(word);
    else tool.set(flag.name, flagTree(flag, known.get(flag.name)!));
  }
  const texts = (name: string): string[] =>
    flags.filter((flag) => flag.name === name && !own.has(name)).flatMap(({ values }) => values);
  const helpFlag = flags.findLast(({ name }) => Object.hasOwn(helpOwners, name) && !own.has(name));
  const taken = new Set([...found.own, ...ownFlags].flatMap(({ index, source }) => source.map((_, i) => index + i)));
  const [file, name] = found.task;
  return {
    argv,
    command,
    help: helpFlag && helpOwners[helpFlag.name],
    version: tool.has("version"),
    words: found.own.map((word) => word.text),
    ownFlags,
    runArgv: argv.filter((_, index) => !taken.has(index)),
    taskFile: file?.text,
    exportName: name?.text,
    positionals,
    cfg: texts("cfg"),
    mixinCfg: texts("mixin_cfg"),
    mixin,
    tool,
  };
}

const helpOwners: Readonly<Record<string, HelpOwner>> = {
  help: "task",
  help_backbone: "backbone",
  help_kagurazaka: "kagurazaka",
};

type Items = readonly (WordItem | FlagItem)[];

/** Behind `--` stand words of the task. A command without a task takes them as its own. */
export function readItems(
  argv: readonly string[],
  command: CommandSyntax,
  arity: (name: string) => Arity | undefined,
  reserved: ReadonlySet<number> = new Set(),
): Words {
  const { items, rest } = readWords(argv, arity, reserved);
  if (command.takes) return { items, rest };
  const from = argv.length - rest.length;
  const words = rest.map(
    (text, i) => ({ kind: "word", text, index: from + i, source: [text], afterUnknown: false }) as const,
  );
  return { items: [...items, ...words], rest: [] };
}

export const looksLikeFile = (word: string): boolean => /[\\/]/.test(word) || isTaskFile(word);
const looksLikeName = (word: string): boolean => /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(word);
const isTaskFile = (word: string): boolean => /^@[\w-]|\.[cm]?[jt]sx?$|\.py$/.test(word);

/** What a ready-made task takes behind its name: an export of a module, `clean.ts#clean`, or a configuration. */
const isArgument = ({ text }: WordItem): boolean => /^[^-].*(?:#|\.[cm]?[jt]sx?$|\.ya?ml$)/.test(text);

interface Positionals {
  readonly own: readonly WordItem[];
  /** Task file and export. */
  readonly task: readonly WordItem[];
}

/** A command's own words come first: before the first flag, or else right before the task file or at the end. */
function findPositionals(items: Items, { words: wanted, takes }: CommandSyntax): Positionals {
  const words = items.filter((item) => item.kind === "word");
  const leading = leadingWords(items).slice(0, wanted.length);
  // `SOURCE…`: as many words as there are.
  if (!takes && wanted.some((word) => word.endsWith("…"))) return { own: words, task: [] };
  if (!takes) {
    const later = words.slice(leading.length);
    return { own: [...leading, ...later.slice(later.length - wanted.length + leading.length)], task: [] };
  }
  if (leading.length > 0)
    return { own: leading, task: findTask(items.filter((item) => !leading.includes(item as WordItem))) };
  const task = findTask(items);
  const end = task[0] ? words.indexOf(task[0]) : words.length;
  return { own: words.slice(Math.max(0, end - wanted.length), end), task };
}

function leadingWords(items: Items): WordItem[] {
  const firstFlag = items.findIndex((item) => item.kind === "flag");
  return (firstFlag < 0 ? items : items.slice(0, firstFlag)) as WordItem[];
}

/** Task file and export: the words before the first flag, else the last ones. Flags between the two are allowed where the meaning is clear. */
function findTask(items: Items): WordItem[] {
  const words = items.filter((item) => item.kind === "word");
  const leading = leadingWords(items);
  const [before, last] = [words.at(-2), words.at(-1)];
  if (leading.length > 0) {
    const file = leading[0]!;
    if (file.text.startsWith("@")) return leading[1] && isArgument(leading[1]) ? [file, leading[1]] : [file];
    if (leading[1]) return [file, leading[1]];
    const late = last !== file && last && !last.afterUnknown && items.at(-1) === last && looksLikeName(last.text);
    return late ? [file, last] : [file];
  }
  if (!last) return [];
  if (before?.text.startsWith("@") && isArgument(last)) return [before, last];
  if (isTaskFile(last.text) || !before) return [last];
  if (isTaskFile(before.text)) return before.text.startsWith("@") ? [before] : [before, last];
  // Flags after the positionals although there are some before them: clear enough when one word alone is a task file.
  const files = words.filter((word) => isTaskFile(word.text));
  if (files.length === 1) {
    const file = files[0]!;
    const next = words[words.indexOf(file) + 1];
    const fits = file.text.startsWith("@") ? isArgument : (word: WordItem) => looksLikeName(word.text);
    const isName = next?.index === file.index + 1 && fits(next);
    return isName ? [file, next] : [file];
  }
  return looksLikeFile(last.text) ? [last] : [before, last];
}

export function flagTree(item: FlagItem, spec: ToolOption): Tree {
  const origin: ValueOrigin = { kind: "flag", text: item.written };
  const leaf = (text: string): Leaf => new Leaf(text, origin);
  if (item.arity === "none") return item.inline ? leaf(item.values[0]!) : new Leaf(!item.negated, origin);
  if (isList(spec)) return new List(item.values.map(leaf), origin);
  const value = item.values[0] ?? spec.bare?.value;
  return value === undefined ? new List([], origin) : leaf(value);
}
