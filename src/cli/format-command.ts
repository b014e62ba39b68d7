/** A word as a POSIX shell reads it back. */
export function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** More flags for a command: before its `--`, for what stands behind that is the task's. */
export function withFlags(argv: readonly string[], flags: readonly string[]): string[] {
  const end = argv.indexOf("--");
  return end < 0 ? [...argv, ...flags] : [...argv.slice(0, end), ...flags, ...argv.slice(end)];
}

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
