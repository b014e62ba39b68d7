import { KagurazakaError } from "../../base/errors.js";
import { didYouMean } from "../../base/nearest.js";
import { type FormatDefinition, isFormat, type Packing } from "./format.js";

/** The shelf of formats: a name and a dynamic import, because engines are large and few files need them. */
const formats: Readonly<Record<string, () => Promise<{ readonly default: unknown }>>> = {
  jsonl: () => import("./jsonl.js"),
  json: () => import("./json.js"),
  csv: () => import("./csv.js"),
  tsv: () => import("./tsv.js"),
  txt: () => import("./txt.js"),
  parquet: () => import("./parquet.js"),
  arrow: () => import("./arrow.js"),
};

export const formatNames = (): string[] => Object.keys(formats);

/** Extensions are known without loading a format. A test compares them with the definitions. */
const extensions: Readonly<Record<string, string>> = {
  ".jsonl": "jsonl",
  ".ndjson": "jsonl",
  ".json": "json",
  ".csv": "csv",
  ".tsv": "tsv",
  ".tab": "tsv",
  ".txt": "txt",
  ".text": "txt",
  ".parquet": "parquet",
  ".arrow": "arrow",
  ".feather": "arrow",
  ".arrows": "arrow",
};

export const formatExtensions = (): string[] => Object.keys(extensions);

const packings: Readonly<Record<string, Packing>> = { ".gz": "gzip", ".zst": "zstd" };

/** @throws KagurazakaError `bad-value` for a name that no format has */
export async function loadFormat(name: string): Promise<FormatDefinition> {
  // Not `in`: objects inherit names such as `toString`.
  if (Object.hasOwn(formats, name)) return (await formats[name]!()).default as FormatDefinition;
  if (/^[./]|^@?[\w-]+\/|\.[cm]?js$/.test(name)) return await loadForeign(name);
  throw new KagurazakaError("bad-value", `there is no format "${name}".${didYouMean(name, formatNames())}`, {
    hint: `There are: ${formatNames().join(", ")}; or the path or package of one.`,
  });
}

/** A format of another package, by the path of its module or by its name. */
async function loadForeign(name: string): Promise<FormatDefinition> {
  const { createRequire } = await import("node:module");
  const { pathToFileURL } = await import("node:url");
  let loaded: { readonly default?: unknown };
  try {
    const path = createRequire(`${process.cwd()}/`).resolve(name);
    loaded = (await import(pathToFileURL(path).href)) as typeof loaded;
  } catch (cause) {
    throw new KagurazakaError("bad-value", `the format "${name}" cannot be loaded: ${(cause as Error).message}`, {
      cause,
    });
  }
  if (isFormat(loaded.default) && loaded.default.contract === 1) return loaded.default;
  throw new KagurazakaError("bad-value", `the default export of "${name}" is not a format`, {
    hint: "Write export default defineFormat({ … }), with defineFormat of kagurazaka/data.",
  });
}

interface NamedFormat {
  /** Undefined where the name does not tell. */
  readonly format: string | undefined;
  readonly packing: Packing;
}

/** What the name of a file says: `a.jsonl.gz` is JSON lines, packed by gzip. */
export function formatOfName(fileName: string): NamedFormat {
  const name = fileName.toLowerCase();
  const packed = Object.keys(packings).find((extension) => name.endsWith(extension));
  const plain = packed ? name.slice(0, -packed.length) : name;
  const dot = plain.lastIndexOf(".");
  const extension = dot < 0 ? "" : plain.slice(dot);
  return {
    format: Object.hasOwn(extensions, extension) ? extensions[extension] : undefined,
    packing: packed ? packings[packed]! : "none",
  };
}

/**
 * The format whose files begin so; undefined where none knows it. Formats that are packed inside have a magic number and are asked
 * first: their bytes may look like text. Text has no NUL byte.
 */
export async function formatOfContents(head: Buffer): Promise<string | undefined> {
  const all = await Promise.all(formatNames().map(loadFormat));
  const binary = all.filter(({ packs }) => !packs);
  const text = head.includes(0) ? [] : all.filter(({ packs }) => packs);
  return [...binary, ...text].find((format) => format.recognises(head))?.name;
}

/** The extension of a packed file. */
export const packingExtension = (packing: Packing): string =>
  Object.keys(packings).find((extension) => packings[extension] === packing) ?? "";
