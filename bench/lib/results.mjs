import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { repository } from "./kagurazaka.mjs";

const PATH = join(repository, "bench/RESULTS.md");
const BEGIN = "<!-- notes: written by hand, kept by npm run bench -->";
const END = "<!-- end of notes -->";

const HEADS = ["row", "what", "against", "ours", "theirs", "ratio", "goal", "met"];

/** A Markdown table with aligned columns. */
export function formatTable(lines) {
  const rows = [
    HEADS,
    ...lines.map((line) => [
      line.row,
      line.what,
      line.against,
      line.ours,
      line.theirs,
      line.ratio,
      line.target,
      line.met,
    ]),
  ];
  const widths = HEADS.map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const format = (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column])).join(" | ")} |`;
  return [
    format(rows[0]),
    `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`,
    ...rows.slice(1).map(format),
  ].join("\n");
}

/** Writes bench/RESULTS.md and keeps the notes between the markers. */
export function writeResults({ machine, table, runs, short }) {
  const size = short ? "small sizes (`--short`), which say little" : "full sizes";
  writeFileSync(
    PATH,
    `# Speed

\`npm run bench\`: each row side by side in one run, in turns (A B A B …), medians of ${runs} or more, ${size}.
\`ratio\` is ours over theirs; goals are those of DESIGN §9, and a line without one is there to explain another.

${machine.map((line) => `- ${line}`).join("\n")}

${table}

${BEGIN}
${readNotes()}
${END}
`,
  );
  return PATH;
}

function readNotes() {
  let text = "";
  try {
    text = readFileSync(PATH, "utf8");
  } catch {
    // There is no file yet.
  }
  const [, rest = ""] = text.split(BEGIN);
  return rest.split(END)[0].trim() || "## What the remaining cost is";
}
