import { KagurazakaError } from "../../base/errors.js";
import { didYouMean } from "../../base/nearest.js";
import type { Features } from "../features/feature.js";

/** @throws KagurazakaError `features` for columns that a source does not have */
export function checkColumns(
  columns: readonly string[],
  features: Features,
  source: string,
  where = "--columns",
): void {
  const known = Object.keys(features);
  const missing = columns.filter((name) => !Object.hasOwn(features, name));
  if (missing.length === 0) return;
  const [first] = missing as [string];
  throw new KagurazakaError("features", `${source} has no column "${first}".${didYouMean(first, known)}`, {
    where,
    hint: `It has: ${known.join(", ")}.`,
  });
}
