import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { KagurazakaError } from "../../base/errors.js";
import { didYouMean } from "../../base/nearest.js";
import { openLocalFile } from "../stores/local-file.js";
import type { Patience } from "../stores/request.js";
import type { DataFile, ListedFile } from "../stores/store.js";
import { commitOf, filesOf, type RemoteFile, type WantedDataset } from "./api.js";
import { cachedCommit, cachedNames, folderOf, keepList, readList, snapshotFiles, snapshotPath } from "./cache.js";
import { type DatasetCard, parseCard } from "./card.js";
import { download, openRemote } from "./download.js";
import { parseHubName } from "./name.js";
import { type Environment, type HubSettings, hubSettings } from "./settings.js";
import { matchFiles } from "./splits.js";

export interface HubOptions {
  /** A branch, a tag or a commit. @defaultValue that of the spec, else `main` */
  readonly revision?: string | undefined;
  /** Ask the hub which commit the revision is now, also where the cache knows one. @defaultValue false */
  readonly refresh?: boolean | undefined;
  /** @defaultValue process.env */
  readonly env?: Environment | undefined;
  readonly patience?: Patience | undefined;
}

/** A dataset of the hub at one commit. Nothing but its card is fetched before `fetchHubFile`. */
interface HubDataset {
  readonly name: string;
  readonly commit: string;
  /** Of the cache: all that is fetched lies below it. */
  readonly folder: string;
  /** All that the commit has, or what a path in the spec names. */
  readonly files: readonly HubFile[];
  readonly card: DatasetCard | undefined;
  /** What the user should hear: the cache could not be compared with the hub. */
  readonly note: string | undefined;
}

interface HubFile extends ListedFile {
  /** The hash of its bytes; undefined for a file of a cache that the hub was not asked about. */
  readonly version: string | undefined;
  /** Where it lies, when it is in the cache. */
  readonly path: string | undefined;
}

/** So long is the hub asked for the list of a commit that the cache has in part. */
const brief: Patience = { tries: 1, firstWaitMs: 0, silenceMs: 5000 };

/**
 * Finds a dataset: in the cache of Hugging Face, where the revision is known there, else on the hub, whose answer is kept in the
 * cache. A branch is the commit that it was when it was last asked for, until `refresh`.
 * @throws KagurazakaError `source` where it cannot be found, `bad-value` for a spec that is no name, `bad-data` for a broken card
 */
export async function resolveHub(spec: string, options: HubOptions = {}): Promise<HubDataset> {
  const parsed = parseHubName(spec);
  if (!parsed)
    throw new KagurazakaError("bad-value", `"${spec}" is not the name of a dataset`, {
      where: spec,
      hint: "Write org/name.",
    });
  const settings = hubSettings(options.env, options.patience);
  const { name, path } = parsed;
  const revision = options.revision ?? parsed.revision ?? "main";
  const wanted: WantedDataset = { name, revision, known: cachedNames(settings) };
  const found = await find(wanted, options.refresh ?? false, settings);
  const card = await readCard(found, wanted, settings);
  const chosen =
    path === undefined
      ? undefined
      : new Set(
          matchFiles(
            [path],
            found.files.map((file) => file.name),
            name,
          ),
        );
  if (chosen?.size === 0) throw nothingMatches(path!, found.files, name);
  const folder = folderOf(settings, name);
  const files = found.files
    .filter((file) => chosen?.has(file.name) ?? true)
    .map((file): HubFile => {
      const at = snapshotPath(folder, found.commit, file.name);
      return { name: file.name, size: file.size, version: file.blob, path: existsSync(at) ? at : undefined };
    });
  return { name, commit: found.commit, folder, files, card, note: found.note };
}

/** The path of a file of a dataset, which is fetched where the cache has not got it. */
export async function fetchHubFile(dataset: HubDataset, file: HubFile, options: HubOptions = {}): Promise<string> {
  if (file.path !== undefined) return file.path;
  const remote: RemoteFile = { name: file.name, size: file.size, blob: file.version! };
  return await download({ ...dataset, file: remote }, hubSettings(options.env, options.patience));
}

/** Opens a file where it is: in the cache, else on the hub, of which only those bytes are fetched that are read. */
export async function peekHubFile(dataset: HubDataset, file: HubFile, options: HubOptions = {}): Promise<DataFile> {
  const at = snapshotPath(dataset.folder, dataset.commit, file.name);
  if (existsSync(at)) return await openLocalFile(at);
  const remote: RemoteFile = { name: file.name, size: file.size, blob: file.version! };
  return await openRemote({ ...dataset, file: remote }, hubSettings(options.env, options.patience));
}

interface Found {
  readonly commit: string;
  readonly files: readonly (Omit<RemoteFile, "blob"> & { readonly blob: string | undefined })[];
  readonly note: string | undefined;
}

async function find(wanted: WantedDataset, refresh: boolean, settings: HubSettings): Promise<Found> {
  const { name, revision } = wanted;
  const folder = folderOf(settings, name);
  const commit = refresh && !settings.isOffline ? undefined : cachedCommit(folder, revision);
  const list = commit === undefined ? undefined : readList(folder, commit, name);
  if (commit !== undefined && list) return { commit, files: list, note: undefined };
  if (settings.isOffline && commit === undefined) throw notCached(wanted, settings);
  const ask = async (at: string, how: HubSettings): Promise<Found> => {
    const files = await filesOf(wanted, at, how);
    keepList(folder, revision, at, files);
    return { commit: at, files, note: undefined };
  };
  if (commit === undefined) return await ask(await commitOf(wanted, settings), settings);
  if (settings.isOffline) return fromSnapshot(wanted, folder, commit, "HF_HUB_OFFLINE is set");
  try {
    return await ask(commit, { ...settings, patience: { ...brief, ...settings.patience, tries: 1 } });
  } catch (error) {
    if (!KagurazakaError.is(error) || error.code !== "source") throw error;
    return fromSnapshot(wanted, folder, commit, error.message);
  }
}

/** What other programs have left in the cache. Parts that are visibly missing are an error, not a smaller dataset. */
function fromSnapshot({ name, revision }: WantedDataset, folder: string, commit: string, why: string): Found {
  const files = snapshotFiles(folder, commit).map((file) => ({ ...file, blob: undefined }));
  const missing = missingParts(files.map((file) => file.name));
  const say = (what: string): KagurazakaError =>
    new KagurazakaError(
      "source",
      `the cache has ${what} of ${name} at ${revision}, and the hub cannot be asked: ${why}`,
      {
        where: folder,
        hint: "Check the network and try again, or fetch the dataset with the program that put it there.",
      },
    );
  if (files.every((file) => file.name === "README.md")) throw say("no data");
  if (missing !== undefined) throw say(missing);
  return { commit, files, note: `read from the cache, which may not have all of it: ${why}` };
}

function missingParts(names: readonly string[]): string | undefined {
  const found = new Map<string, number>();
  for (const name of names) {
    const part = /^(.*-)\d{5,}(-of-\d{5,})/.exec(name);
    if (part) found.set(part[1]! + part[2]!, (found.get(part[1]! + part[2]!) ?? 0) + 1);
  }
  const [parts, count] = [...found].find(([key, count]) => count < Number(/\d+$/.exec(key)![0])) ?? [];
  return parts === undefined
    ? undefined
    : `only ${count} of ${Number(/\d+$/.exec(parts)![0])} parts ${parts.replace("--", "-*-")}`;
}

async function readCard(
  found: Found,
  { name }: WantedDataset,
  settings: HubSettings,
): Promise<DatasetCard | undefined> {
  const file = found.files.find((one) => one.name === "README.md");
  if (!file) return undefined;
  const folder = folderOf(settings, name);
  const at = snapshotPath(folder, found.commit, file.name);
  const remote = { name: file.name, size: file.size, blob: file.blob! };
  const path = existsSync(at) ? at : await download({ name, commit: found.commit, folder, file: remote }, settings);
  return parseCard(await readFile(path, "utf8"), `${name}/README.md`);
}

function notCached({ name, revision, known }: WantedDataset, settings: HubSettings): KagurazakaError {
  const what = known.includes(name) ? `${name} at "${revision}"` : name;
  return new KagurazakaError(
    "source",
    `${what} is not in ${settings.cache}, and HF_HUB_OFFLINE is set.${didYouMean(
      name,
      known.filter((one) => one !== name),
    )}`,
    {
      where: name,
      hint: "Unset HF_HUB_OFFLINE once to fetch it.",
    },
  );
}

function nothingMatches(path: string, files: Found["files"], name: string): KagurazakaError {
  const near = didYouMean(
    path,
    files.map((file) => file.name),
  );
  return new KagurazakaError("source", `no file of ${name} matches ${path}.${near}`, { where: name });
}
