import { constants } from "node:os";
import { asEnvironmentError } from "../base/disk.js";
import { watchForEarlyExit } from "../base/early-exit.js";
import { exitCodeOf, KagurazakaError } from "../base/errors.js";
import { findCommand } from "./command-table.js";
import { isHangupIgnored } from "./hangup.js";
import { ending, hardExit } from "./hard-exit.js";
import { guardMessages, messages, messagesDrained } from "./message-out.js";
import { createPalette, formatError } from "./messages.js";
import { dataDelivered, guardStdout, keepStdoutAlone } from "./stdout.js";

/** From words to an exit code. The only place that ends the process. */
export async function main(argv: readonly string[]): Promise<void> {
  const watch = watchForEarlyExit("command");
  handleSignals(() => watch[Symbol.dispose]());
  if (wordsOfTool(argv).some((word) => /^--json(?:=|$)/.test(word))) keepStdoutAlone();
  guardMessages();
  guardStdout();
  process.exitCode = await exitCodeFor(argv);
  process.exitCode = await afterDelivery(process.exitCode);
  await messagesDrained();
  watch[Symbol.dispose]();
  // Sockets and timers that a task left open do not keep a finished run waiting.
  if (ending.isHard) hardExit(process.exitCode);
  process.exit();
}

async function exitCodeFor(argv: readonly string[]): Promise<number> {
  try {
    if (argv[0] === "__complete") return await (await import("./complete.js")).complete(argv.slice(1));
    const found = await findCommand(argv);
    return await (await import("./run-command.js")).runCommand(found.command, found.argv);
  } catch (thrown) {
    const error = asEnvironmentError(thrown) ?? thrown;
    messages.write(`${formatError(error, createPalette(messages))}\n`);
    return exitCodeOf(error);
  }
}

/** Data that did not arrive are a failure, where they are all that the command was asked for. */
async function afterDelivery(exitCode: number): Promise<number> {
  const why = await dataDelivered();
  if (why === undefined) return exitCode;
  const error = new KagurazakaError("environment", `standard output cannot be written: ${why}`);
  messages.write(`${formatError(error, createPalette(messages))}\n`);
  return exitCode > 128 ? exitCode : exitCodeOf(error);
}

const wordsOfTool = (argv: readonly string[]): readonly string[] =>
  argv.includes("--") ? argv.slice(0, argv.indexOf("--")) : argv;

/** The signals whose default, to end the process, is not enough. A run has handlers of its own in addition. */
function handleSignals(onEnd: () => void): void {
  if (isHangupIgnored()) process.on("SIGHUP", () => {});
  // The kernel does not deliver to process 1, as of a container, what it has no handler for.
  if (process.pid !== 1) return;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => {
      if (process.listenerCount(signal) > 1) return;
      onEnd();
      process.exit(128 + constants.signals[signal]);
    });
}
