import { statSync } from "node:fs";
import { KagurazakaError, MistakesError } from "../base/errors.js";
import { escapeControls } from "../base/text.js";
import { type CommandLine, parseCommandLine } from "../config/command-line.js";
import { readCommandValues } from "../config/flags.js";
import { inputFromLine } from "../config/raw-input.js";
import { cliOptions } from "../config/run-options.js";
import { prepareRun } from "../runner/prepare/prepare-run.js";
import type { AnyCommand } from "./command-table.js";
import { messages } from "./message-out.js";
import { createPalette } from "./messages.js";

/** From the words of one command to its exit code: a page of help, or all mistakes at once, or what it does. */
export async function runCommand(command: AnyCommand, argv: readonly string[]): Promise<number> {
  const line = parseCommandLine(argv, command);
  if (line.help !== undefined || line.version || (argv.length === 0 && command.name === ""))
    return (await import("./commands/help.js")).printHelp(command, line);
  if (command.takes === "run or state" && isDirectory(line.taskFile)) return runOnState(command, argv);
  const { values, mistakes, notes } = readCommandValues(line, command);
  if (mistakes.length > 0) throw await withMistakesOfRun(line, mistakes);
  printNotes(notes);
  const { words, runArgv } = line;
  return command.run({ words, values, run: inputFromLine(line), runArgv, stateDir: undefined });
}

/** A state directory in place of the task: then there are no flags of a run but `--json`. */
async function runOnState(command: AnyCommand, argv: readonly string[]): Promise<number> {
  const options = { ...command.options, json: cliOptions.json };
  const syntax = { ...command, words: ["STATE_DIR"], options, takes: undefined };
  const line = parseCommandLine(argv, syntax);
  const { values, mistakes, notes } = readCommandValues(line, syntax);
  MistakesError.throwIfAny(mistakes);
  printNotes(notes);
  const stateDir = { path: line.words[0]!, json: values.json as boolean };
  return command.run({ words: [], values, run: inputFromLine(line), runArgv: [], stateDir });
}

/** What is wrong with the command's own words and flags, and with those of the run: preparing it finds out. */
async function withMistakesOfRun(line: CommandLine, own: readonly KagurazakaError[]): Promise<KagurazakaError> {
  const all = new Set(own);
  if (line.command.takes && line.taskFile !== undefined) {
    try {
      await prepareRun(inputFromLine(line, own));
    } catch (error) {
      if (!KagurazakaError.is(error)) throw error;
      for (const mistake of error instanceof MistakesError ? error.mistakes : [error]) all.add(mistake);
    }
  }
  return all.size === 1 ? own[0]! : new MistakesError([...all]);
}

function printNotes(notes: readonly string[]): void {
  const { dim } = createPalette(messages);
  for (const note of notes) messages.write(`${dim("note")} ${escapeControls(note)}\n`);
}

const isDirectory = (path: string | undefined): boolean =>
  path !== undefined && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
