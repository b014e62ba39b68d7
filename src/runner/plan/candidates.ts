import { encodeItem } from "../../base/canonical-json.js";
import { type ErrorRecord, KagurazakaError, toErrorRecord } from "../../base/errors.js";
import { hashText, nameOfHash } from "../../base/hash.js";
import { foldName, isSameDirectory } from "../../base/names-on-disk.js";
import { didYouMean } from "../../base/nearest.js";
import { type Item, isReservedField, type WireGroup, type WireTriplet } from "../../contracts/item.js";
import { type OutputEntry, type Yields, yieldsOf } from "../../contracts/modes.js";
import type { TaskInstance } from "../../contracts/task.js";
import { filesOf, nameOfFiles, nameOfItem, outputsOf } from "../program/item-files.js";
import { checkRelPath, FOLDED_HINT, replacesInput } from "../program/safe-path.js";
import type { TaskProgram } from "../program/task-program.js";
import type { SeenKeys } from "./bulk/seen-keys.js";

/** An item with a name, as the stages of the plan pass it on. */
export interface Candidate {
  readonly key: string;
  readonly item: Item;
  /** Its canonical JSON; undefined until something needs it. */
  json: string | undefined;
  readonly outputs: readonly OutputEntry[];
}

/** An item that an earlier run has named. */
export type KnownItem = Pick<Candidate, "key" | "item">;

/** An item that cannot run. It is recorded as failed, without an attempt. */
export interface Refusal {
  readonly key: string;
  readonly item: unknown;
  readonly error: ErrorRecord;
}

/** An item that was listed before, with the same content: it runs once. */
interface Repeat {
  readonly key: string;
  readonly isRepeat: true;
}

type Named = Candidate | Refusal | Repeat;

export const isRefusal = (named: Named): named is Refusal => "error" in named;
export const isRepeat = (named: Named): named is Repeat => "isRepeat" in named;

export interface NamerOptions {
  readonly program: TaskProgram;
  readonly instance: TaskInstance;
  /** Number of the hard shard whose items these are. */
  readonly shard: number;
  /** Keys, items with keys of their own, and output paths so far; null where they cannot repeat. */
  readonly seen: { readonly keys: SeenKeys | null; readonly items: SeenKeys | null; readonly outputs: SeenKeys | null };
  /** The output root takes names that differ in case for one. */
  readonly foldsOutputs: boolean;
  /** Whether an earlier run has recorded the item as done. */
  isDone(key: string): boolean;
}

/** Gives each item its key and its outputs, and refuses items that cannot run. */
export class Namer {
  readonly #options: NamerOptions;
  readonly #yields: Yields;
  readonly #keyField: string | undefined;
  /** By hard shard: inputs and outputs are in one directory. */
  #sharesRoot: readonly boolean[] | undefined;

  constructor(options: NamerOptions) {
    const input = options.program.modes?.inputMode;
    this.#options = options;
    this.#yields = input ? yieldsOf(input) : "record";
    this.#keyField = input?.definition.keyField?.(input.fields);
  }

  name(raw: unknown, index: number): Named {
    let key = `invalid:${index}`;
    try {
      if (typeof raw !== "object" || raw === null || Array.isArray(raw)) {
        const found = raw == null ? raw : Array.isArray(raw) ? "an array" : `a ${typeof raw}`;
        throw new KagurazakaError("not-json", `item ${index} is ${found}, not an object`);
      }
      const item = raw as Item;
      const files = nameOfFiles(this.#yields, item);
      if (files) {
        key = files.relDir === "." ? files.fileName : `${files.relDir}/${files.fileName}`;
        checkRelPath(key, "key");
        if (files.stem !== undefined) checkGroup(key, item.input as WireGroup);
        const json = this.#options.seen.items ? encodeItem(item) : undefined;
        return this.#repeated(key, item, json) ?? this.#candidate(key, item, json);
      }
      const explicit = this.#explicitKey(item);
      if (explicit !== undefined) key = explicit;
      const json = encodeItem(item);
      if (explicit === undefined) {
        key = this.#nameByContent(hashText(json));
      } else {
        const repeat = this.#repeated(key, item, json);
        if (repeat) return repeat;
      }
      if (this.#options.program.modes) checkReserved(item);
      return this.#candidate(key, item, json);
    } catch (thrown) {
      return refuse(key, raw, thrown);
    }
  }

  /** An item that was named by an earlier run, in which its shard may have had another number. */
  rename({ key, item }: KnownItem): Named {
    try {
      if (this.#yields === "record") return this.#candidate(key, item, undefined);
      const input = { ...(item.input as WireTriplet | WireGroup), root: this.#options.shard };
      return this.#candidate(key, { ...item, input }, undefined);
    } catch (thrown) {
      return refuse(key, item, thrown);
    }
  }

  #candidate(key: string, item: Item, json: string | undefined): Candidate {
    const outputs = outputsOf(this.#options.program.modes, key, nameOfItem(this.#yields, item));
    for (const output of outputs) this.#checkOutput(output, key);
    if (this.#yields !== "record") this.#keepInputs(item, outputs);
    return { key, item, json, outputs };
  }

  #explicitKey(item: Item): string | undefined {
    const field = this.#keyField;
    if (field !== undefined) {
      const value = item[field];
      if (typeof value === "string" || typeof value === "number" || typeof value === "bigint") return String(value);
      const found = value === undefined ? "missing" : `a ${typeof value}`;
      const fields = Object.keys(item);
      throw new KagurazakaError("item-failed", `the key field "${field}" is ${found}, not a text or a number`, {
        hint: `The item has: ${fields.slice(0, 20).join(", ")}.${didYouMean(field, fields)}`,
      });
    }
    const { instance } = this.#options;
    if (!instance.keyOf) return undefined;
    const key: unknown = instance.keyOf(item);
    if (typeof key !== "string" || key === "")
      throw new KagurazakaError("item-failed", `keyOf() returned ${JSON.stringify(key)}, not a text`);
    return key;
  }

  /** A repeated record is another item, named `…#2`, `…#3` and so on. */
  #nameByContent(hash: Uint32Array): string {
    const name = nameOfHash(hash);
    const times = this.#options.seen.keys?.addHash(hash) ?? 1;
    return times === 1 ? name : `${name}#${times}`;
  }

  /**
   * The same item again is a repeat. Another item with the same key is a mistake, recorded as `key#2`, so that the outcome of
   * the first item with the key stays.
   */
  #repeated(key: string, item: Item, json: string | undefined): Refusal | Repeat | undefined {
    const { keys, items } = this.#options.seen;
    if (json !== undefined && items !== null && items.add(json) > 1) return { key, isRepeat: true };
    const times = keys?.add(key) ?? 1;
    if (times === 1) return undefined;
    const message = `the key ${JSON.stringify(key)} was listed before, for another item; this is no. ${times}`;
    const hint = "The first one runs. Make keys unique, or leave them out so that records are told apart by content.";
    return refuse(`${key}#${times}`, item, new KagurazakaError("duplicate-key", message, { hint }));
  }

  /** Where inputs and outputs share a root, an output may have the name of one of the item's files. */
  #keepInputs(item: Item, outputs: readonly OutputEntry[]): void {
    this.#sharesRoot ??= this.#options.program.roots.map(
      ({ inputPath, outputPath }) => outputPath !== null && isSameDirectory(inputPath, outputPath),
    );
    if (!this.#sharesRoot[this.#options.shard]) return;
    for (const [, { path, rel_dir, file_name }] of filesOf(this.#yields, item)) {
      const input = rel_dir === "." ? file_name : `${rel_dir}/${file_name}`;
      if (path === undefined && outputs.some(({ relPath }) => relPath === input)) throw replacesInput(input);
    }
  }

  #checkOutput(output: OutputEntry, key: string): void {
    checkRelPath(output.relPath);
    const { seen, foldsOutputs, isDone } = this.#options;
    const times = seen.outputs?.add(foldsOutputs ? foldName(output.relPath) : output.relPath) ?? 1;
    // What is done stays done; the other item finds the file there.
    if (times === 1 || (foldsOutputs && isDone(key))) return;
    const name = `${JSON.stringify(output.relPath)}${foldsOutputs ? ", or a name that is the same file here" : ""}`;
    const details = foldsOutputs ? { hint: FOLDED_HINT } : {};
    throw new KagurazakaError("duplicate-key", `another item already writes ${name}`, details);
  }
}

function checkGroup(key: string, { refused }: WireGroup): void {
  if (refused === undefined) return;
  throw new KagurazakaError("duplicate-key", `${JSON.stringify(key)} ${refused}`, {
    hint: "Leave one of them, or move the others to another directory.",
  });
}

function checkReserved(item: Item): void {
  for (const field of Object.keys(item)) {
    if (!isReservedField(field)) continue;
    throw new KagurazakaError("reserved-field", `the item has a field "${field}", which modes inject`, {
      hint: "Rename the field in the input.",
    });
  }
}

export function refuse(key: string, item: unknown, thrown: unknown): Refusal {
  const error = KagurazakaError.is(thrown)
    ? thrown
    : new KagurazakaError("item-failed", `naming the item failed: ${toErrorRecord(thrown).message}`, { cause: thrown });
  return { key, item, error: { ...toErrorRecord(error), permanent: true } };
}
