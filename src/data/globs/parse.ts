import { endOfBrackets } from "./braces.js";
import { badPattern } from "./mistake.js";

/** Code points by ascending pairs: first and last. */
export type Ranges = readonly number[];

/** What a pattern means. */
export type Node =
  | { readonly one: Ranges }
  | { readonly all: readonly Node[] }
  | { readonly any: readonly Node[] }
  /** Any number of times; with `once`, at least one time. */
  | { readonly many: Node; readonly once?: true }
  /** Any text within a name that the node does not match. */
  | { readonly not: Node };

/** Stands for a dot that begins a name: wildcards match it only with `hidden`. */
export const LEADING_DOT = 0x11_0000;
export const SLASH = 47;
export const DOT = 46;
const LAST = 0x10_ffff;

const MAX_DEPTH = 50;

/** What wildcards match, depending on `hidden`. */
interface Wild {
  /** Any letter within a name. */
  readonly letter: Ranges;
  /** Any letter, `/` too. */
  readonly anything: Node;
  /** `**` before a slash: any number of whole names. */
  readonly names: Node;
}

export const lettersOf = (hidden: boolean): Ranges => [0, SLASH - 1, SLASH + 1, hidden ? LEADING_DOT : LAST];

function wildOf(hidden: boolean): Wild {
  const letter = lettersOf(hidden);
  const name: Node = { all: [{ many: { one: letter } }, { one: [SLASH, SLASH] }] };
  return { letter, anything: { many: { one: [0, hidden ? LEADING_DOT : LAST] } }, names: { many: name } };
}

/**
 * The meaning of a pattern without braces: `*` and `?` (within a name), `**` (across names, where it stands for whole ones),
 * `[abc]`, `[a-z]`, `[!a]`, `(a|b)`, `@(…)`, `?(…)`, `+(…)`, `*(…)`, `!(…)`. A backslash makes a letter of what follows. What
 * is not complete (`[a`, `@(b`) is plain letters.
 */
export function parsePattern(pattern: string, hidden: boolean): Node {
  const wild = wildOf(hidden);
  const closing = findClosing(pattern);

  const parse = (from: number, to: number, isNameStart: boolean, depth: number): Node => {
    if (depth > MAX_DEPTH)
      throw badPattern(pattern, `nests more than ${MAX_DEPTH} groups`, "Give several patterns in place of it.");
    const all: Node[] = [];
    let atStart = isNameStart;
    for (let i = from; i < to; ) {
      const char = pattern[i]!;
      const group = "@?+*!".includes(char) && pattern[i + 1] === "(" ? closing.get(i + 1) : undefined;
      if (group !== undefined) {
        all.push(groupOf(char, alternatives(i + 2, group, atStart, depth)));
        i = group + 1;
      } else if (char === "*") {
        let end = i;
        while (end < to && pattern[end] === "*" && !(pattern[end + 1] === "(" && closing.has(end + 1) && end > i))
          end++;
        const crosses = atStart && end - i === 2;
        if (crosses && end === to) all.push(wild.anything);
        else if (crosses && pattern[end] === "/") {
          all.push(wild.names);
          i = end + 1;
          continue;
        } else all.push({ many: { one: wild.letter } });
        i = end;
      } else if (char === "/") {
        if (depth === 0 && i > 0 && pattern[i - 1] !== "*" && pattern.slice(i + 1) === "**") {
          // `a/**` is also `a` itself, but `*/**` is only what is in a directory.
          all.push({ any: [{ all: [] }, { all: [letter("/"), wild.anything] }] });
          return { all };
        }
        all.push(letter("/"));
        atStart = true;
        i++;
        continue;
      } else if (char === "?") {
        all.push({ one: wild.letter });
        i++;
      } else if (char === "[" && (endOfBrackets(pattern, i) ?? to) < to) {
        const end = endOfBrackets(pattern, i)!;
        all.push({ one: parseBrackets(pattern.slice(i + 1, end), hidden) });
        i = end + 1;
      } else if (char === "(" && closing.has(i) && cutsIn(i + 1, closing.get(i)!).length > 0) {
        all.push({ any: alternatives(i + 1, closing.get(i)!, atStart, depth) });
        i = closing.get(i)! + 1;
      } else {
        const at = char === "\\" && i + 1 < to ? i + 1 : i;
        const text = String.fromCodePoint(pattern.codePointAt(at)!);
        all.push(letter(text));
        i = at + text.length;
      }
      atStart = false;
    }
    return { all };
  };

  const alternatives = (from: number, to: number, atStart: boolean, depth: number): Node[] => {
    const cuts = [from - 1, ...cutsIn(from, to), to];
    return cuts.slice(1).map((cut, i) => parse(cuts[i]! + 1, cut, atStart, depth + 1));
  };

  /** Where `|` divides what stands in parentheses. */
  const cutsIn = (from: number, to: number): number[] => {
    const cuts: number[] = [];
    for (let i = from; i < to; i++) {
      if (pattern[i] === "\\") i++;
      else if (pattern[i] === "[") i = endOfBrackets(pattern, i) ?? i;
      else if (pattern[i] === "(") i = closing.get(i) ?? i;
      else if (pattern[i] === "|") cuts.push(i);
    }
    return cuts;
  };

  return parse(0, pattern.length, true, 0);
}

function letter(text: string): Node {
  const code = text.codePointAt(0)!;
  return { one: code === DOT ? [DOT, DOT, LEADING_DOT, LEADING_DOT] : [code, code] };
}

function groupOf(sign: string, any: Node[]): Node {
  if (sign === "!") return { not: { any } };
  if (sign === "?") return { any: [{ all: [] }, ...any] };
  if (sign === "*") return { many: { any } };
  return sign === "+" ? { many: { any }, once: true } : { any };
}

/** The place of each parenthesis that is closed → where it is. */
function findClosing(pattern: string): Map<number, number> {
  const closing = new Map<number, number>();
  const open: number[] = [];
  for (let i = 0; i < pattern.length; i++) {
    if (pattern[i] === "\\") i++;
    else if (pattern[i] === "[") i = endOfBrackets(pattern, i) ?? i;
    else if (pattern[i] === "(") open.push(i);
    else if (pattern[i] === ")" && open.length > 0) closing.set(open.pop()!, i);
  }
  return closing;
}

/** What stands in brackets. Never a slash; a leading dot only where the dot is named. */
function parseBrackets(text: string, hidden: boolean): Ranges {
  const isNegated = text[0] === "!" || text[0] === "^";
  const chars = Array.from(isNegated ? text.slice(1) : text);
  const pairs: [number, number][] = [];
  const take = (at: number): { code: number; next: number } => {
    const from = chars[at] === "\\" && at + 1 < chars.length ? at + 1 : at;
    return { code: chars[from]!.codePointAt(0)!, next: from + 1 };
  };
  for (let i = 0; i < chars.length; ) {
    const first = take(i);
    const isRange = chars[first.next] === "-" && first.next + 1 < chars.length;
    const last = isRange ? take(first.next + 1) : first;
    if (last.code >= first.code) pairs.push([first.code, last.code]);
    i = last.next;
  }
  pairs.sort((a, b) => a[0] - b[0]);
  const has = (code: number): boolean => pairs.some(([first, last]) => code >= first && code <= last);
  const named = merge(pairs);
  const members = without(isNegated ? complement(named) : named, SLASH);
  const leading = isNegated ? hidden && !has(DOT) : has(DOT);
  return leading ? [...members, LEADING_DOT, LEADING_DOT] : members;
}

function merge(sorted: readonly [number, number][]): number[] {
  const merged: number[] = [];
  for (const [first, last] of sorted) {
    if (merged.length > 0 && first <= merged.at(-1)! + 1) merged[merged.length - 1] = Math.max(merged.at(-1)!, last);
    else merged.push(first, last);
  }
  return merged;
}

function complement(ranges: Ranges): number[] {
  const others: number[] = [];
  let from = 0;
  for (let i = 0; i < ranges.length; i += 2) {
    if (ranges[i]! > from) others.push(from, ranges[i]! - 1);
    from = ranges[i + 1]! + 1;
  }
  if (from <= LAST) others.push(from, LAST);
  return others;
}

function without(ranges: Ranges, code: number): number[] {
  const rest: number[] = [];
  for (let i = 0; i < ranges.length; i += 2) {
    const [first, last] = [ranges[i]!, ranges[i + 1]!];
    if (code < first || code > last) rest.push(first, last);
    else {
      if (first < code) rest.push(first, code - 1);
      if (last > code) rest.push(code + 1, last);
    }
  }
  return rest;
}
