import { existsSync } from "node:fs";
import { KagurazakaError } from "../../base/errors.js";
import type { FileTriplet, Item, OutputFile, WireTriplet } from "../../contracts/item.js";
import { type OutputEntry, type Yields, yieldsOf } from "../../contracts/modes.js";
import type { WorkerSetup } from "../../contracts/wire.js";
import { filesOf, nameOfFiles, pathOfFile } from "../program/item-files.js";
import { RootGuard } from "../program/safe-path.js";
import { outputsOf, type TaskProgram } from "../program/task-program.js";
import { Publication } from "./publication.js";

/** From what crossed the border to what `process` is given, for one slot: paths joined, outputs staged. */
export class ItemBinder {
  readonly #program: TaskProgram;
  readonly #yields: Yields;
  readonly #publication: Publication | null;
  /** Directories without which nothing can work, by what they are. */
  readonly #needed: readonly (readonly [what: string, dir: string])[];

  constructor(program: TaskProgram, setup: WorkerSetup, slot: number) {
    this.#program = program;
    const inputMode = program.modes?.inputMode;
    this.#yields = inputMode ? yieldsOf(inputMode) : "record";
    const outputRoot = program.roots[0]?.outputPath;
    const finishMode = program.modes?.finishCheckMode;
    this.#publication =
      program.modes?.outputMode && outputRoot
        ? new Publication(`${setup.stagingDir}/${setup.workerId}-${slot}`, outputRoot, new RootGuard(outputRoot), {
            atomic: setup.atomic,
            durable: setup.durable,
            finish: finishMode ? finishMode.definition.rule(finishMode.fields) : null,
          })
        : null;
    this.#needed = [
      ...(outputRoot ? [["output root", outputRoot] as const] : []),
      ["staging directory", setup.stagingDir],
      ...(inputMode?.definition.readsInputRoot
        ? program.roots.map(({ inputPath }) => ["input root", inputPath] as const)
        : []),
    ];
  }

  /** For `isExecuted`: outputs at their final places; nothing is made on disk. */
  bindForCheck(wire: unknown, ctx: { readonly key: string }): unknown {
    return this.#bind(wire, ctx, (outputs) => this.#publication?.finalFiles(outputs));
  }

  /** For `process`: outputs in staging. */
  bind(wire: unknown, ctx: { readonly key: string }): unknown {
    return this.#bind(wire, ctx, (outputs) => this.#publication?.begin(outputs));
  }

  #bind(
    wire: unknown,
    ctx: { readonly key: string },
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
    this.#publication?.publish();
  }

  discard(): void {
    this.#publication?.discard();
  }

  /** Why no item can work here any more: a root was deleted, renamed or unmounted under the run. Asked when one has failed. */
  rootGone(): KagurazakaError | undefined {
    const gone = this.#needed.find(([, dir]) => !existsSync(dir));
    return gone && new KagurazakaError("environment", `the ${gone[0]} ${gone[1]} is gone`);
  }
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
