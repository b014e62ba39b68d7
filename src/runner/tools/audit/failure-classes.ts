import { KagurazakaError } from "../../../base/errors.js";
import { didYouMean } from "../../../base/nearest.js";
import type { FailedItem } from "../../ledger/index.js";

/** Failures that are one: what varies from item to item is masked in the name. */
export interface FailureClass {
  readonly class: string;
  readonly count: number;
  /** Of the first of them, in full. */
  readonly message: string;
  readonly attempts: { readonly least: number; readonly most: number };
  /** The first of them. */
  readonly keys: readonly string[];
}

const EXAMPLES = 3;

/** Most first. Memory goes with the number of classes. */
export function groupFailures(items: Iterable<FailedItem>): FailureClass[] {
  const groups = new Map<string, { count: number; message: string; least: number; most: number; keys: string[] }>();
  for (const { class: name, message, attempts, key } of items) {
    const group = groups.get(name) ?? { count: 0, message, least: attempts, most: attempts, keys: [] };
    groups.set(name, group);
    group.count++;
    group.least = Math.min(group.least, attempts);
    group.most = Math.max(group.most, attempts);
    if (group.keys.length < EXAMPLES) group.keys.push(key);
  }
  return [...groups]
    .map(([name, { least, most, ...group }]) => ({ class: name, ...group, attempts: { least, most } }))
    .sort((a, b) => b.count - a.count);
}

/** The classes a word means: the one of that name, else all that contain it. */
export function pickClasses(classes: readonly FailureClass[], asked: string): FailureClass[] {
  const exact = classes.filter(({ class: name }) => name === asked);
  if (exact.length > 0) return exact;
  const wanted = asked.toLowerCase();
  const containing = classes.filter(({ class: name }) => name.toLowerCase().includes(wanted));
  if (containing.length > 0) return containing;
  const names = classes.map(({ class: name }) => name);
  throw new KagurazakaError("usage", `nothing has failed in the class "${asked}".${didYouMean(asked, names)}`, {
    where: "--class",
    hint:
      names.length === 0
        ? "Nothing has failed at all."
        : `There ${names.length === 1 ? "is" : "are"}: ${names.slice(0, 5).join("; ")}.`,
  });
}
