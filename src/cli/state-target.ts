import { statSync } from "node:fs";
import { KagurazakaError } from "../base/errors.js";
import { inputFromArgv } from "../config/raw-input.js";
import { displayPath } from "../loader/paths.js";
import { prepareRun } from "../runner/prepare/prepare-run.js";
import { lastRunOf, openStateDir, type State } from "../runner/tools/audit/state-dir.js";
import { formatCommand } from "./format-command.js";
import { type OwnFlags, refuseLeftOver, type TakenFlags, takeFlags } from "./take-flags.js";

/** Where a command reads what was recorded: of a task and its configuration, or in a directory named outright. */
interface StateTarget<F extends OwnFlags> {
  readonly task: string;
  readonly states: readonly State[];
  readonly json: boolean;
  readonly flags: TakenFlags<F>["flags"];
  /** The command of a run there, as far as it is known. */
  runCommand(flags: string): string;
}

export async function findStateTarget<const F extends OwnFlags>(
  command: string,
  words: readonly string[],
  own: F,
): Promise<StateTarget<F>> {
  const { flags, rest } = takeFlags(words, own);
  if (!rest.some((word) => !word.startsWith("-"))) {
    throw new KagurazakaError("usage", `${command} needs a task, or the directory of one`, {
      hint: `kagurazaka ${command} task.ts MyTask --cfg base.yaml, or kagurazaka ${command} out/.kagurazaka/MyTask`,
    });
  }
  // Only as the first word: further on, a directory is the value of a flag.
  const dir = rest.find((word) => word !== "--json");
  if (dir === undefined || statSync(dir, { throwIfNoEntry: false })?.isDirectory() !== true) {
    const prepared = await prepareRun(inputFromArgv(rest));
    return {
      task: prepared.program.ref.id,
      states: prepared.shards,
      json: prepared.config.ui.json,
      flags,
      runCommand: (more) => formatCommand(rest, { flags: more }),
    };
  }
  const withJson = { ...own, json: "bare" } as const;
  const more = takeFlags(
    rest.filter((word) => word !== dir),
    { json: "bare" },
  );
  refuseLeftOver(more.rest, withJson);
  const state = openStateDir(dir);
  const { task, source, exportName } = lastRunOf(state);
  return {
    task,
    states: [state],
    json: more.flags.json === true,
    flags,
    // What else was said is in run.json, as values and not as words.
    runCommand: (flag) =>
      source === undefined
        ? `the command of the run, with ${flag}`
        : formatCommand(
            [displayPath(source), ...(exportName === undefined || exportName === "default" ? [] : [exportName])],
            {
              flags: `… ${flag}`,
            },
          ),
  };
}
