import { exitCodeOf } from "../base/errors.js";
import { findCommand } from "./command-table.js";
import { createPalette, formatError } from "./messages.js";

/** From words to an exit code. The only place that ends the process. */
export async function main(argv: readonly string[]): Promise<void> {
  process.exitCode = await exitCodeFor(argv);
  await drained(process.stdout);
  await drained(process.stderr);
  // Sockets and timers that a task left open do not keep a finished run waiting.
  process.exit();
}

async function exitCodeFor(argv: readonly string[]): Promise<number> {
  try {
    if (argv[0] === "__complete") return await (await import("./complete.js")).complete(argv.slice(1));
    const found = await findCommand(argv);
    return await (await import("./run-command.js")).runCommand(found.command, found.argv);
  } catch (error) {
    process.stderr.write(`${formatError(error, createPalette(process.stderr))}\n`);
    return exitCodeOf(error);
  }
}

/** Pipes are written in the background; an exit must not cut them off. */
function drained(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed) resolve();
    else stream.write("", () => resolve());
  });
}
