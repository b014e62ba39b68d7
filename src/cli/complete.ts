import type { OptionSpecs } from "../base/option-spec.js";
import { builtinNames, loadBuiltin } from "../builtins.js";
import { arityOf, parseCommandLine } from "../config/command-line.js";
import { cliOptions, shortOptions, type ToolOption, toolOptions } from "../config/run-options.js";
import { flagName, snakeName } from "../config/text/names.js";
import { Leaf } from "../config/tree.js";
import type { TaskClass } from "../contracts/task.js";
import { type AnyCommand, commands, namedCommand } from "./command-table.js";
import { dataOut } from "./stdout.js";

/** What may stand in place of the last word. */
interface Suggestion {
  readonly text: string;
  readonly help?: string | undefined;
}

/** `kagurazaka __complete SHELL WORDS…`: asked by the scripts of `kagurazaka completion`, the last word being the unfinished one. */
export async function complete([shell, ...words]: readonly string[]): Promise<number> {
  const found = await suggest(shell === "bash" ? joinAtEquals(words) : words);
  const isSplit = shell === "bash" && (words.at(-1) === "=" || words.at(-2) === "=");
  const lines = found.map(({ text, help = "" }) => {
    const [line] = help.split("\n");
    if (shell === "fish") return `${text}\t${line}`;
    if (shell === "zsh") return `${text.replaceAll(":", "\\:")}:${line}`;
    return isSplit ? text.slice(text.indexOf("=") + 1) : text;
  });
  dataOut().write(lines.map((line) => `${line}\n`).join(""));
  return 0;
}

/** bash hands over `--progress=b` as three words, and replaces the last one. */
function joinAtEquals(words: readonly string[]): string[] {
  const joined: string[] = [];
  for (const [i, word] of words.entries()) {
    const continues = joined.at(-1)?.startsWith("--") && (word === "=" || words[i - 1] === "=");
    if (continues) joined.push(`${joined.pop()}${word}`);
    else joined.push(word);
  }
  return joined;
}

/** Empty where a file may stand, or anything. */
export async function suggest(words: readonly string[]): Promise<Suggestion[]> {
  const before = words.slice(0, -1);
  const last = words.at(-1) ?? "";
  if (before.includes("--")) return [];
  const { command, argv } = (await namedCommand(before)) ?? { command: undefined, argv: before };
  const flags = await flagsFor(command, argv);
  const values = valuesAt(before.at(-1), last, flags);
  const all = values ?? (last.startsWith("-") ? [...flags.values()].sort(byText) : wordsFor(before, last, command));
  return all.filter(({ text }) => text.startsWith(last));
}

type Flags = ReadonlyMap<string, Suggestion & { readonly spec: ToolOption }>;

/** Values of the flag that the last word belongs to; undefined: it belongs to none. */
function valuesAt(before: string | undefined, last: string, flags: Flags): Suggestion[] | undefined {
  const specOf = (flag: string): ToolOption | undefined => flags.get(snakeName(flag.slice(2)))?.spec;
  const equals = last.startsWith("--") ? last.indexOf("=") : -1;
  if (equals >= 0)
    return valuesOf(specOf(last.slice(0, equals))).map((text) => ({ text: last.slice(0, equals + 1) + text }));
  const spec = before?.startsWith("--") && !before.includes("=") ? specOf(before) : undefined;
  const arity = arityOf(spec);
  if (arity === undefined || arity === "none" || (typeof arity === "object" && last.startsWith("-"))) return undefined;
  return valuesOf(spec).map((text) => ({ text }));
}

function valuesOf(spec: ToolOption | undefined): readonly string[] {
  if (spec === cliOptions.backbone) return ["auto", ...builtinNames("backbones")];
  return spec?.choices ?? spec?.bare?.words ?? [];
}

function wordsFor(before: readonly string[], last: string, command: AnyCommand | undefined): Suggestion[] {
  const tasks = builtinNames("tasks").map((name) => ({ text: `@${name}`, help: "ready-made task" }));
  // The words of all commands whose names begin with the words before; of `ledger compact`, one word after the other.
  const names = Object.entries(commands)
    .map(([name, { summary }]) => ({ words: name.split(" "), help: summary }))
    .filter(({ words }) => words.length > before.length && before.every((word, i) => word === words[i]))
    .map(({ words, help }) => ({ text: words[before.length]!, help }));
  if (before.length === 0) return [...names, ...tasks];
  if (command === undefined && names.length > 0) return names;
  const isFirst = command !== undefined && before.length === command.name.split(" ").length;
  if (isFirst && command.firstWords) return command.firstWords().map((text) => ({ text }));
  return last.startsWith("@") && (command === undefined || command.takes) ? tasks : [];
}

const byText = (a: Suggestion, b: Suggestion): number => (a.text < b.text ? -1 : 1);

/** Of the command, of kagurazaka, of the named backbone and of a ready-made task: nothing is compiled for a completion. */
async function flagsFor(command: AnyCommand | undefined, argv: readonly string[]): Promise<Flags> {
  const owners: OptionSpecs[] = [command?.options ?? {}];
  if (command && !command.takes) owners.push({ help: cliOptions.help });
  else {
    const { tool, taskFile = "" } = parseCommandLine(argv, command);
    const chosen = tool.get("backbone");
    const backbone = chosen instanceof Leaf && chosen.value !== "auto" ? String(chosen.value) : "mp";
    const task = await loadBuiltin("tasks", taskFile.slice(1));
    owners.push(toolOptions, shortOptions, (await loadBuiltin("backbones", backbone))?.options ?? {});
    owners.push((task as TaskClass | undefined)?.options ?? {});
  }
  const found = new Map<string, Suggestion & { readonly spec: ToolOption }>();
  for (const [name, spec] of owners.flatMap((specs) => Object.entries(specs)))
    if (!found.has(snakeName(name))) found.set(snakeName(name), { text: flagName(name), help: spec.help, spec });
  return found;
}
