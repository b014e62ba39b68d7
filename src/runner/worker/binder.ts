import { existsSync } from "node:fs";
import { KagurazakaError, toErrorRecord } from "../../base/errors.js";
import type { FileTriplet, Item, OutputFile, WireTriplet } from "../../contracts/item.js";
import type { OutputEntry } from "../../contracts/modes.js";
import type { WorkerSetup } from "../../contracts/wire.js";
import { filesOf, nameOfItem, outputsOf, pathOfFile } from "../program/item-files.js";
import { RootGuard } from "../program/safe-path.js";
import type { WorkerTask } from "../program/worker-task.js";
import { isFull } from "./is-full.js";
import { Publication } from "./publication.js";

/** What a binder keeps of one hard shard. */
interface BoundShard {
  readonly publication: Publication | null;
  /** Directories that must exist, with their names for messages. */
  readonly needed: readonly (readonly [what: string, dir: string])[];
  /** In staging: the file that is written to find out whether the disk is full. */
  readonly probePath: string;
}

/** Turns a received item into the argument of `process`, for one slot: joins paths, stages outputs. */
export class ItemBinder {
  readonly #task: WorkerTask;
  readonly #setup: WorkerSetup;
  readonly #slot: number;
  /** By hard shard. */
  readonly #shards: (BoundShard | undefined)[] = [];
  /** Of the current item. */
  #shard: BoundShard | undefined;

  constructor(task: WorkerTask, setup: WorkerSetup, slot: number) {
    this.#task = task;
    this.#setup = setup;
    this.#slot = slot;
  }

  /** For `isExecuted`: outputs at their final paths; creates nothing on disk. */
  bindForCheck(wire: unknown, ctx: ItemNames): unknown {
    const { publication } = this.#enter(ctx.shard);
    return this.#bind(wire, ctx, (outputs) => publication?.finalFiles(outputs));
  }

  /** For `process`: outputs in staging. */
  bind(wire: unknown, ctx: ItemNames): unknown {
    const { publication } = this.#enter(ctx.shard);
    return this.#bind(wire, ctx, (outputs, inputs) => publication?.begin(outputs, inputs));
  }

  #enter(shard: number): BoundShard {
    this.#shard = this.#shards[shard] ??= this.#open(shard);
    return this.#shard;
  }

  #open(shard: number): BoundShard {
    const { template, shards } = this.#task;
    const { worker, atomic, durable } = this.#setup;
    const { root, stagingDir } = shards[shard]!;
    const outputRoot = root?.outputPath;
    const slotDir = `${stagingDir}/${worker}-${this.#slot}`;
    const publication =
      template?.outputMode && outputRoot
        ? new Publication(slotDir, outputRoot, new RootGuard(outputRoot), {
            atomic,
            durable,
            finish: template.finishRule,
          })
        : null;
    const needed = [
      ...(outputRoot ? [["output root", outputRoot] as const] : []),
      ["staging directory", stagingDir] as const,
      ...(root && template?.readsInputRoot ? [["input root", root.inputPath] as const] : []),
    ];
    return { publication, needed, probePath: `${slotDir}.probe` };
  }

  #bind(
    wire: unknown,
    ctx: ItemNames,
    place: (outputs: readonly OutputEntry[], inputs: () => readonly string[]) => Record<string, OutputFile> | undefined,
  ): unknown {
    const { template, shards } = this.#task;
    if (!template) return wire;
    const { yields } = template;
    const item: Record<string, unknown> = { ...(wire as Item) };
    if (yields === "group") delete item.input;
    const inputs = filesOf(yields, wire as Item);
    const pathOf = (file: WireTriplet): string => pathOfFile(shards[file.root]?.root, file);
    for (const [field, file] of inputs) item[field] = new InputFile(pathOf(file), file);
    const outputs = outputsOf(template, ctx.key, nameOfItem(yields, wire as Item));
    return Object.assign(
      item,
      place(outputs, () => inputs.map(([, file]) => pathOf(file))),
    );
  }

  publish(): void {
    this.#shard?.publication?.publish();
  }

  discard(): void {
    this.#shard?.publication?.discard();
  }

  /**
   * Why no item can work here any more: a root was deleted, renamed or unmounted during the run, or its disk is full.
   * Called when an item has failed, before its files are discarded, because they may be what fills the disk.
   */
  obstacle(thrown: unknown): KagurazakaError | undefined {
    if (!this.#shard) return undefined;
    const { needed, probePath } = this.#shard;
    const gone = needed.find(([, dir]) => !existsSync(dir));
    if (gone) return new KagurazakaError("environment", `the ${gone[0]} ${gone[1]} is gone`);
    const [what, dir] = needed[0]!;
    if (!isFull(dir, probePath)) return undefined;
    return new KagurazakaError(
      "environment",
      `no space is left in the ${what} ${dir}: ${toErrorRecord(thrown).message}`,
    );
  }
}

/** Which item, and of which hard shard. */
interface ItemNames {
  readonly key: string;
  readonly shard: number;
}

class InputFile implements FileTriplet {
  readonly relDir: string;
  readonly fileName: string;
  readonly path: string;

  constructor(path: string, wire: WireTriplet) {
    this.relDir = wire.rel_dir;
    this.fileName = wire.file_name;
    this.path = path;
  }
}
