import { LineCounter, parseDocument } from "yaml";
import { KagurazakaError } from "../../base/errors.js";
import { featuresOfCard } from "./card-features.js";

/** What the README.md of a dataset says of it, in the YAML at its top. */
export interface DatasetCard {
  readonly configs: readonly CardConfig[];
  readonly infos: readonly CardInfo[];
  readonly license: readonly string[];
  readonly tags: readonly string[];
  /** The text below the YAML. */
  readonly body: string;
}

export interface CardConfig {
  readonly name: string;
  readonly isDefault: boolean;
  /** Split → patterns, relative to the folder, also where there is a `directory`, as in Python. Undefined: by the names of files. */
  readonly patterns: ReadonlyMap<string, readonly string[]> | undefined;
  /** `data_dir`: where the names of files are looked at. */
  readonly directory: string | undefined;
}

/** `dataset_info` of one config. */
interface CardInfo {
  /** `default` where the card names none. */
  readonly config: string;
  /** The JSON form of Hugging Face: `fromHuggingFace` reads it. */
  readonly features: Readonly<Record<string, unknown>> | undefined;
  readonly splits: readonly CardSplit[];
}

interface CardSplit {
  readonly name: string;
  readonly rows: number | undefined;
  readonly bytes: number | undefined;
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * @param where the card, for messages
 * @throws KagurazakaError `bad-data` where the YAML is broken, or its `configs` or `dataset_info` are invalid
 */
export function parseCard(text: string, where: string): DatasetCard {
  const { yaml, body } = divide(text);
  const data = readYaml(yaml, where);
  const configs = listOf(data.configs, "configs", where).map((config) => readConfig(config, where));
  const twice = configs.find(({ name }, i) => configs.findIndex((other) => other.name === name) !== i);
  if (twice) throw bad(where, `configs has "${twice.name}" twice`);
  return {
    configs,
    infos: listOf(data.dataset_info, "dataset_info", where).map((info) => readInfo(info, where)),
    license: textsOf(data.license),
    tags: textsOf(data.tags),
    body,
  };
}

function divide(text: string): { readonly yaml: string; readonly body: string } {
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  const end = lines[0] === "---" ? lines.indexOf("---", 1) : -1;
  if (end < 0) return { yaml: "", body: lines.join("\n") };
  return { yaml: lines.slice(1, end).join("\n"), body: lines.slice(end + 1).join("\n") };
}

function readYaml(yaml: string, where: string): Fields {
  const lineCounter = new LineCounter();
  const document = parseDocument(yaml, { lineCounter });
  const error = document.errors[0];
  if (error) {
    const line = (error.linePos?.[0].line ?? 0) + 1;
    throw bad(`${where}:${line}`, `the YAML is broken: ${error.message.split("\n")[0]!.replace(/ at line .*$/, "")}`);
  }
  const data = toValue(document, where);
  if (data === null || data === undefined) return {};
  if (!isFields(data)) throw bad(where, "the YAML at its top is not a mapping");
  return data;
}

/** An alias that multiplies beyond reason is an error of the package. */
function toValue(document: ReturnType<typeof parseDocument>, where: string): unknown {
  try {
    return document.toJS();
  } catch (cause) {
    throw bad(where, `the YAML is broken: ${(cause as Error).message}`);
  }
}

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A mapping, or a list of them. */
function listOf(value: unknown, field: string, where: string): Fields[] {
  if (value === undefined || value === null) return [];
  const list = Array.isArray(value) ? value : [value];
  if (list.every(isFields)) return list;
  throw bad(where, `${field} is not a list of mappings`);
}

const textsOf = (value: unknown): string[] =>
  (Array.isArray(value) ? value : [value]).filter((one) => ["string", "number"].includes(typeof one)).map(String);

function readConfig(config: Fields, where: string): CardConfig {
  const { config_name: name, data_files: files, data_dir: dir } = config;
  if (typeof name !== "string" && typeof name !== "number") throw bad(where, "an entry of configs has no config_name");
  return {
    name: String(name),
    isDefault: config.default === true,
    patterns: files === undefined || files === null ? undefined : sanitizePatterns(files, where),
    directory: typeof dir === "string" ? dir.replace(/^(?:\.\/)+|\/+$/g, "") : undefined,
  };
}

/**
 * `data_files` in any of its forms: a pattern, a list of them (both: `train`), a list of `{split, path}`, a mapping by split.
 * @throws KagurazakaError `bad-data`
 */
export function sanitizePatterns(files: unknown, where: string): Map<string, string[]> {
  const isTexts = (value: unknown): value is string[] =>
    Array.isArray(value) && value.every((one) => typeof one === "string");
  const asTexts = (value: unknown): string[] => {
    if (typeof value === "string") return [value];
    if (isTexts(value)) return value;
    throw bad(where, `data_files has ${JSON.stringify(value)} for a path`);
  };
  if (typeof files === "string" || isTexts(files)) return new Map([["train", asTexts(files)]]);
  const entries: [unknown, unknown][] = Array.isArray(files)
    ? files.map((entry) => {
        if (isFields(entry) && "split" in entry && "path" in entry) return [entry.split, entry.path];
        throw bad(where, `data_files has ${JSON.stringify(entry)} among entries of split and path`);
      })
    : isFields(files)
      ? Object.entries(files)
      : [[undefined, files]];
  const splits = new Map<string, string[]>();
  for (const [key, paths] of entries) {
    const split = String(key);
    if (!/^[\p{L}\p{N}_]+(?:\.[\p{L}\p{N}_]+)*$/u.test(split))
      throw bad(where, `"${split}" is not the name of a split`);
    if (splits.has(split)) throw bad(where, `data_files has the split "${split}" twice`);
    splits.set(split, asTexts(paths));
  }
  return splits;
}

function readInfo(info: Fields, where: string): CardInfo {
  const splits = Array.isArray(info.splits) ? info.splits : isFields(info.splits) ? Object.values(info.splits) : [];
  const numberOf = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);
  let features: CardInfo["features"];
  try {
    features = info.features === undefined || info.features === null ? undefined : featuresOfCard(info.features);
  } catch (cause) {
    throw bad(where, `invalid dataset_info: ${(cause as Error).message}`);
  }
  return {
    config: String(info.config_name ?? "default"),
    features,
    splits: splits.filter(isFields).map((split) => ({
      name: String(split.name),
      rows: numberOf(split.num_examples),
      bytes: numberOf(split.num_bytes),
    })),
  };
}

function bad(where: string, what: string): KagurazakaError {
  return new KagurazakaError("bad-data", `the dataset card ${where}: ${what}`, {
    where,
    hint: "See https://huggingface.co/docs/hub/datasets-manual-configuration for its form.",
  });
}
