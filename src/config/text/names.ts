import type { OptionSpecs } from "../../base/option-spec.js";

/** `inputPath`, `input-path` and `input_path` are one name: this one. */
export const snakeName = (name: string): string =>
  name
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/-/g, "_")
    .toLowerCase();

/** How help and messages write a flag: camelCase as kebab-case, declared snake_case as declared. */
export const flagName = (name: string): string => `--${name.includes("_") ? name : snakeName(name).replace(/_/g, "-")}`;

/** Declared names by their snake_case form. */
export function spellings(names: Iterable<string>): Map<string, string> {
  return new Map([...names].map((name) => [snakeName(name), name]));
}

/** The declared name in any spelling; own keys only. */
export function declaredName(specs: OptionSpecs, written: string): string | undefined {
  const wanted = snakeName(written);
  return Object.keys(specs).find((name) => snakeName(name) === wanted);
}

/** Words of `KEY=VALUE` form; the key may be dotted. */
export const isAssignment = (word: string): boolean => /^[^\s=/\\-][^\s=/\\]*=/.test(word);

/** Keys of the Python tool that mean nothing here; a YAML written for it may keep them. */
export const ignoredKeys: ReadonlySet<string> = new Set([
  "pin_memory",
  "pin_memory_device",
  "persistent_workers",
  "num_workers",
  "prefetch_factor",
  "multiprocessing_context",
  "worker_init_fn",
  "non_blocking",
  "device",
]);
