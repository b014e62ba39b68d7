import { hostname } from "node:os";
import { encodeItem } from "../../base/canonical-json.js";
import type { ErrorRecord } from "../../base/errors.js";
import { sha256Hex } from "../../base/hash.js";
import type { Partition } from "../../contracts/partition.js";
import type { RunSettings } from "../../contracts/run-config.js";
import type { RunStats } from "../../contracts/task.js";
import { locateTool } from "../../loader/tool.js";
import type { PreparedRun } from "../prepare/prepared-run.js";
import type { TaskProgram } from "../program/task-program.js";

/** The part of the input that this run works on, which its lease covers. */
export function partitionOf(program: TaskProgram, settings: RunSettings): Partition {
  const soft = program.modes?.softShard;
  return { soft: soft ? soft.definition.scope(soft.fields) : [], hash: settings.shard ?? null };
}

/** Identity of the options that results depend on: not of roots, shards and speed. */
export function optionsHashOf(program: TaskProgram): string {
  const { task, template, rawArgs } = program.options;
  const { hardShardMode: _roots, softShard: _part, ...meaning } = template ?? {};
  const words = rawArgs.length > 0 ? { words: [...rawArgs] } : {};
  return sha256Hex(encodeItem({ task, template: meaning, ...words })).slice(0, 16);
}

/** Raw words may hold secrets, so run.json has only their hash. */
export function wordsHashOf(rawArgs: readonly string[]): string {
  return sha256Hex(JSON.stringify(rawArgs)).slice(0, 16);
}

export interface RunEnd {
  readonly rootId: string;
  readonly state: "running" | "ended";
  readonly exitCode?: number;
  readonly stats?: RunStats;
  readonly error?: ErrorRecord | undefined;
}

/** The content of `runs/<id>/run.json`. Values are as they were written (`${oc.env:KEY}`), secrets masked. */
export function runRecordOf(prepared: PreparedRun, run: string, end: RunEnd) {
  const { config, program, backbone, shapes, sourcePath } = prepared;
  return {
    v: 1,
    run,
    task: program.ref.id,
    ...end,
    at: new Date().toISOString(),
    scope: partitionOf(program, config.run),
    source: sourcePath,
    export: program.exportName,
    moduleHash: program.ref.moduleHash,
    version: program.taskClass.version ?? null,
    optionsHash: optionsHashOf(program),
    wordsHash: wordsHashOf(program.options.rawArgs),
    outputMode: program.ref.template?.outputMode ?? null,
    backbone: backbone.name,
    workers: shapes.length,
    kagurazaka: locateTool().version,
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    host: hostname(),
    pid: process.pid,
    config: Object.fromEntries(config.entries.map(({ path, value, origin }) => [path, { value, from: origin.text }])),
  };
}
