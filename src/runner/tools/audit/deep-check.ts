import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeItem } from "../../../base/canonical-json.js";
import { KagurazakaError, toErrorRecord } from "../../../base/errors.js";
import { settles } from "../../../base/settles.js";
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

/** The answer of the task's own code about an item. */
interface DeepAnswer {
  /** The result of `isExecuted`, where it was asked. */
  readonly isExecuted: boolean | undefined;
  /** What `verify` threw. */
  readonly objection: string | undefined;
}

interface DeepCheckParts {
  readonly shard: number;
  readonly instance: TaskInstance;
  readonly attempts: Attempts;
  readonly scratch: string;
  readonly slots: number;
  readonly timeoutMs: number | undefined;
}

/**
 * Calls `isExecuted` and `verify` of a task in this process, on an instance that was set up like a worker's, with outputs at
 * their final paths. Scratch space is in the system's temporary directory, so the output root is only read.
 */
export class DeepCheck implements AsyncDisposable {
  readonly #parts: DeepCheckParts;
  readonly #freeSlots: number[];
  #seq = 0;

  constructor(parts: DeepCheckParts) {
    this.#parts = parts;
    this.#freeSlots = Array.from({ length: parts.slots }, (_, slot) => slot);
  }

  /** May be called for at most `--concurrency` items at once. */
  async check(candidate: Candidate, asksTask: boolean): Promise<DeepAnswer> {
    const { attempts, shard } = this.#parts;
    const slot = this.#freeSlots.pop()!;
    const items = `[${candidate.json ?? encodeItem(candidate.item)}]`;
    const keys = packKeys([candidate.key]);
    const chunk = new ReceivedChunk({ type: "items", firstSeq: ++this.#seq, items, keys, shard, forced: false });
    const ctx = attempts.begin(slot, chunk, 0);
    try {
      const isExecuted = await this.#inTime(ctx, () => attempts.inspect(ctx, asksTask));
      return { isExecuted, objection: undefined };
    } catch (thrown) {
      const { name, message } = toErrorRecord(thrown);
      return { isExecuted: undefined, objection: `${name}: ${message}` };
    } finally {
      attempts.release(ctx);
      this.#freeSlots.push(slot);
    }
  }

  async #inTime<T>(ctx: ItemContext, work: () => Promise<T>): Promise<T> {
    const { timeoutMs } = this.#parts;
    const settled = settles(`isExecuted() or verify() for ${ctx.key}`, work());
    if (timeoutMs === undefined) return settled;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        ctx.abort("timeout");
        reject(new KagurazakaError("timeout", `isExecuted() and verify() took longer than ${timeoutMs} ms`));
      }, timeoutMs);
    });
    try {
      return await Promise.race([settled, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { instance, attempts, scratch } = this.#parts;
    try {
      await settles("teardown()", instance.teardown?.());
    } finally {
      attempts.close();
      rmSync(scratch, { recursive: true, force: true });
    }
  }
}

/** Undefined where the task has neither method. A `setup()` that throws ends the audit, as it ends a run. */
export async function openDeepCheck(
  { program, config }: PreparedRun,
  shard: number,
  log: LogHook,
): Promise<DeepCheck | undefined> {
  const instance = program.createInstance();
  if (typeof instance.verify !== "function" && typeof instance.isExecuted !== "function") return undefined;
  try {
    await settles(`setup() of ${program.ref.id}`, instance.setup?.());
  } catch (cause) {
    if (KagurazakaError.is(cause)) throw cause;
    const { name, message } = toErrorRecord(cause);
    throw new KagurazakaError("environment", `setup() failed: ${name}: ${message}`, { cause });
  }
  const slots = config.run.concurrency ?? 1;
  const shape = { slots, queue: 0 };
  const { seed, timeout: timeoutMs } = config.run;
  const scratch = mkdtempSync(join(tmpdir(), "kagurazaka-verify-"));
  const sites = program.roots.length === 0 ? [undefined] : program.roots;
  const setup: WorkerSetup = {
    task: program.ref,
    run: "verify",
    owner: `verify-${process.pid}`,
    worker: "verify",
    shape,
    shards: sites.map(() => ({ staging: "", kept: "" })),
    seed,
    durable: false,
    atomic: program.atomic,
    wantValues: false,
  };
  const site = {
    taskUrl: program.url,
    moduleUrl: program.moduleUrl,
    shards: sites.map((root) => ({ root, base: scratch })),
  };
  const task = await loadWorkerTask(program.ref, setup.shards, site);
  const activity = new SharedArrayBuffer(activityLayout.bytes(slots));
  const attempts = new Attempts(task, instance, { setup, activity, log });
  return new DeepCheck({ shard, instance, attempts, scratch, slots, timeoutMs });
}
