import { existsSync } from "node:fs";
import { exitCodeOf, KagurazakaError } from "../base/errors.js";
import { commandOf, nearestCommand } from "./command-table.js";
import { createPalette } from "./palette.js";
import { formatError } from "./print-error.js";

/** From words to an exit code. The only place that ends the process. */
export async function main(argv: readonly string[]): Promise<void> {
  process.exitCode = await exitCodeFor(argv);
  await drained(process.stdout);
  await drained(process.stderr);
  // Whatever a task left open (a socket, a timer) does not keep a finished run waiting.
  process.exit();
}

async function exitCodeFor(argv: readonly string[]): Promise<number> {
  try {
    const [word, ...rest] = argv;
    const command = commandOf(word);
    if (command) return await command.run(rest);
    if (word !== undefined) refuseMisspelt(word);
    return await (await import("./commands/run.js")).run(argv);
  } catch (error) {
    process.stderr.write(`${formatError(error, createPalette(process.stderr))}\n`);
    return exitCodeOf(error);
  }
}

/** A word that is neither a command nor a file, but nearly a command. */
function refuseMisspelt(word: string): void {
  const near = /^[a-z-]+$/.test(word) && !word.startsWith("-") && !existsSync(word) ? nearestCommand(word) : undefined;
  if (near === undefined) return;
  throw new KagurazakaError("usage", `there is no command or task file "${word}". Did you mean "${near}"?`, {
    where: "command line",
    hint: "kagurazaka -hk lists the commands.",
  });
}

/** Pipes are written in the background; an exit must not cut them off. */
function drained(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed) resolve();
    else stream.write("", () => resolve());
  });
}
