import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { KagurazakaError } from "../base/errors.js";
import { type CodeOptions, inputFromCode, overWritten, type RawInput, withSettings } from "../config/raw-input.js";
import { resolveBackbone } from "../config/resolve.js";
import { isFleetBackbone } from "../contracts/backbone.js";
import type { NodeReport } from "../contracts/fleet-control.js";
import type { BackboneOptions } from "../contracts/run-config.js";
import { locateTool } from "../loader/tool.js";
import { runNode } from "./node/run-node.js";
import { loadBackbone } from "./prepare/find-backbone.js";
import { loadOwners, prepareLoaded, type TaskChoice } from "./prepare/prepare-run.js";
import { shapesOf } from "./program/executor-shape.js";

/** What a node needs to be told, besides its task and the flags of its worker backbone. */
interface WorkerOptions {
  /** A name or path, as `--backbone` takes it. @defaultValue "bullmq" */
  readonly fleet?: string;
  /** The fleet's own options: `{ redis: "redis://host:6379" }`. */
  readonly fleetOptions?: Readonly<Record<string, unknown>>;
  /** The worker backbone that runs items on this machine. @defaultValue "mp" */
  readonly inner?: string;
  /** Unique in the fleet. @defaultValue host name and process id */
  readonly name?: string | undefined;
  /** Leave after one run. */
  readonly once?: boolean;
  /** Leave after so many milliseconds without a run. */
  readonly idleExitMs?: number | undefined;
  /** Work also for runs whose task file differs from the one here. */
  readonly allowCodeDrift?: boolean;
  /** When it aborts, running items have the run's `grace` to settle, and the rest goes to other nodes. */
  readonly signal?: AbortSignal;
  readonly onWarning?: (message: string) => void;
  /** A run begins (its id), or ends (undefined). */
  readonly onRun?: (run: string | undefined, node: NodeReport) => void;
  /** The node is about to look for runs. */
  readonly onReady?: (node: {
    readonly name: string;
    readonly task: string;
    readonly backbone: string;
    readonly slots: number;
  }) => void;
}

/** Values of the task and of the worker backbone that differ on this machine: mount points, numbers of workers. */
export type RunWorkerOptions = WorkerOptions &
  Pick<CodeOptions, "mixin" | "taskOptions" | "backboneOptions" | "cfg" | "mixinCfg">;

/**
 * Works as a node of a fleet, until the signal aborts. Serves all runs of the task, one after another.
 * @throws KagurazakaError when the node cannot begin, or when the queue cannot be reached any more (exit 75)
 */
export async function runWorker(task: string | TaskChoice, options: RunWorkerOptions = {}): Promise<void> {
  const { mixin, taskOptions, backboneOptions, cfg, mixinCfg, ...worker } = options;
  const input = inputFromCode({ mixin, taskOptions, backboneOptions, cfg, mixinCfg });
  return serveRuns(input, worker, typeof task === "string" ? { file: task } : task);
}

/** The same for an input that is read already. */
export async function serveRuns(given: RawInput, options: WorkerOptions, choice?: TaskChoice): Promise<void> {
  const { fleet: fleetName = "bullmq", inner = "mp", onReady, ...rest } = options;
  const input = withSettings(given, { backbone: inner }, "--inner");
  const owners = await loadOwners(input, choice);
  const { task, backbone, config } = owners;
  if (isFleetBackbone(backbone))
    throw new KagurazakaError("backbone", `${backbone.name} is a fleet: a node needs a worker backbone`, {
      where: "--inner",
      hint: "Give --inner mp.",
    });
  const own = await resolveBackbone(input, config);
  const fleet = await loadBackbone(fleetName, undefined, task.sourcePath);
  if (!isFleetBackbone(fleet))
    throw new KagurazakaError("backbone", `${fleet.name} is no fleet`, { hint: "bullmq is one." });
  const fleetOptions = await optionsOf(fleet.name, fleet.options, options.fleetOptions);
  const shapes = shapesOf(task.template?.kind ?? "item", { concurrency: undefined }, backbone.size(own).workers);
  const name = options.name ?? `${hostname()}-${process.pid}-${randomBytes(2).toString("hex")}`;
  const node = {
    name,
    task: task.id,
    backbone: backbone.name,
    slots: shapes.reduce((sum, { slots }) => sum + slots, 0),
  };
  await runNode({
    ...rest,
    ...node,
    onReady: () => onReady?.(node),
    version: locateTool().version,
    task,
    fleet,
    fleetOptions,
    warmUp: async (entry) => backbone.warmUp?.({ options: own, workers: shapes.length, entry, taskUrl: task.entryUrl }),
    prepare: ({ task: { config: written } }) => prepareLoaded(overWritten(input, written), owners, "node"),
  });
}

/** Values given by code, checked and with defaults. */
async function optionsOf(
  backboneName: string,
  backboneOptions: Parameters<typeof resolveBackbone>[1]["backboneOptions"],
  values: Readonly<Record<string, unknown>> | undefined,
): Promise<BackboneOptions> {
  return resolveBackbone(inputFromCode({ backboneOptions: values }), {
    backboneName,
    backboneOptions,
    taskName: "",
    taskOptions: {},
    rawArgs: false,
    taskDefaults: undefined,
    template: undefined,
    loadMode: async () => undefined,
    modeNames: [],
  });
}
