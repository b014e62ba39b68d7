import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { createLine, missingLine } from "./line.mjs";
import { runProcess } from "./process.mjs";
import { interleave } from "./statistics.mjs";

/** Peers in Python are run by BENCH_PYTHON. */
export const python = process.env.BENCH_PYTHON ?? "python3";

const hasCommand = (name) => spawnSync(name, ["--version"]).status === 0;
/** Importing may take seconds: asked once. */
const modules = new Map();
const hasModule = (name) => {
  if (!modules.has(name)) modules.set(name, spawnSync(python, ["-c", `import ${name}`]).status === 0);
  return modules.get(name);
};

/**
 * Measures ours beside peers, in turns, with a line for each peer: for one that is not here, a line that says so.
 * @param {number} runs
 * @param {{ what: string, format: (value: number) => string, ours: () => Promise<number> }} side
 * @param {readonly { against: string, module?: string, command?: string, missing?: boolean, run: () => Promise<number>,
 *   goal?: { atLeast?: number, atMost?: number } }[]} peers `module` of Python, or `command`, is what a peer needs
 * @param {Record<string, () => Promise<number>>} more what else is measured in the same turns
 */
export async function measureBeside(runs, { what, format, ours }, peers, more = {}) {
  const isMissing = ({ module, command, missing = false }) =>
    missing || (module !== undefined && !hasModule(module)) || (command !== undefined && !hasCommand(command));
  const missing = new Set(peers.filter(isMissing));
  const here = peers.filter((peer) => !missing.has(peer));
  const sides = Object.fromEntries(here.map(({ against, run }) => [against, run]));
  const figures = await interleave(runs, { ours, ...sides, ...more });
  const lines = peers.map((peer) => {
    const { against, goal } = peer;
    if (missing.has(peer)) return missingLine(what, against);
    return createLine({ what, against, ours: figures.ours, theirs: figures[against], format, ...goal });
  });
  return { figures, lines };
}

const SQL_IN_PYTHON = "import duckdb, sys; duckdb.execute(sys.argv[1])";

/** DuckDB on 2 threads: its command line where there is one, else its Python package. `perSecond` makes a rate of ms. */
export function duckdb(sql, perSecond) {
  const cli = ["duckdb", join(dirname(python), "duckdb")].find(hasCommand);
  return {
    against: `DuckDB ${cli ? "CLI" : "(Python)"}, 2 threads, with start`,
    ...(cli ? {} : { module: "duckdb" }),
    run: async () => {
      const command = cli ? [cli, "-c"] : [python, "-c", SQL_IN_PYTHON];
      const { code, wallMs, stderr } = await runProcess([...command, `SET threads = 2; ${sql()}`]);
      if (code !== 0) throw new Error(`DuckDB ended with ${code}:\n${stderr}`);
      return perSecond(wallMs);
    },
  };
}
