import { KagurazakaError } from "../../../base/errors.js";
import { didYouMean } from "../../../base/nearest.js";
import type { FailedItem } from "../../ledger/index.js";

/** Failures with the same name, in which everything that varies from item to item is masked. */
export interface FailureClass {
  readonly class: string;
  readonly count: number;
  /** The full message of the first failure. */
  readonly message: string;
  readonly attempts: { readonly least: number; readonly most: number };
  /** The keys of the first failures. */
  readonly keys: readonly string[];
}

const EXAMPLES = 3;

/** The most frequent class first. Memory depends on the number of classes, not of items. */
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

/** The class of that name, else all classes whose names contain it. */
export function pickClasses(classes: readonly FailureClass[], asked: string): FailureClass[] {
  const exact = classes.filter(({ class: name }) => name === asked);
  if (exact.length > 0) return exact;
  const wanted = asked.toLowerCase();
  const containing = classes.filter(({ class: name }) => name.toLowerCase().includes(wanted));
  if (containing.length > 0) return containing;
  const names = classes.map(({ class: name }) => name);
  const hint = names.length === 0 ? "No item has failed." : `Classes: ${names.slice(0, 5).join("; ")}.`;
  const message = `no failure is in the class "${asked}".${didYouMean(asked, names)}`;
  throw new KagurazakaError("usage", message, { where: "--class", hint });
}
