import { exitCodeOf } from "../base/errors.js";
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
    const [command, ...words] = argv;
    switch (command) {
      case "explain":
        return await (await import("./commands/explain.js")).explain(words);
      case "init":
        return await (await import("./commands/init.js")).init(words);
      case "export-inputs":
        return await (await import("./commands/export-inputs.js")).exportInputsCommand(words);
      default:
        return await (await import("./commands/run.js")).run(argv);
    }
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
