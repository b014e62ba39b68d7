import { isAssignment, snakeName } from "./names.js";

/** How many words a flag takes. `optional`: one of these words, or none. */
export type Arity = "none" | "one" | "many" | "assignments" | { readonly optional: readonly string[] };

export interface WordItem {
  readonly kind: "word";
  readonly text: string;
  readonly index: number;
  readonly source: readonly [string];
  /** It follows a flag that is not declared yet, and may be its value. */
  readonly afterUnknown: boolean;
}

export interface FlagItem {
  readonly kind: "flag";
  /** As typed, without `=value`. */
  readonly written: string;
  /** In snake_case. */
  readonly name: string;
  /** Undefined: the flag is not declared. */
  readonly arity: Arity | undefined;
  readonly values: readonly string[];
  /** `--flag=value`. */
  readonly inline: boolean;
  /** `--no-flag`. */
  readonly negated: boolean;
  readonly index: number;
  /** The words as they came. */
  readonly source: readonly string[];
}

export interface Words {
  readonly items: readonly (WordItem | FlagItem)[];
  /** After `--`. */
  readonly rest: readonly string[];
}

/** Flags of one dash. */
export const shorts: Readonly<Record<string, string>> = {
  "-h": "help",
  "-hb": "help_backbone",
  "-hk": "help_kagurazaka",
  "-V": "version",
  "-n": "n",
};

const isFlag = (word: string): boolean => /^-./s.test(word) && !/^-\.?\d/.test(word);

/**
 * Splits an argument vector by what each flag takes.
 * @param arityOf of a name in snake_case
 * @param reserved indices that are positionals, even behind a flag that takes a value
 */
export function readWords(
  argv: readonly string[],
  arityOf: (name: string) => Arity | undefined,
  reserved: ReadonlySet<number>,
): Words {
  const items: (WordItem | FlagItem)[] = [];
  let unknownBefore = false;
  for (let i = 0; i < argv.length; ) {
    const word = argv[i]!;
    if (word === "--") return { items, rest: argv.slice(i + 1) };
    if (!isFlag(word)) {
      const afterUnknown = unknownBefore && !reserved.has(i);
      items.push({ kind: "word", text: word, index: i, source: [word], afterUnknown });
      unknownBefore = false;
      i++;
      continue;
    }
    const flag = readFlag(argv, i, arityOf, reserved);
    items.push(flag);
    unknownBefore = flag.arity === undefined && !flag.inline;
    i += flag.source.length;
  }
  return { items, rest: [] };
}

function readFlag(
  argv: readonly string[],
  index: number,
  arityOf: (name: string) => Arity | undefined,
  reserved: ReadonlySet<number>,
): FlagItem {
  const word = argv[index]!;
  const equals = word.indexOf("=");
  const written = equals < 0 ? word : word.slice(0, equals);
  const long = written.startsWith("--") ? snakeName(written.slice(2)) : written;
  let name = Object.hasOwn(shorts, written) ? shorts[written]! : long;
  let arity = arityOf(name);
  let negated = false;
  if (arity === undefined && name.startsWith("no_") && arityOf(name.slice(3)) === "none") {
    [name, arity, negated] = [name.slice(3), "none", true];
  }
  const inline = equals >= 0;
  const values = inline ? [word.slice(equals + 1)] : [];
  let next = index + 1;
  const free = (): boolean => next < argv.length && argv[next] !== "--" && !reserved.has(next) && !isFlag(argv[next]!);
  const takes = (): boolean => {
    if (arity === undefined || arity === "none" || !free()) return false;
    if (arity === "one") return values.length === 0;
    if (arity === "many") return !inline;
    if (arity === "assignments") return isAssignment(argv[next]!);
    return values.length === 0 && arity.optional.includes(argv[next]!);
  };
  while (takes()) values.push(argv[next++]!);
  return { kind: "flag", written, name, arity, values, inline, negated, index, source: argv.slice(index, next) };
}
