import { Automaton } from "./automaton.js";
import { expandBraces } from "./braces.js";
import { badPattern } from "./mistake.js";
import { parsePattern } from "./parse.js";

/** The automaton of several patterns without braces: what one of them matches. */
const createAutomaton = (patterns: readonly string[], hidden: boolean): Automaton =>
  new Automaton({ any: patterns.map((pattern) => parsePattern(pattern, hidden)) }, hidden);

/**
 * Globs over keys, as in `--only`: `*` matches within a directory, `**` across directories; dotfiles match too. A key that is
 * the text of a pattern matches, whatever letters it has. `!` before a pattern turns it around.
 */
export function compileGlobs(patterns: readonly string[]): (key: string) => boolean {
  const texts = new Set(patterns);
  const { positive, negated } = readPatterns(patterns);
  const tests = negated.map((pattern) => {
    const matches = matcherOf(pattern);
    return (key: string) => !matches(key);
  });
  if (positive.length > 0) tests.push(matcherOf(positive));
  return (key) => texts.has(key) || tests.some((matches) => matches(key));
}

/** Whether keys that begin with a text may match. */
export function compileReach(patterns: readonly string[]): (start: string) => boolean {
  const { positive, negated } = readPatterns(patterns);
  if (negated.length > 0) return () => true;
  const automaton = createAutomaton(positive, true);
  return (start) =>
    automaton.run(automaton.start, start, true).threads.length > 0 || patterns.some((text) => text.startsWith(start));
}

/** Patterns without braces: those of all that are not turned around, and those of each that is. */
function readPatterns(patterns: readonly string[]): { positive: string[]; negated: string[][] } {
  const positive: string[] = [];
  const negated: string[][] = [];
  for (const pattern of patterns) {
    const signs = /^!+(?!\()/.exec(pattern)?.[0].length ?? 0;
    const expanded = expandBraces(withoutDotSlash(pattern.slice(signs)));
    if (signs % 2 === 0) for (const one of expanded) positive.push(one);
    else negated.push(expanded);
  }
  return { positive, negated };
}

function matcherOf(patterns: readonly string[]): (key: string) => boolean {
  const automaton = createAutomaton(patterns, true);
  return (key) => automaton.run(automaton.start, key, true).accepts;
}

/**
 * A pattern for the files below a root, without its braces.
 * @throws KagurazakaError `bad-value` for a pattern that is empty, absolute or has `..`, or is too much
 */
export function compileFileGlob(
  pattern: string,
  hidden: boolean,
): { readonly patterns: readonly string[]; readonly automaton: Automaton } {
  // `./a//b` is `a/b`.
  const patterns = expandBraces(pattern).map((one) => withoutDotSlash(one).replace(/(?!^)\/{2,}/g, "/"));
  const leaves = patterns.some((one) => one.startsWith("/") || one.split("/").includes(".."));
  const isNothing = patterns.every((one) => one === "" || /^!(?!\()/.test(one));
  if (leaves || isNothing) {
    const why = leaves ? "leads out of the input root" : "matches nothing";
    throw badPattern(pattern, why, "Write it relative to the input root and without `..`, e.g. **/*.png.");
  }
  return { patterns, automaton: createAutomaton(patterns, hidden) };
}

const withoutDotSlash = (pattern: string): string => (pattern.startsWith("./") ? pattern.slice(2) : pattern);
