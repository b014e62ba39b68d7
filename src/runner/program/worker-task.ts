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
import { importTaskClass, instantiate, resolveMode } from "./task-class.js";

/** A task as a worker has it: what it needs to turn items into outputs, with all paths of its own side. */
export interface WorkerTask {
  /** Null for a task without a template: items are given as they come. */
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
  /** Holds what items keep from one attempt to the next; it may not exist yet. */
  readonly keptDir: string;
}

/** @param targets by hard shard, as `site.shards` are */
export async function loadWorkerTask(
  ref: TaskRef,
  targets: readonly ShardTarget[],
  site: WorkerSite,
): Promise<WorkerTask> {
  const { source, template, options } = ref;
  const taskClass = await importTaskClass(site.taskUrl, "builtin" in source ? "default" : source.export);
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
    createInstance: () => instantiate(taskClass, options),
  };
}

const modeOf = (written: unknown) => written as ({ use: string } & Fields) | null | undefined;
