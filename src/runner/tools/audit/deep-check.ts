import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeItem } from "../../../base/canonical-json.js";
import { KagurazakaError, toErrorRecord } from "../../../base/errors.js";
import { activityLayout } from "../../../contracts/activity.js";
import type { TaskInstance } from "../../../contracts/task.js";
import { packKeys, type WorkerSetup } from "../../../contracts/wire.js";
import type { Candidate } from "../../plan/candidates.js";
import type { PreparedRun } from "../../prepare/prepared-run.js";
import { loadWorkerTask } from "../../program/worker-task.js";
import { Attempts } from "../../worker/attempt.js";
import type { ItemContext } from "../../worker/context.js";
import { ReceivedChunk } from "../../worker/received-chunk.js";

export type LogHook = (key: string, level: "info" | "warn" | "error", message: string, fields?: unknown) => void;

/** What the task's own code says of an item. */
interface DeepAnswer {
  /** What `isExecuted` said, where it was asked. */
  readonly isExecuted: boolean | undefined;
  /** What `verify` threw. */
  readonly objection: string | undefined;
}

/**
 * Asks `isExecuted` and `verify` of a task in this process, on an instance of its own that was set up as a worker's is,
 * with outputs at their final places. Scratch space is in the system's temporary directory: the tree is only read.
 */
export class DeepCheck implements AsyncDisposable {
  readonly #instance: TaskInstance;
  readonly #attempts: Attempts;
  readonly #timeoutMs: number | undefined;
  readonly #freeSlots: number[];
  readonly #shard: number;
  readonly #scratch: string;
  #seq = 0;

  constructor(parts: {
    shard: number;
    instance: TaskInstance;
    attempts: Attempts;
    scratch: string;
    slots: number;
    timeoutMs: number | undefined;
  }) {
    this.#shard = parts.shard;
    this.#instance = parts.instance;
    this.#attempts = parts.attempts;
    this.#scratch = parts.scratch;
    this.#timeoutMs = parts.timeoutMs;
    this.#freeSlots = Array.from({ length: parts.slots }, (_, slot) => slot);
  }

  /** At most `--concurrency` at once. */
  async check(candidate: Candidate, asksTask: boolean): Promise<DeepAnswer> {
    const slot = this.#freeSlots.pop()!;
    const items = `[${candidate.json ?? encodeItem(candidate.item)}]`;
    const keys = packKeys([candidate.key]);
    const header = { shard: this.#shard, forced: false };
    const chunk = new ReceivedChunk({ type: "items", firstSeq: ++this.#seq, items, keys, ...header });
    const ctx = this.#attempts.begin(slot, chunk, 0);
    try {
      const isExecuted = await this.#inTime(ctx, () => this.#attempts.inspect(ctx, asksTask));
      return { isExecuted, objection: undefined };
    } catch (thrown) {
      const { name, message } = toErrorRecord(thrown);
      return { isExecuted: undefined, objection: `${name}: ${message}` };
    } finally {
      this.#freeSlots.push(slot);
    }
  }

  async #inTime<T>(ctx: ItemContext, work: () => Promise<T>): Promise<T> {
    if (this.#timeoutMs === undefined) return work();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        ctx.abort("timeout");
        reject(new KagurazakaError("timeout", `looking at it took longer than ${this.#timeoutMs} ms`));
      }, this.#timeoutMs);
    });
    try {
      return await Promise.race([work(), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#instance.teardown?.();
    } finally {
      this.#attempts.close();
      rmSync(this.#scratch, { recursive: true, force: true });
    }
  }
}

/** Undefined where the task has nothing to be asked. A `setup()` that fails ends the audit, as it ends a run. */
export async function openDeepCheck(
  { program, config }: PreparedRun,
  shard: number,
  log: LogHook,
): Promise<DeepCheck | undefined> {
  const instance = program.createInstance();
  if (typeof instance.verify !== "function" && typeof instance.isExecuted !== "function") return undefined;
  try {
    await instance.setup?.();
  } catch (cause) {
    const { name, message } = toErrorRecord(cause);
    throw new KagurazakaError("environment", `setup() failed: ${name}: ${message}`, { cause });
  }
  const { concurrency: slots, seed, timeout: timeoutMs } = config.run;
  const scratch = mkdtempSync(join(tmpdir(), "kagurazaka-verify-"));
  const sites = program.roots.length === 0 ? [undefined] : program.roots;
  const setup: WorkerSetup = {
    task: program.ref,
    run: "verify",
    worker: "verify",
    shape: { slots, queue: 0 },
    shards: sites.map(() => ({ staging: "", kept: "" })),
    seed,
    durable: false,
    atomic: program.atomic,
    wantValues: false,
  };
  const site = { taskUrl: program.url, shards: sites.map((root) => ({ root, base: scratch })) };
  const task = await loadWorkerTask(program.ref, setup.shards, site);
  const activity = new SharedArrayBuffer(activityLayout.bytes(slots));
  const attempts = new Attempts(task, instance, { setup, activity, log });
  return new DeepCheck({ shard, instance, attempts, scratch, slots, timeoutMs });
}
