import { quote, withFlags } from "./words.js";

/** The words of a command once more, as a shell reads them, with others in front and flags behind; `--json` is left out. */
export function formatCommand(
  words: readonly string[],
  { before, flags }: { before?: string; flags?: string } = {},
): string {
  const mark = "\0";
  const end = words.includes("--") ? words.indexOf("--") : words.length;
  const kept = words.filter((word, index) => word !== "--json" || index > end);
  const all = flags === undefined ? kept : withFlags(kept, [mark]);
  // What is given as flags is a piece of a command line already.
  const text = all.map((word) => (word === mark ? flags! : quote(word)));
  return ["kagurazaka", ...(before === undefined ? [] : [before]), ...text].join(" ");
}
