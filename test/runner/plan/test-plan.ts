import { tmpdir } from "node:os";
import type { Chunk } from "../../../src/contracts/chunk.js";
import type { Item } from "../../../src/contracts/item.js";
import type { InputDefinition, OutputDefinition, OutputEntry, ResolvedModes } from "../../../src/contracts/modes.js";
import type { RunSettings } from "../../../src/contracts/run-config.js";
import type { TaskInstance } from "../../../src/contracts/task.js";
import { unpackKeys } from "../../../src/contracts/wire.js";
import type { RecordedEntry } from "../../../src/runner/ledger/view.js";
import { openSeenKeys } from "../../../src/runner/plan/bulk/seen-keys.js";
import type { Refusal } from "../../../src/runner/plan/candidates.js";
import { FinishedCheck } from "../../../src/runner/plan/finished.js";
import { createKeyFilter, createReach } from "../../../src/runner/plan/key-filter.js";
import { Planner, type PlannerOptions } from "../../../src/runner/plan/planner.js";
import type { TaskProgram } from "../../../src/runner/program/task-program.js";
import noHardShard from "../../../templates/modes/no-hard-shard.js";
import softShardMode from "../../../templates/modes/soft-shard.js";

const allItems: RunSettings = {
  dryRun: false,
  limit: undefined,
  sample: undefined,
  only: [],
  keys: undefined,
  shuffle: false,
  seed: 0,
  shard: undefined,
  force: false,
  redo: [],
  skipFailed: false,
  retryFailed: false,
  retries: 2,
  backoff: { minMs: 1, maxMs: 1 },
  timeout: undefined,
  maxFailures: undefined,
  allowFailures: undefined,
  stall: undefined,
  grace: 0,
  rate: undefined,
  runDir: undefined,
  durable: false,
  concurrency: 1,
  chunksize: "auto",
};

type Recorded = Partial<RecordedEntry> & Pick<RecordedEntry, "status">;

export interface Request
  extends Partial<Pick<PlannerOptions, "runsAll" | "ignoresTask" | "items" | "limit" | "foldsOutputs">> {
  /** What `generateTasks` gives. */
  readonly list?: unknown;
  readonly instance?: Partial<TaskInstance>;
  readonly settings?: Partial<RunSettings>;
  /** The output mode of an earlier run. */
  readonly earlierOutput?: NonNullable<ResolvedModes["outputMode"]>;
  readonly modes?: Partial<ResolvedModes>;
  readonly root?: { readonly inputPath: string; readonly outputPath: string | null };
  readonly shard?: number;
  /** What earlier runs have recorded. */
  readonly ledger?: Readonly<Record<string, Recorded>>;
  readonly isStale?: (key: string) => boolean;
  readonly requiredEpoch?: number;
  readonly refusedBefore?: readonly string[];
}

export interface Planned {
  readonly keys: string[];
  readonly json: string[];
  readonly chunks: Chunk[];
  readonly skipped: string[];
  readonly refused: Refusal[];
  readonly warned: string[];
  readonly cleared: string[];
  listed: number;
  error: unknown;
}

/** All that a plan says, to its end. */
export async function plan(request: Request): Promise<Planned> {
  const {
    list = [],
    instance = {},
    modes,
    root = { inputPath: "/in", outputPath: null },
    shard = 0,
    ledger = {},
  } = request;
  const settings = { ...allItems, ...request.settings };
  const hardShardMode = { definition: noHardShard.definition, fields: {} };
  const none = { softShard: null, inputMode: null, outputMode: null, finishCheckMode: null };
  const program = {
    modes: modes ? { hardShardMode, ...none, ...modes } : null,
    roots: Array.from({ length: shard + 1 }, () => root),
  } as unknown as TaskProgram;
  const watch = (needed: boolean) => (needed ? openSeenKeys({ spillDir: tmpdir() }) : null);
  const finishMode = modes?.finishCheckMode;
  const planner = new Planner({
    program,
    instance: { options: {}, process() {}, generateTasks: () => list as Iterable<unknown>, ...instance },
    shard,
    settings,
    limit: request.limit ?? { left: settings.limit ?? Number.POSITIVE_INFINITY },
    keyFilter: createKeyFilter(settings),
    mayReach: createReach(settings),
    leaveOut: root.outputPath === null ? [] : [root.outputPath],
    earlierOutputModes: async () => (request.earlierOutput ? [request.earlierOutput] : []),
    isDone: (key) => ledger[key]?.status === "done",
    eachDoneKey: async (onKey) => {
      for (const [key, { status }] of Object.entries(ledger)) if (status === "done") onKey(key);
    },
    refusedBefore: new Set(request.refusedBefore),
    finished: new FinishedCheck({
      rule: finishMode ? finishMode.definition.rule(finishMode.fields) : null,
      taskDecides: instance.isExecuted !== undefined,
      outputRoot: root.outputPath,
      inputPathsOf: () => [],
      skipFailed: settings.skipFailed,
      isStale: ({ key }) => request.isStale?.(key) ?? false,
      ledger: {
        statusOf: (key) => ledger[key] && { epoch: 0, mayBeUnsynced: false, ...ledger[key] },
        requiredEpoch: () => request.requiredEpoch ?? 0,
        isFullySynced: true,
        outputMayBeUnsynced: () => false,
      },
    }),
    runsAll: request.runsAll ?? false,
    ignoresTask: request.ignoresTask ?? false,
    foldsOutputs: request.foldsOutputs ?? false,
    seen: {
      keys: watch(!modes?.inputMode?.definition.uniqueKeys),
      items: watch(!modes?.inputMode?.definition.uniqueKeys),
      outputs: watch(modes?.outputMode?.definition.unique === false || request.foldsOutputs === true),
    },
    ...(request.items ? { items: request.items } : {}),
    signal: new AbortController().signal,
  });
  const planned: Planned = {
    keys: [],
    json: [],
    chunks: [],
    skipped: [],
    refused: [],
    warned: [],
    cleared: [],
    listed: 0,
    error: undefined,
  };
  try {
    const chunks = planner.chunks({
      onListed: () => planned.listed++,
      onSkipped: (key, reason) => planned.skipped.push(`${key}: ${reason}`),
      onRefused: (refusal) => planned.refused.push(refusal),
      onWarning: (message) => planned.warned.push(message),
      onCleared: (key) => planned.cleared.push(key),
    });
    for await (const chunk of chunks) {
      planned.chunks.push(chunk);
      planned.keys.push(...unpackKeys(chunk.keysText(0, chunk.count)));
      planned.json.push(
        ...(JSON.parse(`[${chunk.itemsText(0, chunk.count)}]`) as unknown[]).map((one) => JSON.stringify(one)),
      );
    }
  } catch (error) {
    planned.error = error;
  }
  return planned;
}

export const byId: Partial<TaskInstance> = { keyOf: (item) => (item as { id: string }).id };
export const ids = (count: number): { id: string }[] => Array.from({ length: count }, (_, i) => ({ id: `k${i}` }));
export const keysFrom = (...numbers: number[]): string[] => numbers.map((n) => `k${n}`);
export const softShard = (shardIdx: number, shardNum: number): Partial<ResolvedModes> => ({
  softShard: { definition: softShardMode.definition, fields: { shardIdx, shardNum } },
});

export function inputMode(
  items: readonly Item[],
  more: Partial<InputDefinition> = {},
): NonNullable<ResolvedModes["inputMode"]> {
  const definition: InputDefinition = {
    contract: 1,
    kind: "input",
    name: "ToyInput",
    help: "",
    fields: {},
    yields: "record",
    uniqueKeys: false,
    readsInputRoot: false,
    list: () => [items],
    ...more,
  };
  return { definition, fields: {} };
}

export const files = (...paths: readonly (readonly [relDir: string, fileName: string])[]): Item[] =>
  paths.map(([rel_dir, file_name]) => ({ input: { root: 0, rel_dir, file_name } }));
export const fileMode = (items: readonly Item[], more: Partial<InputDefinition> = {}) =>
  inputMode(items, { yields: "file", uniqueKeys: true, ...more });

export function outputMode(pathOf: (key: string) => string, unique = true): NonNullable<ResolvedModes["outputMode"]> {
  const definition: OutputDefinition = {
    contract: 1,
    kind: "output",
    name: "ToyOutput",
    help: "",
    fields: {},
    accepts: "any",
    unique,
    outputs: (_fields, { key }): OutputEntry[] => [{ field: "output", relPath: pathOf(key), type: "file" }],
  };
  return { definition, fields: {} };
}
