import type { OptionSpec } from "../base/option-spec.js";
import { type ToolOption, toolOptions } from "./run-options.js";
import { shortOptions } from "./short-flags.js";
import { snakeName } from "./text/names.js";
import { type Arity, type FlagItem, readWords, type WordItem } from "./text/words.js";
import { Leaf, List, type Tree, type ValueOrigin } from "./tree.js";

export type HelpOwner = "task" | "backbone" | "kagurazaka";
const commands = ["explain", "init", "export-inputs"] as const;

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

export function toolArity(name: string): Arity | undefined {
  const spec = toolByName.get(name);
  if (!spec) return undefined;
  if (name === "mixin") return "assignments";
  if (spec.bare) return { optional: spec.bare.words };
  // What a list takes beyond its first word is only known once the positionals are.
  return spec.type === "boolean" ? "none" : "one";
}

const toolByName: ReadonlyMap<string, ToolOption> = new Map(
  Object.entries<ToolOption>({ ...toolOptions, ...shortOptions }).map(([name, spec]) => [snakeName(name), spec]),
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

export const looksLikeFile = (word: string): boolean => /[\\/]/.test(word) || isTaskFile(word);
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

export function flagTree(item: FlagItem, spec: ToolOption | OptionSpec): Tree {
  const place: ValueOrigin = { kind: "flag", text: item.said };
  const leaf = (text: string): Leaf => new Leaf(text, place);
  if (item.arity === "none") return item.inline ? leaf(item.values[0]!) : new Leaf(!item.negated, place);
  if (spec.type === "strings" || spec.type === "integers" || spec.type === "map") {
    return new List(item.values.map(leaf), place);
  }
  const bare = "bare" in spec ? spec.bare?.value : undefined;
  const value = item.values[0] ?? bare;
  return value === undefined ? new List([], place) : leaf(value);
}
