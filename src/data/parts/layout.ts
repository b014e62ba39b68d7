/**
 * What lies in a folder of parts:
 *
 *     train-00000-of-00012.parquet        a part: the rows of one slice
 *     _plan.json                          which slices there are, in which format, with which features
 *     _parts/train-00000-of-00012.json    what is known of a part: rows, bytes, SHA-256, what was left out
 *     _rejected/train-00000-of-00012.jsonl  rows of the slice that were left out, with their reasons
 *     _manifest.json                      all parts together, once the run is over
 *     README.md                           a dataset card, for Python's datasets
 */
export const PLAN_FILE = "_plan.json";
export const MANIFEST_FILE = "_manifest.json";
export const CARD_FILE = "README.md";
export const FACTS_DIRECTORY = "_parts";
export const REJECTED_DIRECTORY = "_rejected";

/** `train-00017-of-00100`, numbered from 0. */
export function partName(split: string, index: number, count: number): string {
  const digits = Math.max(5, String(count).length);
  return `${split}-${String(index).padStart(digits, "0")}-of-${String(count).padStart(digits, "0")}`;
}
