import { existsSync } from "node:fs";
import { KagurazakaError, toErrorRecord } from "../../base/errors.js";
import type { FileTriplet, Item, OutputFile, WireTriplet } from "../../contracts/item.js";
import { type OutputEntry, type Yields, yieldsOf } from "../../contracts/modes.js";
import type { WorkerSetup } from "../../contracts/wire.js";
import { filesOf, nameOfFiles, pathOfFile } from "../program/item-files.js";
import { RootGuard } from "../program/safe-path.js";
import { outputsOf, type TaskProgram } from "../program/task-program.js";
import { isFull } from "./is-full.js";
import { Publication } from "./publication.js";

/** What a binder keeps of one hard shard. */
interface ShardPlace {
  readonly publication: Publication | null;
  /** Directories without which nothing can work, by what they are. */
  readonly needed: readonly (readonly [what: string, dir: string])[];
  /** In staging, where whoever looks for room may make a file. */
  readonly probePath: string;
}

/** From what crossed the border to what `process` is given, for one slot: paths joined, outputs staged. */
export class ItemBinder {
  readonly #program: TaskProgram;
  readonly #setup: WorkerSetup;
  readonly #slot: number;
  readonly #yields: Yields;
  /** By hard shard. */
  readonly #places: (ShardPlace | undefined)[] = [];
  /** Of the item at hand. */
  #place: ShardPlace | undefined;

  constructor(program: TaskProgram, setup: WorkerSetup, slot: number) {
    const inputMode = program.modes?.inputMode;
    this.#program = program;
    this.#setup = setup;
    this.#slot = slot;
    this.#yields = inputMode ? yieldsOf(inputMode) : "record";
  }

  /** For `isExecuted`: outputs at their final places; nothing is made on disk. */
  bindForCheck(wire: unknown, ctx: ItemPlace): unknown {
    const { publication } = this.#enter(ctx.shard);
    return this.#bind(wire, ctx, (outputs) => publication?.finalFiles(outputs));
  }

  /** For `process`: outputs in staging. */
  bind(wire: unknown, ctx: ItemPlace): unknown {
    const { publication } = this.#enter(ctx.shard);
    return this.#bind(wire, ctx, (outputs) => publication?.begin(outputs));
  }

  #enter(shard: number): ShardPlace {
    this.#place = this.#places[shard] ??= this.#placeOf(shard);
    return this.#place;
  }

  #placeOf(shard: number): ShardPlace {
    const { modes, roots } = this.#program;
    const { stagingDirs, workerId, atomic, durable } = this.#setup;
    const root = roots[shard];
    const outputRoot = root?.outputPath;
    const stagingDir = stagingDirs[shard]!;
    const finishMode = modes?.finishCheckMode;
    const publication =
      modes?.outputMode && outputRoot
        ? new Publication(`${stagingDir}/${workerId}-${this.#slot}`, outputRoot, new RootGuard(outputRoot), {
            atomic,
            durable,
            finish: finishMode ? finishMode.definition.rule(finishMode.fields) : null,
          })
        : null;
    const needed = [
      ...(outputRoot ? [["output root", outputRoot] as const] : []),
      ["staging directory", stagingDir] as const,
      ...(root && modes?.inputMode?.definition.readsInputRoot ? [["input root", root.inputPath] as const] : []),
    ];
    return { publication, needed, probePath: `${stagingDir}/${workerId}-${this.#slot}.probe` };
  }

  #bind(
    wire: unknown,
    ctx: ItemPlace,
    place: (outputs: readonly OutputEntry[]) => Record<string, OutputFile> | undefined,
  ): unknown {
    const modes = this.#program.modes;
    if (!modes) return wire;
    const item: Record<string, unknown> = { ...(wire as Item) };
    if (this.#yields === "group") delete item.input;
    for (const [field, file] of filesOf(this.#yields, wire as Item))
      item[field] = new InputFile(pathOfFile(this.#program.roots, file), file);
    return Object.assign(item, place(outputsOf(modes, ctx.key, nameOfFiles(this.#yields, wire as Item))));
  }

  publish(): void {
    this.#place?.publication?.publish();
  }

  discard(): void {
    this.#place?.publication?.discard();
  }

  /**
   * Why no item can work here any more: a root was deleted, renamed or unmounted under the run, or its disk is full. Asked
   * when one has failed, before what it has written is discarded: that may be what fills the disk.
   */
  obstacle(thrown: unknown): KagurazakaError | undefined {
    if (!this.#place) return undefined;
    const { needed, probePath } = this.#place;
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
interface ItemPlace {
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
