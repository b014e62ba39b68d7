import type { BackboneDefinition } from "../../contracts/backbone.js";
import type { ResolvedConfig } from "../../contracts/run-config.js";
import type { TaskInstance } from "../../contracts/task.js";
import type { TaskProgram } from "../program/task-program.js";
import type { Places } from "./places.js";

/** A run that is fully decided and checked, with nothing on disk yet. */
export interface PreparedRun {
  readonly config: ResolvedConfig;
  readonly program: TaskProgram;
  /** The coordinator's instance: it lists and finalizes; `setup` is never called on it. */
  readonly instance: TaskInstance;
  readonly backbone: BackboneDefinition;
  readonly workers: number;
  readonly places: Places;
  /** The task file, for people. */
  readonly sourcePath: string;
}
