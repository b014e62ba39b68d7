import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeItem } from "../../../base/canonical-json.js";
import { KagurazakaError, toErrorRecord } from "../../../base/errors.js";
import { activityLayout } from "../../../contracts/activity.js";
import type { ExecutorPorts } from "../../../contracts/executor.js";
import type { TaskInstance } from "../../../contracts/task.js";
import { packKeys } from "../../../contracts/wire.js";
import type { Candidate } from "../../plan/candidates.js";
import type { PreparedRun } from "../../prepare/prepared-run.js";
import { ItemBinder } from "../../worker/binder.js";
import { ItemContext } from "../../worker/context.js";
import { SpawnerPool } from "../../worker/programs/pool.js";
import { ReceivedChunk } from "../../worker/received-chunk.js";

export type LogHook = (key: string, level: "info" | "warn" | "error", message: string, fields?: unknown) => void;

/** What the task's own code says of an item; null: nothing against it. */
export interface DeepAnswer {
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
  readonly #binder: ItemBinder;
  readonly #ports: ExecutorPorts;
  readonly #activity: Float64Array;
  readonly #spawners: SpawnerPool;
  readonly #timeoutMs: number | undefined;
  readonly #freeSlots: number[];
  readonly #shard: number;
  readonly #scratch: string;
  #seq = 0;

  constructor(
    prepared: PreparedRun,
    { shard, instance, scratch, onLog }: { shard: number; instance: TaskInstance; scratch: string; onLog: LogHook },
  ) {
    const { program, config } = prepared;
    const { concurrency, seed, timeout } = config.run;
    const setup = {
      task: program.ref,
      run: "verify",
      workerId: 0,
      concurrency,
      stagingDirs: prepared.shards.map(() => scratch),
      keptRoots: prepared.shards.map(() => scratch),
      seed,
      durable: false,
      atomic: program.atomic,
      wantValues: false,
    };
    const activity = new SharedArrayBuffer(activityLayout.bytes(concurrency));
    const nothing = (): void => {};
    this.#instance = instance;
    this.#shard = shard;
    this.#scratch = scratch;
    this.#binder = new ItemBinder(program, setup, 0);
    this.#ports = {
      setup,
      activity,
      done: nothing,
      doneByProgram: nothing,
      settle: nothing,
      flush: nothing,
      print: nothing,
      log: onLog,
      spawned: nothing,
      held: nothing,
      worn: nothing,
    };
    this.#activity = new Float64Array(activity);
    this.#spawners = new SpawnerPool(this.#ports);
    this.#timeoutMs = timeout;
    this.#freeSlots = Array.from({ length: concurrency }, (_, slot) => slot);
  }

  /** At most `--concurrency` at once. */
  async check(candidate: Candidate, asksTask: boolean): Promise<DeepAnswer> {
    const slot = this.#freeSlots.pop()!;
    const json = candidate.json ?? encodeItem(candidate.item);
    const keys = packKeys([candidate.key]);
    const chunk = new ReceivedChunk({
      type: "items",
      firstSeq: ++this.#seq,
      items: `[${json}]`,
      keys,
      shard: this.#shard,
      forced: false,
    });
    const ctx = new ItemContext(this.#ports, this.#activity, { slot, chunk, index: 0, spawners: this.#spawners });
    let isExecuted: boolean | undefined;
    try {
      await this.#inTime(ctx, async () => {
        const item = this.#binder.bindForCheck(ctx.wire, ctx);
        if (asksTask) isExecuted = Boolean(await this.#instance.isExecuted!(item, ctx));
        if (isExecuted !== false) await this.#instance.verify?.(item, ctx);
      });
      return { isExecuted, objection: undefined };
    } catch (thrown) {
      const { name, message } = toErrorRecord(thrown);
      return { isExecuted, objection: `${name}: ${message}` };
    } finally {
      ctx.end(true);
      this.#freeSlots.push(slot);
    }
  }

  async #inTime(ctx: ItemContext, work: () => Promise<void>): Promise<void> {
    if (this.#timeoutMs === undefined) return work();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        ctx.abort("timeout");
        reject(new KagurazakaError("timeout", `looking at it took longer than ${this.#timeoutMs} ms`));
      }, this.#timeoutMs);
    });
    try {
      await Promise.race([work(), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#instance.teardown?.();
    } finally {
      this.#spawners.close();
      rmSync(this.#scratch, { recursive: true, force: true });
    }
  }
}

/** Undefined where the task has nothing to be asked. A `setup()` that fails ends the audit, as it ends a run. */
export async function openDeepCheck(
  prepared: PreparedRun,
  shard: number,
  onLog: LogHook,
): Promise<DeepCheck | undefined> {
  const instance = prepared.program.createInstance();
  if (typeof instance.verify !== "function" && typeof instance.isExecuted !== "function") return undefined;
  try {
    await instance.setup?.();
  } catch (cause) {
    const { name, message } = toErrorRecord(cause);
    throw new KagurazakaError("environment", `setup() failed: ${name}: ${message}`, { cause });
  }
  const scratch = mkdtempSync(join(tmpdir(), "kagurazaka-verify-"));
  return new DeepCheck(prepared, { shard, instance, scratch, onLog });
}
