import { createRequire } from "node:module";
import type deepmerge from "deepmerge";
import { type Branch, createBranch, isBranch, Leaf, originKey, originOf, type Tree } from "../tree.js";

// Loaded when a second layer is there to be merged, and never before.
let loaded: typeof deepmerge | undefined;
const load = (): typeof deepmerge => (loaded ??= createRequire(import.meta.url)("deepmerge") as typeof deepmerge);

/**
 * Mapping onto mapping by key, at any depth; anything else (lists too) replaces. Leaves carry their origins along.
 * Keys were checked when the trees were made. deepmerge builds its results on `{}`, where a key like `toString` already
 * "exists" and is dropped by the next merge: without clones, and with the prototype taken off again, none is lost.
 */
export function mergeBranches(lower: Branch, upper: Branch): Branch {
  const merged = load()(lower as object, upper as object, {
    clone: false,
    isMergeableObject: (value) => isPlain(value),
    arrayMerge: (_lower, list) => list,
  }) as Branch;
  return withoutPrototype(merged, originOf(upper));
}

const isPlain = (value: unknown): boolean => typeof value === "object" && value !== null && originKey in value;

function withoutPrototype(branch: Branch, origin = branch[originKey]): Branch {
  if (Object.getPrototypeOf(branch) === null) return branch;
  const without = createBranch(origin);
  for (const [key, child] of Object.entries(branch)) without[key] = isBranch(child) ? withoutPrototype(child) : child;
  return without;
}

/** The same for a mode: another `use` replaces the whole mode. */
export function mergeModes(lower: Branch, upper: Branch): Branch {
  const [before, now] = [useOf(lower), useOf(upper)];
  return now !== undefined && before !== now ? upper : mergeBranches(lower, upper);
}

export function useOf(tree: Tree | undefined): string | undefined {
  const use = isBranch(tree) ? tree.use : undefined;
  return use instanceof Leaf && typeof use.value === "string" ? use.value : undefined;
}
