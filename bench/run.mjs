// npm run bench -- [--short] [--only ROW] [--runs N] [--write]
import { parseArgs } from "node:util";
import { describeMachine } from "./lib/machine.mjs";
import { cleanUp, makeScratch } from "./lib/process.mjs";
import { formatTable, writeResults } from "./lib/results.mjs";
import { rows } from "./rows/index.mjs";

const HELP = `Usage: npm run bench -- [flags]

Measures the rows of DESIGN §9, ours and theirs in turns, and prints a table of ratios. Nothing is asserted.

  --short     Small sizes, for CI: under a minute, ratios printed only.
  --only ROW  One row (repeatable): ${rows.map(({ name }) => name).join(", ")}.
  --runs N    Runs behind each median. Default: 5, with --short 3.
  --write     Write bench/RESULTS.md also from --short or --only. Full runs always do.
`;

async function main() {
  const { values } = parseArgs({
    options: {
      short: { type: "boolean", default: false },
      only: { type: "string", multiple: true, default: [] },
      runs: { type: "string" },
      write: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return process.stdout.write(HELP);
  const { short, only } = values;
  const runs = Number(values.runs ?? (short ? 3 : 5));
  const unknown = only.filter((name) => !rows.some((row) => row.name === name));
  if (unknown.length > 0 || !Number.isInteger(runs) || runs < 1) {
    process.stderr.write(HELP);
    process.exitCode = 2;
    return;
  }
  // The cache of compiled tasks, removed at the end.
  process.env.KAGURAZAKA_CACHE_DIR = makeScratch();
  const lines = [];
  for (const row of rows.filter(({ name }) => only.length === 0 || only.includes(name))) {
    const started = performance.now();
    process.stderr.write(`${row.name}: ${row.title} …`);
    lines.push(...(await measure(row, { short, runs })));
    process.stderr.write(` ${((performance.now() - started) / 1000).toFixed(1)} s\n`);
  }
  if (short)
    process.stdout.write(
      "\nSmall sizes: starting threads weighs as much as the work. Ratios to compare with the last time, no verdict.\n",
    );
  const table = formatTable(lines);
  const machine = await describeMachine();
  process.stdout.write(`\n${machine.join("\n")}\n\n${table}\n`);
  if (values.write || (!short && only.length === 0))
    process.stdout.write(`\nwritten to ${writeResults({ machine, table, runs, short })}\n`);
}

/** A row that cannot be measured on this machine is a line of the table that says why. */
async function measure(row, how) {
  try {
    return (await row.measure(how)).map((line) => ({ row: row.name, ...line }));
  } catch (error) {
    process.stderr.write(`\n${error.stack}\n`);
    process.exitCode = 1;
    const [what] = String(error.message).split("\n");
    return [
      {
        row: row.name,
        what: `not measured: ${what}`,
        against: "",
        ours: "–",
        theirs: "–",
        ratio: "–",
        target: "–",
        met: "–",
      },
    ];
  }
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.once(signal, () => {
    cleanUp();
    process.exit(130);
  });
}

try {
  await main();
} finally {
  cleanUp();
}
