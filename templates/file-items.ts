import type { Item, WalkedDirectory, WireTriplet } from "../src/kit.js";

/**
 * The items of the files (or directories) in one directory. Fields stand in sorted order, which lets canonical JSON take
 * its fast path.
 */
export function createFileItems(root: number, { relDir, names }: WalkedDirectory): Item[] {
  return names.map((name) => ({ input: { file_name: name, rel_dir: relDir, root } satisfies WireTriplet }));
}
