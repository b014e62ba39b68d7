import { join } from "node:path";
import type {
  Fields,
  FinishCheckDefinition,
  FinishRule,
  OutputDefinition,
  ResolvedMode,
  Root,
  Yields,
} from "../../contracts/modes.js";
import type { TaskInstance, TaskRef } from "../../contracts/task.js";
import type { ShardTarget, WorkerSite } from "../../contracts/wire.js";
import { importArgument, importTaskClass, instantiate, resolveMode } from "./task-class.js";

/** A task on a worker's side, with all paths of the worker's machine. */
export interface WorkerTask {
  /** Null for a task without a template: `process` gets the items as they were listed. */
  readonly template: {
    readonly yields: Yields;
    readonly readsInputRoot: boolean;
    readonly outputMode: ResolvedMode<OutputDefinition> | null;
    readonly finishRule: FinishRule | null;
  } | null;
  /** By hard shard. */
  readonly shards: readonly WorkerShard[];
  createInstance(): TaskInstance;
}

export interface WorkerShard {
  readonly root: Root | undefined;
  /** Holds one staging directory per slot. */
  readonly stagingDir: string;
  /** Holds the `ctx.keptDir`s; it may not exist yet. */
  readonly keptDir: string;
}

/** @param targets by hard shard, like `site.shards` */
export async function loadWorkerTask(
  ref: TaskRef,
  targets: readonly ShardTarget[],
  site: WorkerSite,
): Promise<WorkerTask> {
  const { source, template, options } = ref;
  const taskClass = await importTaskClass(site.taskUrl, "builtin" in source ? "default" : source.export);
  const module = await importArgument(site.moduleUrl, "builtin" in source ? source.argument : undefined);
  const finishCheck = await resolveMode<FinishCheckDefinition>(
    taskClass,
    "finishCheckMode",
    modeOf(template?.finishCheckMode),
  );
  return {
    template: template && {
      yields: template.yields,
      readsInputRoot: template.readsInputRoot,
      outputMode: await resolveMode<OutputDefinition>(taskClass, "outputMode", modeOf(template.outputMode)),
      finishRule: finishCheck?.definition.rule(finishCheck.fields) ?? null,
    },
    shards: site.shards.map(({ root, base }, i) => ({
      root,
      stagingDir: join(base, targets[i]!.staging),
      keptDir: join(base, targets[i]!.kept),
    })),
    createInstance: () => instantiate(taskClass, options, module),
  };
}

const modeOf = (written: unknown) => written as ({ use: string } & Fields) | null | undefined;
