import { badPattern } from "./mistake.js";

/** Bounds for one pattern: its length, the patterns that its braces stand for, and the length of these together. */
const MAX_LENGTH = 10_000;
const MAX_PATTERNS = 10_000;
const MAX_EXPANDED = 1_000_000;

/**
 * The patterns that a pattern with braces stands for: `{a,b}.txt` and `{08..11}.txt`, nested too. Braces without a comma or a
 * range, and those in brackets or behind a backslash, are plain letters.
 */
export function expandBraces(pattern: string): string[] {
  if (pattern.length > MAX_LENGTH)
    throw badPattern(pattern, `has ${pattern.length} characters; at most ${MAX_LENGTH} are allowed`, "Shorten it.");
  const tooMany = () =>
    badPattern(
      pattern,
      `has braces that stand for too many patterns: at most ${MAX_PATTERNS} are allowed`,
      "Write * or ? for some of them, or give several patterns.",
    );
  const expand = (text: string): string[] => {
    const group = findGroup(text);
    if (group === undefined) return [text];
    const head = text.slice(0, group.from);
    const middles = group.range ?? group.parts!.flatMap(expand);
    const tails = expand(text.slice(group.to + 1));
    const count = middles.length * tails.length;
    const length = count * head.length + lengthOf(middles) * tails.length + lengthOf(tails) * middles.length;
    if (count > MAX_PATTERNS || length > MAX_EXPANDED) throw tooMany();
    return middles.flatMap((middle) => tails.map((tail) => head + middle + tail));
  };
  const range = (text: string): string[] | undefined => {
    const values = rangeOf(text);
    if (values === "too many") throw tooMany();
    return values;
  };

  /** The first group of braces: the places of its braces, and what stands between its commas. */
  function findGroup(text: string): { from: number; to: number; parts?: string[]; range?: string[] } | undefined {
    const open: { from: number; commas: number[] }[] = [];
    let found: { from: number; to: number; commas: number[] } | undefined;
    for (let i = 0; i < text.length; i++) {
      const char = text[i];
      if (char === "\\") i++;
      else if (char === "[") i = endOfBrackets(text, i) ?? i;
      else if (char === "{") open.push({ from: i, commas: [] });
      else if (char === ",") open.at(-1)?.commas.push(i);
      else if (char === "}" && open.length > 0) {
        const group = { ...open.pop()!, to: i };
        const isGroup = group.commas.length > 0 || range(text.slice(group.from + 1, i)) !== undefined;
        if (isGroup && (found === undefined || group.from < found.from)) found = group;
        if (found !== undefined && open.length === 0) break;
      }
    }
    if (found === undefined) return undefined;
    const { from, to, commas } = found;
    if (commas.length === 0) return { from, to, range: range(text.slice(from + 1, to))! };
    const cuts = [from, ...commas, to];
    return { from, to, parts: cuts.slice(1).map((cut, i) => text.slice(cuts[i]! + 1, cut)) };
  }
  return expand(pattern);
}

const lengthOf = (texts: readonly string[]): number => texts.reduce((sum, { length }) => sum + length, 0);

/** `1..3`, `08..11` (as many digits), `a..e`, each also with a step: `0..10..5`. */
function rangeOf(text: string): string[] | "too many" | undefined {
  const numbers = /^(-?\d{1,15})\.\.(-?\d{1,15})(?:\.\.(-?\d{1,15}))?$/.exec(text);
  const letters = /^([a-zA-Z])\.\.([a-zA-Z])(?:\.\.(-?\d{1,15}))?$/.exec(text);
  const [, first, last, step = "1"] = numbers ?? letters ?? [];
  if (first === undefined || last === undefined) return undefined;
  const [from, to] = numbers ? [Number(first), Number(last)] : [first.charCodeAt(0), last.charCodeAt(0)];
  const by = Math.max(1, Math.abs(Number(step)));
  const count = Math.floor(Math.abs(to - from) / by) + 1;
  if (count > MAX_PATTERNS) return "too many";
  const isPadded = numbers && [first, last].some((end) => /^-?0\d/.test(end));
  const digits = isPadded ? Math.max(first.length, last.length) : 0;
  return Array.from({ length: count }, (_, i) => {
    const value = from + Math.sign(to - from) * by * i;
    if (!numbers) return String.fromCharCode(value);
    return value < 0 ? `-${String(-value).padStart(digits - 1, "0")}` : String(value).padStart(digits, "0");
  });
}

/** Where the brackets end that begin at `from`; undefined where they do not end, so that `[` is a letter. */
export function endOfBrackets(text: string, from: number): number | undefined {
  let at = from + 1;
  if (text[at] === "!" || text[at] === "^") at++;
  // A bracket in the first place is a member.
  for (let i = text[at] === "]" ? at + 1 : at; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === "]") return i;
  }
  return undefined;
}
