import { KagurazakaError } from "../base/errors.js";
import type { OptionSpecs, OptionValues } from "../base/option-spec.js";
import { bySnakeName, type CommandLine, type CommandSyntax, flagTree } from "./command-line.js";
import { givenTwice, missingValue, readOwnFlags } from "./flags.js";
import { optionValue } from "./section.js";
import { snakeName } from "./text/names.js";
import type { Tree } from "./tree.js";

/** The values of a command's own flags, and everything that is wrong with its own words and flags. */
interface CommandValues<S extends OptionSpecs> {
  readonly values: OptionValues<S>;
  readonly mistakes: readonly KagurazakaError[];
  /** Spellings worth a line. */
  readonly notes: readonly string[];
}

export function readCommandValues<S extends OptionSpecs>(
  line: CommandLine,
  { options }: CommandSyntax<S>,
): CommandValues<S> {
  const mistakes = [...missingWords(line), ...givenTwice(line.ownFlags, options)];
  const notes: string[] = [];
  const report = {
    mistake: (error: unknown): void => {
      if (!KagurazakaError.is(error)) throw error;
      mistakes.push(error);
    },
    note: (text: string): void => void notes.push(text),
  };
  const given = line.command.takes ? flagsBesidesRun(line) : readOwnFlags(line);
  mistakes.push(...given.mistakes);
  const values: Record<string, unknown> = {};
  for (const [name, spec] of Object.entries(options)) {
    try {
      values[name] = optionValue(name, spec, given.flags.get(snakeName(name)), report);
    } catch (error) {
      report.mistake(error);
    }
  }
  return { values: values as OptionValues<S>, mistakes, notes };
}

/** Of a command that takes a run: other flags wait until task and backbone are loaded. */
function flagsBesidesRun({ ownFlags, command }: CommandLine): {
  flags: ReadonlyMap<string, Tree>;
  mistakes: readonly KagurazakaError[];
} {
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
  return missing.length === 0
    ? []
    : [
        new KagurazakaError("usage", `${command.name} needs ${missing.join(" and ")}`, {
          where: "command line",
          hint: usageOf(command),
        }),
      ];
}

/** `kagurazaka explain KEY TASK_FILE [TASK_NAME] [flags]` */
export function usageOf({ name, words, takes }: CommandSyntax): string {
  const task = takes === undefined ? [] : takes === "run" ? [RUN_WORDS] : [`(${RUN_WORDS} | STATE_DIR)`];
  return ["kagurazaka", ...(name === "" ? [] : [name]), ...words, ...task, "[flags]"].join(" ");
}

const RUN_WORDS = "TASK_FILE [TASK_NAME]";
