import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { activityLayout } from "../../../src/contracts/activity.js";
import type { FinishRule, OutputDefinition, OutputEntry } from "../../../src/contracts/modes.js";
import type { TaskInstance } from "../../../src/contracts/task.js";
import { packKeys, type ToWorker, type WireOutcome, type WorkerSetup } from "../../../src/contracts/wire.js";
import type { WorkerTask } from "../../../src/runner/program/worker-task.js";
import { Attempts, type Work } from "../../../src/runner/worker/attempt.js";
import type { ItemContext } from "../../../src/runner/worker/context.js";
import { ReceivedChunk } from "../../../src/runner/worker/received-chunk.js";
import { tempDir } from "../temp-dir.js";

/** `<key>.json` for each item. */
const outputMode = {
  definition: {
    contract: 1,
    kind: "output",
    name: "ToyOutput",
    help: "",
    fields: {},
    accepts: "any",
    unique: true,
    outputs: (_fields, { key }): OutputEntry[] => [{ field: "output", relPath: `${key}.json`, type: "file" }],
  } satisfies OutputDefinition,
  fields: {},
};

export const setupOf = (more: Partial<WorkerSetup> = {}): WorkerSetup => ({
  task: {
    source: { alias: "task", export: "T" },
    id: "T",
    kind: "item",
    options: { task: {}, rawArgs: [] },
    template: null,
    moduleHash: "",
  },
  run: "run-1",
  owner: "run-1",
  worker: "0",
  shape: { slots: 1, queue: 0 },
  shards: [],
  seed: 0,
  durable: false,
  atomic: true,
  wantValues: false,
  ...more,
});

export function itemsMessage(
  items: readonly ({ readonly key: string } & Record<string, unknown>)[],
  more: Partial<Extract<ToWorker, { type: "items" }>> = {},
): Extract<ToWorker, { type: "items" }> {
  const keys = packKeys(items.map(({ key }) => key));
  return { type: "items", firstSeq: 1, items: JSON.stringify(items), keys, shard: 0, forced: false, ...more };
}

/** A task with one output file for each item, in a root of its own. */
export function workerTaskIn(root: string, finishRule: FinishRule | null = null): WorkerTask {
  const shard = {
    root: { inputPath: root, outputPath: root },
    stagingDir: join(root, ".kagurazaka/staging/run-1"),
    keptDir: join(root, ".kagurazaka/kept"),
  };
  mkdirSync(shard.stagingDir, { recursive: true });
  return {
    template: { yields: "record", readsInputRoot: false, outputMode, finishRule },
    shards: [shard],
    createInstance: () => ({ options: {}, process() {} }),
  };
}

/** What `Attempts` told at the end of an item, and what it looked like then. */
export interface Ended extends Partial<Omit<WireOutcome, "seq" | "durationMs">> {
  readonly key: string;
  readonly seq: number;
  /** The cell of the activity of its slot. */
  readonly cell: number;
}

export interface TestWorkerRequest extends Partial<WorkerSetup> {
  readonly slots?: number;
}

/** Attempts of a task, in a temporary root. */
export class TestAttempts {
  readonly root = tempDir();
  readonly task = workerTaskIn(this.root);
  readonly ended: Ended[] = [];
  readonly logged: string[] = [];
  readonly written: [cell: number, count: number][] = [];
  readonly cells: Float64Array;
  readonly attempts: Attempts;
  readonly #instance: TaskInstance;

  constructor(instance: Partial<TaskInstance>, { slots = 1, ...setup }: TestWorkerRequest = {}) {
    const activity = new SharedArrayBuffer(activityLayout.bytes(slots));
    this.cells = new Float64Array(activity);
    this.#instance = { options: {}, process: () => {}, ...instance };
    this.attempts = new Attempts(this.task, this.#instance, {
      setup: setupOf({ shape: { slots, queue: 0 }, ...setup }),
      activity,
      activityWritten: (cell, count) => void this.written.push([cell, count]),
      log: (key, level, message) => void this.logged.push(`${key} ${level} ${message}`),
      ended: ({ key, seq, slot }, _durationMs, _nowMs, outcome) =>
        void this.ended.push({
          key,
          seq,
          cell: this.cells[activityLayout.slot(slot)]!,
          ...(outcome ?? { status: "done" }),
        }),
    });
  }

  begin(key: string, { slot = 0, ...more }: { slot?: number } & Parameters<typeof itemsMessage>[1] = {}): ItemContext {
    return this.attempts.begin(slot, new ReceivedChunk(itemsMessage([{ key }], more)), 0);
  }

  /** One item, from its begin to its end. */
  async run(key = "a", more?: Parameters<TestAttempts["begin"]>[1], work?: Work): Promise<Ended> {
    await this.attempts.run(this.begin(key, more), work ?? ((item, ctx) => this.#instance.process(item, ctx)));
    return this.ended.at(-1)!;
  }
}

/** What a task does that is no good. Here, for the stack of an error is cut where it comes to a file named like attempt.ts. */
export function fail(message: string): never {
  throw new Error(message);
}
