import { displayPath } from "../loader/paths.js";
import { prepareRun } from "../runner/prepare/prepare-run.js";
import { lastRunOf, openStateDir, type State } from "../runner/tools/audit/state-dir.js";
import type { CommandInput } from "./command.js";
import { formatCommand, shownWords } from "./format-command.js";

/** Where a command reads what was recorded: of a task and its configuration, or in a state directory. */
interface StateTarget {
  readonly task: string;
  readonly states: readonly State[];
  readonly json: boolean;
  readonly dryRun: boolean;
  /** The command of a run there, as far as it is known. */
  runCommand(flags: string): string;
}

export async function findStateTarget({ run, runArgv, stateDir }: CommandInput): Promise<StateTarget> {
  if (stateDir === undefined) {
    const prepared = await prepareRun(run);
    return {
      task: prepared.program.ref.id,
      states: prepared.shards,
      json: prepared.config.ui.json,
      dryRun: prepared.config.run.dryRun,
      runCommand: (flags) => formatCommand(shownWords(runArgv, prepared.config.entries), { flags }),
    };
  }
  const state = openStateDir(stateDir.path);
  const { task, source, exportName } = lastRunOf(state);
  const name = exportName === undefined || exportName === "default" ? [] : [exportName];
  return {
    task,
    states: [state],
    json: stateDir.json,
    dryRun: false,
    // The other flags of that run are in run.json, as values and not as words.
    runCommand: (flags) =>
      source === undefined
        ? `the command of the run, with ${flags}`
        : formatCommand([displayPath(source), ...name], { flags: `… ${flags}` }),
  };
}
