import { resolve } from "node:path";
import { builtinNames } from "../builtins.js";
import type { CommandLine } from "../config/command-line.js";
import { renderBackboneHelp, renderCommandHelp, renderTaskHelp, renderToolHelp } from "../config/help.js";
import { inputFromLine, type RawInput } from "../config/raw-input.js";
import { peekConfig, previewMixin } from "../config/resolve.js";
import { locateTool } from "../loader/tool.js";
import { loadBackbone } from "../runner/prepare/find-backbone.js";
import { loadOwners } from "../runner/prepare/prepare-run.js";
import type { AnyCommand } from "./command-table.js";
import { namedCommand } from "./command-table.js";
import { renderScreen, rowsOfCommands } from "./screen.js";

export const helpWidth = (): number => Math.min(120, process.stdout.columns ?? 100);

/** `-h` (of the command, or the task's), `-hb` (the backbone's), `-hk` (the tool's), `--version`; no words at all: exit 2. */
export async function printHelp(command: AnyCommand, line: CommandLine): Promise<number> {
  process.stdout.write(await pageFor(command, line));
  return line.argv.length === 0 ? 2 : 0;
}

async function pageFor(command: AnyCommand, line: CommandLine): Promise<string> {
  const width = helpWidth();
  if (line.version) return `${locateTool().version}\n`;
  if (line.help === "kagurazaka")
    return renderToolHelp({ width, commands: rowsOfCommands(), tasks: builtinNames("tasks") });
  if (line.help === "backbone") return backbonePage(line, width);
  const named = command.name === "" ? await namedCommand([line.taskFile ?? ""]) : { command };
  if (named) return renderCommandHelp(named.command, width);
  return line.taskFile === undefined ? renderScreen() : taskPage(inputFromLine(line), width);
}

/** Of any backbone, whatever kinds of tasks it runs. A package is looked for beside the task, if there is one. */
async function backbonePage(line: CommandLine, width: number): Promise<string> {
  const { backbone } = await peekConfig(inputFromLine(line));
  const from = line.taskFile === undefined || line.taskFile.startsWith("@") ? "package.json" : line.taskFile;
  const { name, help, options } = await loadBackbone(backbone, undefined, resolve(from));
  return renderBackboneHelp({ name, help, options, width });
}

async function taskPage(input: RawInput, width: number): Promise<string> {
  const { task, config } = await loadOwners(input);
  const { help, defaults } = task.taskClass;
  const { taskOptions: options, rawArgs = false } = config;
  const mixin = await previewMixin(input, config);
  return renderTaskHelp({ name: task.id, help, options, rawArgs, defaults, mixin, width });
}
