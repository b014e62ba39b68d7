import { KagurazakaError } from "../../base/errors.js";
import { didYouMean } from "../../base/nearest.js";

/** Split → what is in it, in the order of the splits' first entries. */
export function groupBySplit<T extends { readonly split: string }>(all: readonly T[]): Map<string, T[]> {
  const splits = new Map<string, T[]>();
  for (const one of all) {
    const known = splits.get(one.split);
    if (known) known.push(one);
    else splits.set(one.split, [one]);
  }
  return splits;
}

/** @param of the dataset, for messages @throws KagurazakaError `source` for a split that there is not */
export function splitNamed<T>(splits: ReadonlyMap<string, readonly T[]>, split: string, of: string): readonly T[] {
  const found = splits.get(split);
  if (found) return found;
  const names = [...splits.keys()];
  throw new KagurazakaError("source", `${of} has no split "${split}".${didYouMean(split, names)}`, {
    hint: `It has: ${names.join(", ")}.`,
  });
}
