import { createHash } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { environmentError, writeFully } from "../../base/disk.js";
import { KagurazakaError } from "../../base/errors.js";
import { makeDirectory } from "../../base/make-directory.js";
import { StagedFile } from "../../base/whole-file.js";
import { openHttpFile } from "../stores/http.js";
import type { DataFile } from "../stores/store.js";
import { type RemoteFile, refusal } from "./api.js";
import { blobPath, linkBlob, lockPath, snapshotPath, temporaryOf } from "./cache.js";
import { doOnce } from "./download-lock.js";
import type { HubSettings } from "./settings.js";

interface Download {
  /** Of the dataset. */
  readonly name: string;
  readonly commit: string;
  readonly folder: string;
  readonly file: RemoteFile;
}

/** Where a file of the hub is. */
function urlOf({ endpoint }: HubSettings, { name, commit, file }: Download): string {
  return `${endpoint}/datasets/${name}/resolve/${commit}/${file.name.split("/").map(encodeURIComponent).join("/")}`;
}

/**
 * Brings a file into the cache as a whole, unless it is there. Its size and hash are those of the list, or it gets no name.
 * @returns its path
 * @throws KagurazakaError `source` where it cannot be had, `environment` where it cannot be written
 */
export async function download(wanted: Download, settings: HubSettings): Promise<string> {
  const { folder, commit, file } = wanted;
  const path = snapshotPath(folder, commit, file.name);
  if (isThere(path, file.size)) return path;
  const blob = blobPath(folder, file.blob);
  if (!isThere(blob, file.size)) {
    checkOnline(wanted, settings);
    const isDone = (): boolean => isThere(blob, file.size);
    await doOnce(lockPath(folder, file.blob), isDone, () => fetchBlob(wanted, blob, settings));
  }
  linkBlob(folder, commit, file);
  if (isThere(path, file.size)) return path;
  throw new KagurazakaError("source", `${path} is not the file of ${wanted.name} that has this name`, {
    where: path,
    hint: "Remove it; it is fetched again.",
  });
}

/** Through the links. A file that has the name of its hash was whole when it got it. */
const isThere = (path: string, size: number): boolean => existsSync(path) && statSync(path).size === size;

function checkOnline({ file, name }: Download, { isOffline }: HubSettings): void {
  if (!isOffline) return;
  throw new KagurazakaError("source", `${file.name} of ${name} is not in the cache, and HF_HUB_OFFLINE is set`, {
    where: name,
    hint: "Unset HF_HUB_OFFLINE once to fetch it.",
  });
}

/** @throws KagurazakaError `source` where it cannot be had, or is not of the size that the list says */
export async function openRemote(wanted: Download, settings: HubSettings): Promise<DataFile> {
  const { file, name } = wanted;
  checkOnline(wanted, settings);
  const of = { name, revision: wanted.commit, known: [] };
  const refused = (status: number, headers: Headers) => refusal(of, settings, status, headers);
  const remote = await openHttpFile(urlOf(settings, wanted), { ...settings, refused });
  if (remote.size === file.size) return remote;
  await remote[Symbol.asyncDispose]();
  throw damaged(wanted, `${remote.size} bytes in place of ${file.size}`);
}

async function fetchBlob(wanted: Download, blob: string, settings: HubSettings): Promise<void> {
  const { file } = wanted;
  await using remote = await openRemote(wanted, settings);
  const hash = file.blob.length === 64 ? createHash("sha256") : createHash("sha1").update(`blob ${file.size}\0`);
  using staged = stage(blob);
  for await (const chunk of remote.stream(0, remote.size)) {
    hash.update(chunk);
    writeTo(blob, staged, chunk);
  }
  if (hash.digest("hex") !== file.blob) throw damaged(wanted, "other bytes than the list of files says");
  writeTo(blob, staged, undefined);
}

function stage(blob: string): StagedFile {
  try {
    makeDirectory(dirname(blob));
    return new StagedFile({ temporary: temporaryOf(blob), durable: true }, "wx");
  } catch (error) {
    throw environmentError("write", blob, error);
  }
}

/** Some bytes; without any, the end. */
function writeTo(blob: string, staged: StagedFile, chunk: Uint8Array | undefined): void {
  try {
    if (chunk) return writeFully(staged.fd, chunk, chunk.length);
    staged.finish();
    staged.renameTo(blob);
  } catch (error) {
    throw environmentError("write", blob, error);
  }
}

function damaged({ file, name }: Download, what: string): KagurazakaError {
  return new KagurazakaError("source", `${file.name} of ${name} came with ${what}`, {
    where: name,
    hint: "Try again; a proxy may stand between.",
  });
}
