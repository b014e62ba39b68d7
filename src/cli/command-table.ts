import { existsSync } from "node:fs";
import type { KagurazakaError } from "../base/errors.js";
import { didYouMean, nearestName } from "../base/nearest.js";
import { usageError } from "../config/flags.js";
import type { Command } from "./command.js";

// biome-ignore lint/suspicious/noExplicitAny: a table holds commands with all kinds of options.
export type AnyCommand = Command<any>;

interface Entry {
  /** One line for lists of commands. */
  readonly summary: string;
  readonly load: () => Promise<AnyCommand>;
}

/** Commands by name, in the order that lists show them. Each file is loaded when its command is asked for. */
export const commands: Readonly<Record<string, Entry>> = {
  init: {
    summary: "write a task file to start from",
    load: async () => (await import("./commands/init.js")).init,
  },
  explain: {
    summary: "why an item would run or not",
    load: async () => (await import("./commands/explain.js")).explain,
  },
  failures: {
    summary: "what has failed, by class",
    load: async () => (await import("./commands/failures.js")).failures,
  },
  verify: {
    summary: "compare outputs with the ledger",
    load: async () => (await import("./commands/verify.js")).verify,
  },
  split: {
    summary: "cut an input into hard shards",
    load: async () => (await import("./commands/split.js")).split,
  },
  "ledger compact": {
    summary: "fold a ledger into one file",
    load: async () => (await import("./commands/ledger-compact.js")).ledgerCompact,
  },
  "export-inputs": {
    summary: "write the input list as JSONL",
    load: async () => (await import("./commands/export-inputs.js")).exportInputs,
  },
  completion: {
    summary: "completion for bash, zsh, fish",
    load: async () => (await import("./commands/completion.js")).completion,
  },
  help: {
    summary: "the page of a command",
    load: async () => (await import("./commands/help.js")).help,
  },
};

interface FoundCommand {
  readonly command: AnyCommand;
  /** The words behind its name. */
  readonly argv: readonly string[];
}

/** The command that the first words name, or undefined. Own names only: `toString` is no command. */
export async function namedCommand(argv: readonly string[]): Promise<FoundCommand | undefined> {
  for (const length of [2, 1]) {
    const name = argv.slice(0, length).join(" ");
    if (Object.hasOwn(commands, name)) return { command: await commands[name]!.load(), argv: argv.slice(length) };
  }
  return undefined;
}

/** The command of an argument vector; without a name it is a run. */
export async function findCommand(argv: readonly string[]): Promise<FoundCommand> {
  const [word] = argv;
  const named = await namedCommand(argv);
  if (named) return named;
  const group = Object.keys(commands).filter((name) => name.startsWith(`${word} `));
  if (group.length > 0) {
    if (argv.includes("-h") || argv.includes("--help")) return (await namedCommand([...group[0]!.split(" "), "-h"]))!;
    throw unknownCommand(argv.slice(0, 2).join(" "), group);
  }
  const firstWords = Object.keys(commands).map((name) => name.split(" ")[0]!);
  const mayBeName = word !== undefined && /^[a-z][a-z-]*$/.test(word) && !existsSync(word);
  if (mayBeName && nearestName(word, firstWords) !== undefined) throw unknownCommand(word, firstWords);
  return { command: (await import("./commands/run.js")).run, argv };
}

export function unknownCommand(name: string, known: readonly string[] = Object.keys(commands)): KagurazakaError {
  const hint = `The commands are ${Object.keys(commands).join(", ")}.`;
  return usageError(`there is no command "${name}".${didYouMean(name, known)}`, hint);
}
