import { KagurazakaError } from "../base/errors.js";
import { nearestName } from "../base/nearest.js";
import type { OptionSpecs, OptionValues } from "../base/option-spec.js";
import type { TemplateUse } from "../contracts/define.js";
import {
  arityOf,
  bySnakeName,
  type CommandLine,
  type CommandSyntax,
  flagTree,
  isList,
  looksLikeFile,
  readItems,
} from "./command-line.js";
import { Report } from "./report.js";
import { shortOptions, type ToolOption, toolOptions } from "./run-options.js";
import { flagName, isAssignment, snakeName } from "./text/names.js";
import type { FlagItem } from "./text/words.js";
import { List, type Tree } from "./tree.js";
import { optionValue } from "./values.js";

/** Who declares flags besides the tool. */
export interface FlagOwners {
  readonly backboneName: string;
  readonly backboneOptions: OptionSpecs;
  readonly taskName: string;
  readonly taskOptions: OptionSpecs;
  /** The task says `static rawArgs = true`: it takes unknown flags and words. */
  readonly rawArgs?: boolean;
  /** `static defaults` of the task's class, as it is written. */
  readonly taskDefaults?: unknown;
  /** Flags of the backbones that are not chosen; asked for only when no other owner has the name. */
  readonly otherBackboneFlags?: () => Promise<readonly string[]>;
  /** The task's template, for short flags to set values of. */
  readonly template?: TemplateUse | undefined;
}

interface GivenFlags {
  /** By their names in snake_case; the owner follows from who declares the name. */
  readonly flags: ReadonlyMap<string, Tree>;
  readonly rawArgs: readonly string[];
  readonly mistakes: readonly KagurazakaError[];
}

interface KnownFlag {
  readonly spec: ToolOption;
  /** Ends the sentence "… is a flag of". */
  readonly owner: string;
}

type KnownFlags = ReadonlyMap<string, KnownFlag>;

/** Every declared flag by its name in snake_case; the tool's come first, but for the short ones: those any owner may take. */
export function knownFlags(owners: FlagOwners): Map<string, KnownFlag> {
  const known = new Map<string, KnownFlag>();
  const add = (specs: OptionSpecs, owner: string): void => {
    for (const [name, spec] of bySnakeName(specs)) if (!known.has(name)) known.set(name, { spec, owner });
  };
  add(toolOptions, "kagurazaka");
  add(owners.backboneOptions, `the backbone ${owners.backboneName}`);
  add(owners.taskOptions, `the task ${owners.taskName}`);
  // A task that reads unknown flags raw and has no template gets these too.
  if (owners.template || !owners.rawArgs) add(shortOptions, "kagurazaka");
  return known;
}

const knownOwn = ({ name, options }: CommandSyntax): Map<string, KnownFlag> =>
  new Map([...bySnakeName(options)].map(([flag, spec]) => [flag, { spec, owner: name }]));

/** All flags of a run, when all owners are known: each has an owner, or is a mistake, or the task takes it raw. */
export function readFlags(line: CommandLine, owners: FlagOwners): GivenFlags {
  const own = knownOwn(line.command);
  const given = readKnown(line, new Map([...knownFlags(owners), ...own]), owners.rawArgs);
  // The command has read its own flags.
  for (const name of own.keys()) given.flags.delete(name);
  return given;
}

/** The flags of a command that takes no run. */
function readOwnFlags(line: CommandLine): GivenFlags {
  const help: KnownFlag = { spec: toolOptions.help!, owner: line.command.name };
  return readKnown(line, new Map([...knownOwn(line.command), ["help", help]]));
}

function readKnown(line: CommandLine, known: KnownFlags, takesRaw = false) {
  const { argv, command, positionals } = line;
  const { items, rest } = readItems(argv, command, (name) => arityOf(known.get(name)?.spec), positionals);
  const flags = new Map<string, Tree>();
  const rawArgs: string[] = [];
  const mistakes: KagurazakaError[] = [];
  for (const item of items) {
    if (item.kind === "word") {
      if (positionals.has(item.index)) continue;
      if (takesRaw) rawArgs.push(item.text);
      else if (!item.afterUnknown) mistakes.push(unexpectedWord(item.text, command));
    } else if (item.arity === undefined) {
      if (takesRaw) rawArgs.push(...item.source);
      else mistakes.push(unknownFlag(item.written, known, { command }));
    } else {
      const mistake = missingValue(item);
      if (mistake) mistakes.push(mistake);
      else if (item.arity !== "assignments")
        flags.set(item.name, joined(flags.get(item.name), flagTree(item, known.get(item.name)!.spec)));
    }
  }
  return { flags, rawArgs: [...rawArgs, ...rest], mistakes };
}

/** The values of a command's own flags; the report gets everything that is wrong with its own words and flags. */
export function readCommandValues<S extends OptionSpecs>(
  line: CommandLine,
  { options }: CommandSyntax<S>,
): { values: OptionValues<S>; mistakes: readonly KagurazakaError[]; notes: readonly string[] } {
  const report = new Report();
  const given = line.command.takes ? flagsBesidesRun(line) : readOwnFlags(line);
  for (const mistake of [...missingWords(line), ...givenTwice(line.ownFlags, options), ...given.mistakes])
    report.mistake(mistake);
  const values: Record<string, unknown> = {};
  for (const [name, spec] of Object.entries(options))
    report.attempt(() => {
      values[name] = optionValue(name, spec, given.flags.get(snakeName(name)), report);
    });
  return { values: values as OptionValues<S>, mistakes: report.mistakes, notes: [...report.notes] };
}

/** The own flags of a command that takes a run: other flags wait until task and backbone are loaded. */
function flagsBesidesRun({ ownFlags, command }: CommandLine): Omit<GivenFlags, "rawArgs"> {
  const specs = bySnakeName(command.options);
  const complete = ownFlags.filter((item) => !missingValue(item));
  return {
    flags: new Map(complete.map((item) => [item.name, flagTree(item, specs.get(item.name)!)])),
    mistakes: ownFlags.flatMap((item) => missingValue(item) ?? []),
  };
}

function missingWords({ command, words, taskFile }: CommandLine): KagurazakaError[] {
  const missing = command.words.filter((word) => !word.startsWith("[")).slice(words.length);
  if (command.takes && command.name !== "" && taskFile === undefined)
    missing.push(command.takes === "run" ? "a task" : "a task or its state directory");
  return missing.length === 0 ? [] : [usageError(`${command.name} needs ${missing.join(" and ")}`, usageOf(command))];
}

/** `kagurazaka explain KEY TASK_FILE [TASK_NAME] [flags]` */
export function usageOf({ name, words, takes }: CommandSyntax): string {
  const run = "TASK_FILE [TASK_NAME]";
  const task = takes === undefined ? [] : takes === "run" ? [run] : [`(${run} | STATE_DIR)`];
  return ["kagurazaka", ...(name === "" ? [] : [name]), ...words, ...task, "[flags]"].join(" ");
}

/** Lists collect; of anything else the last one wins. */
function joined(before: Tree | undefined, now: Tree): Tree {
  return before instanceof List && now instanceof List ? new List([...before.items, ...now.items], now.origin) : now;
}

/** A command's own flag that has one value and got several. */
function givenTwice(items: readonly FlagItem[], options: OptionSpecs): KagurazakaError[] {
  const single = [...bySnakeName(options)].filter(([, spec]) => spec.type !== "boolean" && !isList(spec));
  return single.flatMap(([name]) => {
    const values = items.filter((item) => item.name === name).flatMap((item) => item.values);
    if (new Set(values).size < 2) return [];
    const flag = flagName(name).replaceAll("_", "-");
    return [new KagurazakaError("usage", `${flag} is given twice: ${values.join(" and ")}`, { where: flag })];
  });
}

function missingValue(item: FlagItem): KagurazakaError | undefined {
  const usage = (message: string) => new KagurazakaError("usage", message, { where: item.written });
  if (item.arity === "assignments") {
    const wrong = item.values.find((word) => !isAssignment(word));
    if (wrong === undefined && item.values.length > 0) return undefined;
    return usage(`--mixin needs key=value${wrong === undefined ? "" : `, not "${wrong}"`}`);
  }
  const needs = item.arity === "one" || item.arity === "many";
  return needs && item.values.length === 0 ? usage(`${item.written} needs a value`) : undefined;
}

function unexpectedWord(word: string, { name, takes }: CommandSyntax): KagurazakaError {
  const isMixin = takes && !looksLikeFile(word) && isAssignment(word);
  return usageError(
    `unexpected argument "${word}"${isMixin ? ". Did you mean --mixin before it?" : ""}`,
    takes
      ? "The arguments besides flags are TASK_FILE and TASK_NAME, first or last. Arguments that the task itself reads go after --."
      : `kagurazaka ${name} -h shows its arguments.`,
  );
}

export function unknownFlag(
  written: string,
  known: KnownFlags,
  { command, where = written }: { command?: CommandSyntax; where?: string } = {},
): KagurazakaError {
  const near = nearestName(written, known.keys());
  if (near !== undefined) {
    const meant = `${flagName(declaredToolName(near))}, a flag of ${known.get(near)!.owner}`;
    return new KagurazakaError("unknown-flag", `unknown flag ${written}. Did you mean ${meant}?`, { where });
  }
  const hint =
    command && !command.takes
      ? `kagurazaka ${command.name} -h lists its flags.`
      : "-h lists the task's flags, -hb the backbone's and -hk kagurazaka's. Arguments that the task itself reads go after --.";
  return new KagurazakaError("unknown-flag", `unknown flag ${written}`, { where, hint });
}

/** Tool flags are shown in kebab-case, others as declared. */
const declaredToolName = (name: string): string =>
  Object.keys(toolOptions).find((tool) => snakeName(tool) === name) ?? name;

export const missingTask = (): KagurazakaError =>
  usageError(
    "no task is named",
    "kagurazaka TASK_FILE TASK_NAME, or kagurazaka @word-count. kagurazaka --help shows examples.",
  );

/** The words of a command line make no sense. */
export const usageError = (message: string, hint: string): KagurazakaError =>
  new KagurazakaError("usage", message, { where: "command line", hint });
