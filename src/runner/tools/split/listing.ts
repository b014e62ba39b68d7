import { toErrorRecord } from "../../../base/errors.js";
import { type WalkedDirectory, walkFiles } from "../../../data/files/walk.js";
import { compileGlobs } from "../../../data/globs/globs.js";
import type { SplitSettings } from "./settings.js";
import type { SplitCounters } from "./split-counters.js";

/** The files to split, one array a directory, in the order of the walk. */
export type Listing = () => Generator<WalkedDirectory>;

/** `exts` select as in `InputByExts`, globs as `--only` of a run; shards that lie below the input are left out. */
export function createListing(
  { input, base, choice }: SplitSettings,
  counters: Pick<SplitCounters, "fail" | "passOver">,
): Listing {
  const { exts, only, hidden } = choice;
  const match = exts.length === 0 ? undefined : (name: string) => exts.some((ext) => name.endsWith(ext));
  const isAsked = only.length === 0 ? undefined : compileGlobs(only);
  // The input may be listed twice, to plan and to place.
  const unreadable = new Set<string>();
  const onPassedOver = counters.passOver.bind(counters);
  const onUnreadable = (relDir: string, cause: unknown): void => {
    if (!unreadable.has(relDir)) counters.fail(`${relDir}/`, toErrorRecord(cause).message);
    unreadable.add(relDir);
  };
  return function* list() {
    const walk = { root: input, leaveOut: [base], hidden, match, onPassedOver, onUnreadable };
    for (const directory of walkFiles(walk)) {
      if (!isAsked) yield directory;
      else {
        const prefix = directory.relDir === "." ? "" : `${directory.relDir}/`;
        const names = directory.names.filter((name) => isAsked(prefix + name));
        if (names.length > 0) yield { relDir: directory.relDir, names };
      }
    }
  };
}
