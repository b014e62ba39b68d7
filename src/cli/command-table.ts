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
  readonly load: () => Promise<{ readonly command: AnyCommand }>;
}

/** Commands by name, in the order that lists show them. Each file is loaded when its command is asked for. */
export const commands: Readonly<Record<string, Entry>> = {
  init: { summary: "write a task file to start from", load: () => import("./commands/init.js") },
  explain: { summary: "why an item would run or not", load: () => import("./commands/explain.js") },
  failures: { summary: "what has failed, by class", load: () => import("./commands/failures.js") },
  verify: { summary: "compare outputs with the ledger", load: () => import("./commands/verify.js") },
  split: { summary: "cut an input into hard shards", load: () => import("./commands/split.js") },
  "ledger compact": { summary: "fold a ledger into one file", load: () => import("./commands/ledger-compact.js") },
  "export-inputs": { summary: "write the input list as JSONL", load: () => import("./commands/export-inputs.js") },
  "records head": { summary: "the first rows of a dataset", load: () => import("./commands/records-head.js") },
  "records schema": { summary: "its columns and their types", load: () => import("./commands/records-schema.js") },
  "records count": { summary: "how many rows it has", load: () => import("./commands/records-count.js") },
  "records sample": { summary: "some rows, at random", load: () => import("./commands/records-sample.js") },
  "records convert": { summary: "write it in another format", load: () => import("./commands/records-convert.js") },
  worker: { summary: "work as a node of a fleet", load: () => import("./commands/worker.js") },
  status: { summary: "the runs of a fleet", load: () => import("./commands/status.js") },
  wait: { summary: "wait for a run of a fleet", load: () => import("./commands/wait.js") },
  cancel: { summary: "stop a run of a fleet", load: () => import("./commands/cancel.js") },
  workers: { summary: "the nodes of a fleet", load: () => import("./commands/workers.js") },
  dashboard: { summary: "a page to watch a fleet on", load: () => import("./commands/dashboard.js") },
  completion: { summary: "completion for bash, zsh, fish", load: () => import("./commands/completion.js") },
  help: { summary: "the page of a command", load: () => import("./commands/help.js") },
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
    if (!Object.hasOwn(commands, name)) continue;
    const { command } = await commands[name]!.load();
    return { command, argv: argv.slice(length) };
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
    if (argv.includes("-h") || argv.includes("--help")) return (await namedCommand(["help", word!]))!;
    throw unknownCommand(argv.slice(0, 2).join(" "), group);
  }
  const firstWords = Object.keys(commands).map((name) => name.split(" ")[0]!);
  const mayBeName = word !== undefined && /^[a-z][a-z-]*$/.test(word) && !existsSync(word);
  if (mayBeName && nearestName(word, firstWords) !== undefined) throw unknownCommand(word, firstWords);
  return { command: (await import("./commands/run.js")).command, argv };
}

export function unknownCommand(name: string, known: readonly string[] = Object.keys(commands)): KagurazakaError {
  const hint = `The commands are ${Object.keys(commands).join(", ")}.`;
  return usageError(`there is no command "${name}".${didYouMean(name, known)}`, hint);
}
