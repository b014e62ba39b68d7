import { KagurazakaError, MistakesError } from "../base/errors.js";
import { nearestName } from "../base/nearest.js";
import type { OptionSpec, OptionSpecs, OptionValues } from "../base/option-spec.js";
import { flagTree } from "./command-line.js";
import { joined, missingValue } from "./flags.js";
import { optionValue } from "./section.js";
import { flagName, snakeName } from "./text/names.js";
import { type Arity, type FlagItem, readWords, type WordItem } from "./text/words.js";
import type { Tree } from "./tree.js";

/** A command that has no task, hence no configuration but its own words: `kagurazaka split`. */
export interface CommandPage<S extends OptionSpecs = OptionSpecs> {
  readonly name: string;
  /** What the words besides flags are, as usage shows them; all are needed. */
  readonly words: readonly string[];
  readonly help: string;
  readonly options: S;
  /** Paragraphs under the options. */
  readonly notes?: readonly string[];
}

interface CommandSaid<S extends OptionSpecs> {
  readonly words: readonly string[];
  readonly values: OptionValues<S>;
  /** Spellings worth a line. */
  readonly notes: readonly string[];
}

/**
 * A command's own words and flags by the rules of the task's: any spelling, `--flag=value`, `--no-flag`, words first or
 * last; all mistakes are reported together. `undefined`: help was asked for.
 */
export function readCommandOptions<const S extends OptionSpecs>(
  page: CommandPage<S>,
  argv: readonly string[],
): CommandSaid<S> | undefined {
  const declared = new Map<string, readonly [string, OptionSpec]>(
    Object.entries(page.options).map(([name, spec]) => [snakeName(name), [name, spec]]),
  );
  const items = readItems(argv, page.words.length, (name) => {
    const spec = declared.get(name)?.[1];
    if (!spec) return name === "help" ? "none" : undefined;
    if (spec.type === "boolean") return "none";
    return isList(spec) ? "many" : "one";
  });
  const mistakes: KagurazakaError[] = [];
  const notes: string[] = [];
  const said = new Map<string, Tree>();
  const words: string[] = [];
  for (const item of items) {
    if (item.kind === "word") words.push(item.text);
    else if (item.arity === undefined) mistakes.push(unknownFlag(page, item.said));
    else if (item.name === "help") return undefined;
    else {
      const mistake = missingValue(item);
      if (mistake) mistakes.push(mistake);
      else said.set(item.name, joined(said.get(item.name), flagTree(item, declared.get(item.name)![1])));
    }
  }
  const unknownBefore = items.some((item) => item.kind === "word" && item.afterUnknown);
  if (words.length !== page.words.length && !unknownBefore) mistakes.push(wrongWords(page, words));
  const values: Record<string, unknown> = {};
  const report = {
    mistake: (error: unknown): void => {
      if (!KagurazakaError.is(error)) throw error;
      mistakes.push(error);
    },
    note: (text: string): void => void notes.push(text),
  };
  for (const [snake, [name, spec]] of declared) {
    try {
      values[name] = optionValue(name, spec, said.get(snake), report);
    } catch (error) {
      report.mistake(error);
    }
  }
  MistakesError.throwIfAny(mistakes);
  return { words, values: values as OptionValues<S>, notes };
}

const isList = (spec: OptionSpec): boolean =>
  spec.type === "strings" || spec.type === "integers" || spec.type === "map";

/** A list before the last word does not take it: `--exts .txt .md INPUT_DIR`. */
function readItems(
  argv: readonly string[],
  wanted: number,
  arityOf: (name: string) => Arity | undefined,
): readonly (WordItem | FlagItem)[] {
  const read = (reserved: ReadonlySet<number>): readonly (WordItem | FlagItem)[] => {
    const { items, rest } = readWords(argv, arityOf, reserved);
    const from = argv.length - rest.length;
    return [
      ...items,
      ...rest.map((text, i) => ({ kind: "word", text, index: from + i, afterUnknown: false }) as const),
    ];
  };
  const items = read(new Set());
  const last = items.at(-1);
  const missing = wanted - items.filter((item) => item.kind === "word").length;
  if (missing <= 0 || last?.kind !== "flag" || last.arity !== "many" || last.values.length <= missing) return items;
  return read(new Set(Array.from({ length: missing }, (_, i) => argv.length - 1 - i)));
}

function unknownFlag({ name, options }: CommandPage, said: string): KagurazakaError {
  const near = nearestName(said, Object.keys(options).map(flagName));
  return new KagurazakaError(
    "unknown-flag",
    `${name} has no flag ${said}.${near === undefined ? "" : ` Did you mean ${near}?`}`,
    { where: said, ...(near === undefined ? { hint: `kagurazaka ${name} -h lists its flags.` } : {}) },
  );
}

function wrongWords({ name, words }: CommandPage, said: readonly string[]): KagurazakaError {
  const wanted = words.join(" and ");
  const message =
    said.length < words.length
      ? `${name} needs ${words.slice(said.length).join(" and ")}`
      : `${name} takes ${wanted}; "${said[words.length]}" belongs to nothing`;
  return new KagurazakaError("usage", message, { where: "command line", hint: `kagurazaka ${name} -h` });
}
