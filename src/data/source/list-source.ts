import { basename, join } from "node:path";
import { statIfThere } from "../../base/disk.js";
import { KagurazakaError } from "../../base/errors.js";
import { formatOfName } from "../formats/registry.js";
import type { DatasetCard } from "../hub/card.js";
import { isGlob, type LocalFiles, listFolder, listGlob } from "../hub/folder.js";
import { fetchHubFile, type HubOptions, peekHubFile, resolveHub } from "../hub/hub.js";
import { parseHubName } from "../hub/name.js";
import { openFile, schemeOf } from "../stores/index.js";
import type { DataFile } from "../stores/store.js";

export interface SourceFile {
  /** Below the root of what was listed, POSIX. */
  readonly name: string;
  /** Path or URL on this machine. */
  readonly path: string;
  readonly size: number;
  readonly version: string | undefined;
  /** Brings a file of the hub into its cache, and says where it lies; undefined where `path` can be opened as it is. */
  readonly fetch?: (() => Promise<string>) | undefined;
  /** Opens a file of the hub where it is, to read some bytes of it. */
  readonly peek?: (() => Promise<DataFile>) | undefined;
}

/** What a word of the user names, before splits and formats are looked at. */
export interface Listing {
  readonly files: readonly SourceFile[];
  readonly card: DatasetCard | undefined;
  /** A folder or a dataset of the hub has splits; files that were named one by one, or by a pattern, have not. */
  readonly isDataset: boolean;
  readonly notes: readonly string[];
}

/**
 * A URL, a path, a pattern, or the name of a dataset of the hub. A path of this machine is taken first.
 * @throws KagurazakaError `source` for what is not there, with the nearest name
 */
export async function listSource(spec: string, options: HubOptions): Promise<Listing> {
  const scheme = schemeOf(spec);
  if (scheme === "hf") return listHub(spec, options);
  if (scheme !== undefined) return listUrl(spec);
  const stat = statIfThere(spec);
  if (stat) return local(await listFolder(spec), stat.isDirectory());
  if (isGlob(spec)) return local(await listGlob(spec), false);
  const mayBeOfHub = formatOfName(spec).format === undefined && parseHubName(spec) !== undefined;
  return mayBeOfHub ? listHub(spec, options) : local(await listFolder(spec), false);
}

function local({ root, files, card }: LocalFiles, isDataset: boolean): Listing {
  return {
    files: files.map((file) => ({ ...file, path: join(root, file.name) })),
    card,
    isDataset,
    notes: [],
  };
}

/** A single file: a URL cannot be listed. */
async function listUrl(url: string): Promise<Listing> {
  await using file = await openFile(url);
  const name = basename(decodeURIComponent(new URL(url).pathname)) || "data";
  return {
    files: [{ name, path: url, size: file.size, version: file.version }],
    card: undefined,
    isDataset: false,
    notes: [],
  };
}

async function listHub(spec: string, options: HubOptions): Promise<Listing> {
  const dataset = await resolveHub(spec, options).catch(async (error: unknown) => {
    throw schemeOf(spec) === undefined ? await neitherHereNorThere(spec, error) : error;
  });
  return {
    files: dataset.files.map((file) => ({
      name: file.name,
      path: `hf://datasets/${dataset.name}@${dataset.commit}/${file.name}`,
      size: file.size,
      version: file.version,
      fetch: () => fetchHubFile(dataset, file),
      peek: () => peekHubFile(dataset, file),
    })),
    card: dataset.card,
    isDataset: parseHubName(spec)!.path === undefined,
    notes: dataset.note === undefined ? [] : [dataset.note],
  };
}

/** `data/tran` may be a mistake for `data/train`: what is missing here is said as well. */
async function neitherHereNorThere(spec: string, error: unknown): Promise<unknown> {
  if (!KagurazakaError.is(error) || error.code !== "source") return error;
  const here = await listFolder(spec).then(
    () => "",
    (missing: Error) => missing.message,
  );
  return new KagurazakaError("source", `${here} As the name of a dataset: ${error.message}`, {
    where: spec,
    hint: error.hint,
    cause: error,
  });
}
