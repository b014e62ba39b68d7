import type { BackboneDefinition } from "../../contracts/backbone.js";
import type { ResolvedConfig } from "../../contracts/run-config.js";
import type { TaskInstance } from "../../contracts/task.js";
import type { ExecutorShape } from "../../contracts/wire.js";
import type { TaskProgram } from "../program/task-program.js";
import type { ShardPaths } from "./shard-paths.js";

/** Puts the input root in front of a message about one of several hard shards. */
export function inShard({ program, shards }: PreparedRun, shard: number, message: string): string {
  return shards.length === 1 ? message : `${program.roots[shard]?.inputPath ?? `shard ${shard}`}: ${message}`;
}

/** A run that is resolved and checked. Nothing of it is on disk yet. */
export interface PreparedRun {
  readonly config: ResolvedConfig;
  readonly program: TaskProgram;
  /** The coordinator's instance: it lists and finalizes; `setup` is never called on it. */
  readonly instance: TaskInstance;
  readonly backbone: BackboneDefinition;
  /** By worker: the shape of its executor. None for a fleet, whose nodes come and go. */
  readonly shapes: readonly ExecutorShape[];
  /** By hard shard; a task without roots has one. */
  readonly shards: readonly ShardPaths[];
  /** The task's id without what `idFor` makes of it. */
  readonly baseId: string;
  /** The task file, for messages. */
  readonly sourcePath: string;
  /** By path relative to the task file's directory. */
  readonly fileHashes: Readonly<Record<string, string>>;
}
