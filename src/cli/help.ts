import { builtinNames } from "../builtins.js";
import { renderHelp } from "../config/help.js";
import type { RawInput } from "../config/raw-input.js";
import { peekConfig, previewMixin } from "../config/resolve.js";
import { locateTool } from "../loader/tool.js";
import { loadBackbone } from "../runner/prepare/find-backbone.js";
import { loadOwners } from "../runner/prepare/prepare-run.js";
import { commands } from "./command-table.js";

/** `-h` (the task's), `-hb` (the backbone's), `-hk` (the tool's), `--version`. */
export async function printHelp(said: RawInput, argv: readonly string[]): Promise<number> {
  const peek = await peekConfig(said);
  const width = Math.min(120, process.stdout.columns ?? 100);
  const print = (text: string): void => void process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
  if (peek.version) {
    print(locateTool().version);
  } else if (peek.help === "backbone") {
    print(renderHelp("backbone", { ...(await loadBackbone(peek.backbone, "item", process.cwd())), width }));
  } else if (peek.help === "task" && peek.taskFile !== undefined) {
    const owners = await loadOwners(said);
    const mixin = await previewMixin(said, owners.config);
    print(
      renderHelp("task", {
        name: owners.task.id,
        help: owners.task.taskClass.help,
        options: owners.config.taskOptions,
        rawArgs: owners.config.rawArgs === true,
        defaults: owners.task.taskClass.defaults,
        mixin,
        width,
      }),
    );
  } else {
    print(renderHelp("kagurazaka", { width, commands, tasks: builtinNames("tasks") }));
  }
  return argv.length === 0 ? 2 : 0;
}
