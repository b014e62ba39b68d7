import { joinValues } from "../../batch/concat.js";
import type { ArrayData } from "./arrays.js";
import type { Dictionaries, DictionaryPlace } from "./messages.js";

type Values = ArrayLike<unknown>;

/** The values of a dictionary, which a message gave, or several: a delta adds values to those before. */
export class Dictionary {
  readonly place: DictionaryPlace;
  readonly data: ArrayData;
  readonly before: Dictionary | undefined;
  readonly length: number;
  /** By feature. There may be more values behind these, of later deltas. */
  readonly #decoded = new Map<string, Values>();

  constructor(place: DictionaryPlace, data: ArrayData, before: Dictionary | undefined) {
    this.place = place;
    this.data = data;
    this.before = before;
    this.length = (before?.length ?? 0) + data.length;
  }

  /** Decoded once. At least `length`. @param key of the feature that they are decoded as */
  valuesAs(key: string, decode: (data: ArrayData) => Values): Values {
    const missing: Dictionary[] = [];
    let one: Dictionary | undefined = this;
    for (; one && !one.#decoded.has(key); one = one.before) missing.push(one);
    let values = one === undefined ? undefined : one.#decoded.get(key);
    for (const next of missing.reverse()) {
      values = values ? appended(values, next.before!.length, decode(next.data)) : decode(next.data);
      next.#decoded.set(key, values);
    }
    return values!;
  }
}

/** Into the same array where nothing else was added to it: a stream may have a delta in front of every batch. */
function appended(values: Values, length: number, more: Values): Values {
  if (ArrayBuffer.isView(values)) return joinValues([(values as unknown as Int32Array).subarray(0, length), more]);
  if (values.length !== length) return joinValues([(values as unknown[]).slice(0, length), more]);
  for (let i = 0; i < more.length; i++) (values as unknown[]).push(more[i]);
  return values;
}

/** The dictionaries of a file, each loaded when a column needs it; those of the last batch are kept. */
export class DictionaryStore {
  readonly #load: (place: DictionaryPlace) => Promise<ArrayData>;
  readonly #kept = new Map<number, Dictionary>();

  constructor(load: (place: DictionaryPlace) => Promise<ArrayData>) {
    this.#load = load;
  }

  async get(ids: readonly number[], dictionaries: Dictionaries): Promise<ReadonlyMap<number, Dictionary>> {
    const found = new Map<number, Dictionary>();
    for (const id of ids) {
      const place = dictionaries.get(id);
      if (place) found.set(id, await this.#dictionary(place));
    }
    return found;
  }

  async #dictionary(place: DictionaryPlace): Promise<Dictionary> {
    const missing: DictionaryPlace[] = [];
    let known: Dictionary | undefined;
    for (let one: DictionaryPlace | undefined = place; one; one = one.before) {
      known = this.#find(one);
      if (known) break;
      missing.push(one);
    }
    for (const one of missing.reverse()) known = new Dictionary(one, await this.#load(one), known);
    if (missing.length > 0) this.#kept.set(place.id, known!);
    return known!;
  }

  #find(place: DictionaryPlace): Dictionary | undefined {
    for (let one = this.#kept.get(place.id); one; one = one.before) if (one.place === place) return one;
    return undefined;
  }
}
