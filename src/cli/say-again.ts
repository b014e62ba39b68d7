import { quote } from "./commands/run.js";

/** The words of a command once more, as a shell reads them, with others in front and flags behind; `--json` is left out. */
export function sayAgain(words: readonly string[], change: { before?: string; flags?: string } = {}): string {
  const end = words.indexOf("--");
  const [mine, raw] = end < 0 ? [words, []] : [words.slice(0, end), words.slice(end)];
  const parts = [
    "kagurazaka",
    ...(change.before === undefined ? [] : [change.before]),
    ...mine.filter((word) => word !== "--json").map(quote),
    ...(change.flags === undefined ? [] : [change.flags]),
    ...raw.map(quote),
  ];
  return parts.join(" ");
}
