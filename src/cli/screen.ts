import { builtinNames } from "../builtins.js";
import { commands } from "./command-table.js";

export const rowsOfCommands = (): [string, string][] =>
  Object.entries(commands).map(([name, { summary }]) => [name, summary]);

/** The flags people need, with fewer words than `-hk` has. A test holds that each of them exists. */
export const mainFlags: readonly (readonly [string, string])[] = [
  ["--in DIR", "where the inputs are"],
  ["--out DIR", "where the outputs go"],
  ["--lines FILE", "one item for each line"],
  ["--backbone NAME", "auto, inline, mp, or a path"],
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
  return `Usage: kagurazaka TASK_FILE [TASK_NAME] [flags]
Runs a task over its items on all cores and skips what is finished.
Examples:
  kagurazaka task.ts MyTask --in texts --out results
  kagurazaka task.ts MyTask --in texts --out results --dry-run
  kagurazaka task.ts MyTask --cfg base.yaml --mixin hard_shard_mode.input_path=texts
  kagurazaka @word-count --in texts --out counts
  kagurazaka @exec --in photos --out small -- convert {} -resize 50% {output.path}
Commands:
${besideEachOther(rowsOfCommands())}
Flags:
${besideEachOther(mainFlags)}
Ready-made tasks: ${tasks.join(", ")}
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
