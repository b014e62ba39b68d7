import { resolve } from "node:path";
import { builtinNames } from "../../builtins.js";
import type { CommandLine } from "../../config/command-line.js";
import { renderBackboneHelp, renderCommandHelp, renderTaskHelp, renderToolHelp } from "../../config/help.js";
import { inputFromLine, type RawInput } from "../../config/raw-input.js";
import { peekConfig, previewMixin } from "../../config/resolve.js";
import { locateTool } from "../../loader/tool.js";
import { loadBackbone } from "../../runner/prepare/find-backbone.js";
import { loadOwners } from "../../runner/prepare/prepare-run.js";
import { defineCommand } from "../command.js";
import { type AnyCommand, commands, namedCommand, unknownCommand } from "../command-table.js";
import { dataOut } from "../stdout.js";

export const command = defineCommand({
  name: "help",
  words: ["[COMMAND]", "[SUBCOMMAND]"],
  options: {},
  help: "Shows the page of a command, as COMMAND -h does.",
  firstWords: () => Object.keys(commands),
  async run({ words }) {
    dataOut().write(words.length === 0 ? renderScreen() : await pageOf(words));
    return 0;
  },
});

async function pageOf(words: readonly string[]): Promise<string> {
  const name = words.join(" ");
  if (isFamily(name)) return familyPage(name);
  // `help ledger` means the command that begins so.
  const full = Object.keys(commands).find((one) => one === name || one.startsWith(`${name} `));
  const found = full === undefined ? undefined : await namedCommand(full.split(" "));
  if (!found) throw unknownCommand(name);
  return renderCommandHelp(found.command, helpWidth());
}

/** `records -h`: what its commands do, each of which has a page. */
function familyPage(word: string): string {
  const rows = rowsOfCommands().filter(([name]) => name.startsWith(`${word} `));
  const lines = rows.map(([name, summary]) => `  ${name.padEnd(TERM)} ${summary}`);
  return `Usage: kagurazaka ${word} COMMAND [flags]\n\nCommands:\n${lines.join("\n")}\n\nMore help: kagurazaka ${rows[0]![0]} -h\n`;
}

const helpWidth = (): number => Math.min(120, process.stdout.columns ?? 100);

/** `-h` (of the command, or the task's), `-hb` (the backbone's), `-hk` (the tool's), `--version`; no words at all: exit 2. */
export async function printHelp(command: AnyCommand, line: CommandLine): Promise<number> {
  dataOut().write(await pageFor(command, line));
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
  const { help, defaults, argument } = task.taskClass;
  const { taskOptions: options, rawArgs = false } = config;
  const mixin = await previewMixin(input, config);
  return renderTaskHelp({
    name: task.id,
    argument: argument?.placeholder,
    help,
    options,
    rawArgs,
    defaults,
    mixin,
    width,
  });
}

const rowsOfCommands = (): [string, string][] => Object.entries(commands).map(([name, { summary }]) => [name, summary]);

/** The same, but commands that share their first word are one row. */
function foldedRows(): [string, string][] {
  const rows = new Map<string, [string, string]>();
  for (const [name, summary] of rowsOfCommands()) {
    const [family, member] = name.split(" ") as [string, string?];
    const before = rows.get(family);
    if (before && member !== undefined) before[1] += `|${member}`;
    else rows.set(family, isFamily(family) ? [family, member!] : [name, summary]);
  }
  return [...rows.values()];
}

const isFamily = (word: string): boolean =>
  Object.keys(commands).filter((name) => name.startsWith(`${word} `)).length > 1;

/** The flags people need, with fewer words than `-hk` has. A test holds that each of them exists. */
export const mainFlags: readonly (readonly [string, string])[] = [
  ["--in DIR", "where the inputs are"],
  ["--out DIR", "where the outputs go"],
  ["--lines FILE", "one item for each line"],
  ["--backbone NAME", "auto, inline, mp, bullmq, a path"],
  ["--num_process N", "workers; default: one per core"],
  ["--dry-run", "count the items and run nothing"],
  ["--limit N", "run at most N items"],
  ["--retry-failed", "run only the items that failed"],
  ["--force", "do finished items again"],
  ["--timeout 60s", "longest time of one item"],
];

/** `kagurazaka --help`: one screen of 24 lines and 100 columns. */
export function renderScreen(): string {
  const tasks = builtinNames("tasks").map((name) => `@${name}`);
  return `Usage: kagurazaka TASK_FILE [TASK_NAME] [flags]   Runs a task over its items, skips finished ones.
Examples:
  kagurazaka task.ts MyTask --in texts --out results
  kagurazaka task.ts MyTask --in texts --out results --dry-run
  kagurazaka task.ts MyTask --cfg base.yaml --mixin hard_shard_mode.input_path=texts
  kagurazaka @word-count --in texts --out counts
  kagurazaka @exec --in photos --out small -- convert {} -resize 50% {output.path}
Ready-made tasks: ${tasks.join(", ")}. Commands:
${besideEachOther(foldedRows())}
Flags:
${besideEachOther(mainFlags)}
More help: TASK_FILE -h (task), -hb (backbone), -hk (all flags of kagurazaka), help COMMAND
`;
}

const TERM = 15;
const HALF = 51;

/** The first half of the rows at the left, the second at the right. */
function besideEachOther(rows: readonly (readonly [string, string])[]): string {
  const cells = rows.map(([name, text]) => `  ${name.padEnd(TERM)} ${text}`);
  const half = Math.ceil(cells.length / 2);
  return cells
    .slice(0, half)
    .map((cell, i) => `${cell.padEnd(HALF)}${cells[half + i] ?? ""}`.trimEnd())
    .join("\n");
}
