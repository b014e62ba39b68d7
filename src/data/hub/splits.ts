import { KagurazakaError } from "../../base/errors.js";
import { didYouMean } from "../../base/nearest.js";
import { compareCodePoints } from "../files/walk.js";
import { compileGlobs } from "../globs/globs.js";

/** Split → files, as relative POSIX names, in the order they are read. */
export type Splits = Map<string, string[]>;

/*
 * The rules of `datasets/data_files.py`, release 5.0.1; the tests hold what that release says. Ours differ in four things: a file is
 * in a split once, however many keywords are in its name; parts are sorted by number; beside README.md and the like, names that
 * begin with `_` (`_SUCCESS`, `_manifest.json`, `_rejected/`) and licences are no data; `.eval` logs have no meaning here.
 */
const keywords: Readonly<Record<string, readonly string[]>> = {
  train: ["train", "training"],
  validation: ["validation", "valid", "dev", "val"],
  test: ["test", "testing", "eval", "evaluation"],
};
const SEP = "[-._ 0-9]";
const inDirectory = (word: string): RegExp[] =>
  [`${word}/`, `${word}${SEP}[^/]*/`, `[^/]*${SEP}${word}/`, `[^/]*${SEP}${word}${SEP}[^/]*/`].map(
    (rule) => new RegExp(`(?:^|/)${rule}`),
  );
const inFileName = (word: string): RegExp[] =>
  [`${word}${SEP}[^/]*`, `[^/]*${SEP}${word}${SEP}[^/]*`].map((rule) => new RegExp(`(?:^|/)${rule}$`));

const SHARDED = /^data\/([^/]+)-\d{5}-of-\d{5}[^/]*\.[^/]*$/;
const SPLIT_NAME = /^[\p{L}\p{N}_]+(?:\.[\p{L}\p{N}_]+)*$/u;

/**
 * The splits that names of files tell. The first rule that finds any holds for all files: `data/NAME-00000-of-00002.parquet`,
 * whatever the name; keywords in names of directories, then of files; else all is `train`. Files of no split are left out.
 */
export function splitsByNames(names: readonly string[]): Splits {
  const data = sortFiles(names.filter((name) => isData(name, "**") && !IN_OWN.test(name)));
  const sharded = splitsOfShards(data);
  if (sharded.size > 0) return sharded;
  for (const rulesOf of [inDirectory, inFileName]) {
    const splits: Splits = new Map();
    for (const [split, words] of Object.entries(keywords)) {
      const found = new Set(words.flatMap(rulesOf).flatMap((rule) => data.filter((name) => rule.test(name))));
      if (found.size > 0) splits.set(split, [...found]);
    }
    if (splits.size > 0) return splits;
  }
  return data.length > 0 ? new Map([["train", data]]) : new Map();
}

function splitsOfShards(data: readonly string[]): Splits {
  const found: Splits = new Map();
  for (const name of data) {
    const split = SHARDED.exec(name)?.[1];
    if (split === undefined) continue;
    // Python refuses such a folder. The further rules find something in it.
    if (!SPLIT_NAME.test(split)) return new Map();
    const known = found.get(split);
    if (known) known.push(name);
    else found.set(split, [name]);
  }
  const usual = Object.keys(keywords).filter((split) => found.has(split));
  const others = [...found.keys()].filter((split) => !usual.includes(split)).sort(compareCodePoints);
  return new Map([...usual, ...others].map((split) => [split, found.get(split)!]));
}

const IGNORED = new Set([
  "config.json",
  "dataset_info.json",
  "dataset_infos.json",
  "dummy_data.zip",
  "dataset_dict.json",
]);
const ABOUT = /^(?:readme|licen[cs]e|citation|changelog)(?:\.(?:md|txt|rst|cff))?$/i;

/** What a run keeps beside its data: `_rejected/`, `_parts/`. */
const IN_OWN = /(?:^|\/)_[^/]*\//;

/** Whether a pattern that matches a name means it: hidden names, those with an underscore and those about the data are to be spelt out. */
function isData(name: string, pattern: string): boolean {
  const parts = name.split("/");
  const asked = pattern.split("/");
  const [file, askedFile] = [parts.at(-1)!, asked.at(-1)!];
  const count = (all: readonly string[], start: string): number => all.filter((part) => part.startsWith(start)).length;
  if (count(parts, ".") !== count(asked, ".")) return false;
  if (count(parts.slice(0, -1), "__") !== count(asked.slice(0, -1), "__")) return false;
  if (file === askedFile) return true;
  return !IGNORED.has(file) && !ABOUT.test(file) && (!file.startsWith("_") || askedFile.startsWith("_"));
}

/** By code point, but the parts `-00000-of-00002` of one name by number. */
export function sortFiles(names: readonly string[]): string[] {
  const keyed = names.map((name) => {
    const part = /^(.*)-(\d{5,})-of-(\d{5,})([^/]*)$/.exec(name);
    return { name, key: part ? `${part[1]}-${part[2]!.padStart(12, "0")}-of-${part[3]}${part[4]}` : name };
  });
  return keyed
    .sort((a, b) => compareCodePoints(a.key, b.key) || compareCodePoints(a.name, b.name))
    .map(({ name }) => name);
}

/**
 * The files that patterns of a dataset card mean, in the order of the patterns, each once. A `*` is within a name, `**` across.
 * @param of the dataset, for messages
 * @throws KagurazakaError `source` for a pattern without wildcards that names no file
 */
export function matchFiles(patterns: readonly string[], names: readonly string[], of: string): string[] {
  const found = new Set<string>();
  const known = new Set(names);
  for (const written of patterns) {
    const pattern = written.replace(/^(?:\.\/)+/, "");
    if (/[*?[]/.test(pattern)) {
      const matches = compileGlobs([asOurs(pattern)]);
      for (const name of sortFiles(names.filter((one) => matches(one) && isData(one, pattern)))) found.add(name);
    } else if (known.has(pattern)) found.add(pattern);
    else throw noSuchFile(pattern, names, of);
  }
  return [...found];
}

function noSuchFile(pattern: string, names: readonly string[], of: string): KagurazakaError {
  const isElsewhere = /^(?:\/|[a-z][a-z0-9+.-]*:\/\/)/i.test(pattern) || pattern.split("/").includes("..");
  const why = isElsewhere ? "is outside of it" : `is not there.${didYouMean(pattern, names)}`;
  return new KagurazakaError("source", `the card of ${of} names the file ${pattern}, which ${why}`, { where: of });
}

/** The patterns of Hugging Face know `*`, `**`, `?` and `[…]` only, and `a/**` is what is in a directory, not the name `a`. */
function asOurs(pattern: string): string {
  const plain = pattern.replace(/\[[^\]/]+\]|[{}()|!@+,\\]/g, (part) => (part.startsWith("[") ? part : `\\${part}`));
  return plain.replace(/\/\*\*$/, "/**/*");
}
