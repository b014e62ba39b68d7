import { nearestName } from "../base/nearest.js";

/** A word in place of a task file: what it does is behind its own door, loaded when it is asked for. */
interface Command {
  /** One line for `-hk`. */
  readonly help: string;
  /** @returns the exit code */
  run(words: readonly string[]): Promise<number>;
}

export const commands: Readonly<Record<string, Command>> = {
  explain: {
    help: "why an item would run or not",
    run: async (words) => (await import("./commands/explain.js")).explain(words),
  },
  init: {
    help: "a task file to start from",
    run: async (words) => (await import("./commands/init.js")).init(words),
  },
  "export-inputs": {
    help: "the input list as JSONL",
    run: async (words) => (await import("./commands/export-inputs.js")).exportInputsCommand(words),
  },
  split: {
    help: "an input tree as hard shards",
    run: async (words) => (await import("./commands/split.js")).split(words),
  },
  verify: {
    help: "hold a tree against its ledger and checks",
    run: async (words) => (await import("./commands/verify.js")).verify(words),
  },
  failures: {
    help: "what has failed, by class",
    run: async (words) => (await import("./commands/failures.js")).failures(words),
  },
  ledger: {
    help: "ledger compact: fold a ledger into one file",
    run: async (words) => (await import("./commands/ledger.js")).ledger(words),
  },
};

/** Own names only: `toString` is no command. */
export const commandOf = (word: string | undefined): Command | undefined =>
  word !== undefined && Object.hasOwn(commands, word) ? commands[word] : undefined;

/** The command somebody may have meant by a word that is no task file. */
export const nearestCommand = (word: string): string | undefined => nearestName(word, Object.keys(commands));
