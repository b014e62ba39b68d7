import { existsSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { KagurazakaError, MistakesError } from "../../../base/errors.js";
import { findForeign, OWN_DIRECTORY } from "../../../base/own-directory.js";
import { readOwn, readOwnNames } from "../../../base/own-file.js";
import { readNames } from "../../../base/read-names.js";
import type { ShardPaths } from "../../prepare/shard-paths.js";

/** A task's state directory, as far as it can be read without loading the task. */
export interface State extends Pick<ShardPaths, "stateDir" | "ledgerDir" | "leaseDir" | "runsDir"> {
  /** null: no files are written; undefined: unknown without the task. */
  readonly outputRoot: string | null | undefined;
}

/** Opens `<output root>/.kagurazaka/<task id>` by its path. */
export function openStateDir(dir: string): State {
  const ledgerDir = join(dir, "ledger");
  if (!existsSync(ledgerDir)) {
    const near = [dir, join(dir, OWN_DIRECTORY)].flatMap(tasksIn);
    const hint =
      near.length > 0
        ? `There is one in ${near.slice(0, 3).join(", ")}.`
        : "Name a task, or the directory that holds its ledger: <output root>/.kagurazaka/<task id>.";
    throw new KagurazakaError("usage", `there is no ledger in ${dir}`, { where: "command line", hint });
  }
  const [leaseDir, runsDir] = [join(dir, "lease"), join(dir, "runs")];
  MistakesError.throwIfAny([ledgerDir, leaseDir, runsDir].flatMap((one) => findForeign(dir, one) ?? []));
  return { stateDir: dir, ledgerDir, leaseDir, runsDir, outputRoot: outputRootOf(resolve(dir)) };
}

/** Undefined for a state directory below `--run-dir`: its outputs may be anywhere. */
function outputRootOf(stateDir: string): string | undefined {
  const own = dirname(stateDir);
  return basename(own) === OWN_DIRECTORY ? dirname(own) : undefined;
}

function tasksIn(dir: string): string[] {
  const paths = readNames(dir).map((name) => join(dir, name));
  return paths.filter((path) => existsSync(join(path, "ledger")));
}

interface LastRun {
  readonly task: string;
  /** Undefined where no run has left a record. */
  readonly source: string | undefined;
  readonly exportName: string | undefined;
}

/** The task of the state directory, from the run.json of its latest run. */
export function lastRunOf({ stateDir, runsDir }: State): LastRun {
  // Ids of runs sort by time.
  for (const run of readOwnNames(runsDir).reverse()) {
    try {
      const record = JSON.parse(readOwn(join(runsDir, run, "run.json"))) as Record<string, unknown>;
      const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
      return {
        task: text(record.task) ?? basename(stateDir),
        source: text(record.source),
        exportName: text(record.export),
      };
    } catch {
      // The run was killed while it wrote the file.
    }
  }
  return { task: basename(stateDir), source: undefined, exportName: undefined };
}
