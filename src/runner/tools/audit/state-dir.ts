import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { KagurazakaError } from "../../../base/errors.js";
import { OWN_DIRECTORY } from "../../../base/own-directory.js";
import type { ShardPaths } from "../../prepare/shard-paths.js";

/** A task's own directory, as far as it can be read without the task. */
export interface State extends Pick<ShardPaths, "stateDir" | "ledgerDir" | "leaseDir" | "runsDir"> {
  /** null: no files are written; undefined: where they are written cannot be told without the task. */
  readonly outputRoot: string | null | undefined;
}

/** `<output root>/.kagurazaka/<task id>`, named outright: reading what was recorded needs no code. */
export function openStateDir(dir: string): State {
  const ledgerDir = join(dir, "ledger");
  if (!existsSync(ledgerDir)) {
    const near = [dir, join(dir, OWN_DIRECTORY)].flatMap(tasksIn);
    throw new KagurazakaError("usage", `there is no ledger in ${dir}`, {
      where: "command line",
      hint:
        near.length > 0
          ? `There is one in ${near.slice(0, 3).join(", ")}.`
          : "Name a task, or the directory that holds its ledger: <output root>/.kagurazaka/<task id>.",
    });
  }
  return {
    stateDir: dir,
    ledgerDir,
    leaseDir: join(dir, "lease"),
    runsDir: join(dir, "runs"),
    outputRoot: outputRootOf(resolve(dir)),
  };
}

/** Below `--run-dir` outputs lie anywhere. */
function outputRootOf(stateDir: string): string | undefined {
  const own = dirname(stateDir);
  return basename(own) === OWN_DIRECTORY ? dirname(own) : undefined;
}

function tasksIn(dir: string): string[] {
  try {
    return readdirSync(dir)
      .map((name) => join(dir, name))
      .filter((path) => existsSync(join(path, "ledger")));
  } catch {
    return [];
  }
}

interface LastRun {
  readonly task: string;
  /** Undefined where no run has left a record. */
  readonly source: string | undefined;
  readonly exportName: string | undefined;
}

/** The task that worked here last, by the record of its latest run. */
export function lastRunOf({ stateDir, runsDir }: State): LastRun {
  // Their names sort by time.
  for (const run of existsSync(runsDir) ? readdirSync(runsDir).sort().reverse() : []) {
    try {
      const record = JSON.parse(readFileSync(join(runsDir, run, "run.json"), "utf8")) as Record<string, unknown>;
      const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
      return {
        task: text(record.task) ?? basename(stateDir),
        source: text(record.source),
        exportName: text(record.export),
      };
    } catch {
      // Killed before it was written whole.
    }
  }
  return { task: basename(stateDir), source: undefined, exportName: undefined };
}
