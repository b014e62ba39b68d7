import { foldsNames, pathBelow } from "../../base/names-on-disk.js";
import type { Item, WireTriplet } from "../../contracts/item.js";
import { type OutputDefinition, type ResolvedMode, type Yields, yieldsOf } from "../../contracts/modes.js";
import { joinRelative, realPathOf } from "../../data/files/walk.js";
import { type FilesName, filesOf, nameOfFiles, outputsOf } from "../program/item-files.js";
import type { TaskProgram } from "../program/task-program.js";
import { KnownOutputs } from "./known-outputs.js";

/**
 * What a task's runs have made is not its input, where both lie in one directory. A file is an output of the task
 *
 * - if a file of the same listing, input or output, has it for its declared output: also without a ledger;
 * - or if the ledger has an item as done that has it: also when that item's files are gone.
 *
 * Outputs are named as this run names them, and as earlier runs did.
 *
 * An item is never its own output, and outputs of other tasks are inputs like any other.
 */
export class OwnOutputs {
  readonly #modes: readonly ResolvedMode<OutputDefinition>[];
  readonly #yields: Yields;
  readonly #outputRoot: string;
  /** The path of the input root below the output root. */
  readonly #inputDir: string;
  readonly #known: KnownOutputs;
  count = 0;
  first = "";

  private constructor(
    modes: readonly ResolvedMode<OutputDefinition>[],
    yields: Yields,
    outputRoot: string,
    inputDir: string,
  ) {
    this.#modes = modes;
    this.#yields = yields;
    this.#outputRoot = outputRoot;
    this.#inputDir = inputDir;
    this.#known = new KnownOutputs(foldsNames(outputRoot));
  }

  /** Undefined where no output can be listed: an output root inside of the input root is left out as a whole. */
  static async of(
    { modes, roots }: Pick<TaskProgram, "modes" | "roots">,
    shard: number,
    earlierModes: () => Promise<readonly ResolvedMode<OutputDefinition>[]>,
  ): Promise<OwnOutputs | undefined> {
    const root = roots[shard];
    if (!modes?.inputMode || !modes.outputMode || !root || root.outputPath === null) return undefined;
    const yields = yieldsOf(modes.inputMode);
    const outputRoot = realPathOf(root.outputPath);
    const inputDir = yields === "record" ? undefined : pathBelow(outputRoot, root.inputPath);
    if (inputDir === undefined) return undefined;
    return new OwnOutputs([modes.outputMode, ...(await earlierModes())], yields, outputRoot, inputDir || ".");
  }

  /** The outputs of an item that is listed. */
  addItem(item: Item): void {
    const name = nameOfFiles(this.#yields, item);
    if (name) this.#add(name, this.#pathsOf(item));
  }

  /** The outputs of an item that was done. */
  addKey(key: string): void {
    const slash = key.lastIndexOf("/");
    const [relDir, fileName] = slash < 0 ? [".", key] : [key.slice(0, slash), key.slice(slash + 1)];
    const name = { relDir, fileName, ...(this.#yields === "group" ? { stem: fileName } : {}) };
    this.#add(name, [joinRelative(this.#inputDir, key)]);
  }

  #add(name: FilesName, inputs: readonly (string | undefined)[]): void {
    const key = joinRelative(name.relDir, name.fileName);
    for (const outputMode of this.#modes) {
      try {
        for (const output of outputsOf({ outputMode }, key, name))
          if (!inputs.includes(output.relPath)) this.#known.add(output);
      } catch {
        // The item that cannot be named fails when it is planned.
      }
    }
  }

  /** Whether a file of the item is an output; if so, it is counted. */
  hasItem(item: Item): boolean {
    return this.#pathsOf(item).some((path) => this.#has(path));
  }

  /** The same for a file by its path below the input root. */
  hasFile(relPath: string): boolean {
    return this.#has(joinRelative(this.#inputDir, relPath));
  }

  #has(path: string | undefined): boolean {
    if (path === undefined) return false;
    if (!this.#known.hasFile(path) && !this.#known.hasDirectory(path)) return false;
    if (this.count++ === 0) this.first = path;
    return true;
  }

  /** The paths of an item's files below the output root; undefined for those elsewhere. */
  #pathsOf(item: Item): (string | undefined)[] {
    const within = `${this.#outputRoot}/`;
    return filesOf(this.#yields, item).map(([, { rel_dir, file_name, path }]: readonly [string, WireTriplet]) => {
      if (path === undefined) return joinRelative(this.#inputDir, joinRelative(rel_dir, file_name));
      return path.startsWith(within) ? path.slice(within.length) : undefined;
    });
  }
}
