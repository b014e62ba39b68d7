import type { OptionSpecs, OptionValues } from "../base/option-spec.js";
import type { CommandSyntax } from "../config/command-line.js";
import type { RawInput } from "../config/raw-input.js";

/** What a command line says, checked as far as the command itself can. */
export interface CommandInput<S extends OptionSpecs = OptionSpecs> {
  /** The command's own words. */
  readonly words: readonly string[];
  readonly values: OptionValues<S>;
  /** The other words: the run that the command is about. */
  readonly run: RawInput;
  readonly runArgv: readonly string[];
  /** In place of a run, where the command takes one. */
  readonly stateDir: { readonly path: string; readonly json: boolean } | undefined;
}

/** A command as data: parser, help pages and completion read it. */
export interface Command<S extends OptionSpecs = OptionSpecs> extends CommandSyntax<S> {
  /** What it does, for `kagurazaka COMMAND -h`. */
  readonly help: string;
  /** Paragraphs under its flags. */
  readonly notes?: readonly string[];
  /** What the first word may be, for completion; files, if absent. */
  readonly firstWords?: () => readonly string[];
  /** @returns the exit code */
  run(input: CommandInput<S>): Promise<number>;
}

/** Identity with inference: `run` knows the types of the command's own values. */
export const defineCommand = <const S extends OptionSpecs>(command: Command<S>): Command<S> => command;
