import { HIDDEN } from "../base/mask.js";
import { maskValue } from "../config/secrets.js";
import { snakeName } from "../config/text/names.js";
import type { ConfigEntry } from "../contracts/run-config.js";

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

/** The words of a command as they may be shown: what its configuration, or a form of its own, says is secret is hidden. */
export function shownWords(argv: readonly string[], entries: readonly ConfigEntry[]): string[] {
  const end = argv.includes("--") ? argv.indexOf("--") : argv.length;
  const hidden = entries.filter(({ value, origin }) => origin.kind === "flag" && [value].flat().includes(HIDDEN));
  let secretWords = 0;
  const own = argv.slice(0, end).map((word) => {
    const [, flag, value] = /^(--?[A-Za-z][\w-]*)(?:=(.*))?$/s.exec(word) ?? [];
    if (flag === undefined) return secretWords-- > 0 ? mask(word, true) : maskAssignment(word, hidden);
    const name = snakeName(flag.replace(/^-+/, ""));
    const entry = hidden.find(({ path }) => snakeName(path.split(".").at(-1)!) === name);
    // A list of several words may stand behind one flag.
    secretWords = entry === undefined || value !== undefined ? 0 : [entry.value].flat().length;
    return value === undefined ? word : `${flag}=${mask(value, entry !== undefined)}`;
  });
  return [...own, ...(maskValue("", argv.slice(end)) as string[])];
}

const mask = (word: string, isSecret: boolean): string => String(maskValue("", word, isSecret));

/** A word that may change a mixin, `mode.field=value` or `mode={…}`, in which the hidden entries may come. */
function maskAssignment(word: string, hidden: readonly ConfigEntry[]): string {
  const equals = word.indexOf("=");
  const path = `mixin.${word.slice(0, equals).split(".").map(snakeName).join(".")}`;
  const isSecret = equals > 0 && hidden.some((entry) => `${entry.path}.`.startsWith(`${path}.`));
  return isSecret ? `${word.slice(0, equals)}=${HIDDEN}` : mask(word, false);
}
