import { type PassedOver, type WalkedDirectory, walkFiles } from "../../../data/walk.js";
import { loadGlobs } from "../../plan/key-filter.js";
import type { SplitSettings } from "./settings.js";

/** The files to split, one array a directory, in the order of the walk. */
export type Listing = () => Generator<WalkedDirectory>;

/** `exts` select as in `InputByExts`, globs as `--only` of a run; shards that lie below the input are left out. */
export async function createListing(
  { input, base, choice }: SplitSettings,
  onPassedOver: (relPath: string, why: PassedOver) => void,
): Promise<Listing> {
  const { exts, only, hidden } = choice;
  const match = exts.length === 0 ? undefined : (name: string) => exts.some((ext) => name.endsWith(ext));
  const isAsked = only.length === 0 ? undefined : (await loadGlobs())(only);
  return function* list() {
    for (const directory of walkFiles({ root: input, leaveOut: [base], hidden, match, onPassedOver })) {
      if (!isAsked) yield directory;
      else {
        const prefix = directory.relDir === "." ? "" : `${directory.relDir}/`;
        const names = directory.names.filter((name) => isAsked(prefix + name));
        if (names.length > 0) yield { relDir: directory.relDir, names };
      }
    }
  };
}
