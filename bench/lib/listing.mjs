import { fileURLToPath } from "node:url";
import { formatCount, formatRate } from "./format.mjs";
import { kagurazaka, peer, taskFile } from "./kagurazaka.mjs";
import { createLine } from "./line.mjs";
import { runJson } from "./process.mjs";

const LIST_MODE = fileURLToPath(new URL("list-mode.mjs", import.meta.url));

/** Sides that read a list of `items`, as rates: a parser alone, a mode's listing, and the whole plan of a run. */
export function listingSides(items) {
  const rate = (ended) => {
    if (ended.count !== items) throw new Error(`${ended.count} items were read, not ${items}`);
    return (items * 1000) / ended.elapsedMs;
  };
  return {
    alone:
      (script, ...words) =>
      async () =>
        rate(await runJson([process.execPath, peer(script), ...words])),
    mode:
      (name, field, file, fields = {}) =>
      async () =>
        rate(await runJson([process.execPath, LIST_MODE, name, field, file, JSON.stringify(fields)])),
    plan: (mode, emptyMode) => async () => {
      const dryRun = async (input) =>
        kagurazaka([taskFile("lists.ts"), "Listed", "--dry-run", "--mixin", `input_mode=${JSON.stringify(input)}`], {});
      const [full, empty] = [await dryRun(mode), await dryRun(emptyMode)];
      return rate({ count: full.run, elapsedMs: full.wallMs - empty.wallMs });
    },
  };
}

/** A line of the table about rates of a list. */
export const rateLine = (items, what, ours, against, theirs, goal = {}) =>
  createLine({ what: `${formatCount(items)} ${what}`, against, ours, theirs, format: formatRate, ...goal });
