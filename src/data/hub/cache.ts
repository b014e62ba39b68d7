import { existsSync, lstatSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { environmentError, errnoOf, listDirectory, statIfThere } from "../../base/disk.js";
import { makeDirectory } from "../../base/make-directory.js";
import { OWN_DIRECTORY } from "../../base/own-directory.js";
import { replaceFile } from "../../base/whole-file.js";
import { joinRelative, walkFiles } from "../files/walk.js";
import { checkFile, type RemoteFile } from "./api.js";
import type { HubSettings } from "./settings.js";

/*
 * The cache that Python's `huggingface_hub` has too: `datasets--org--name/refs/main` names a commit, `snapshots/<commit>/…` are links to
 * `blobs/<hash>`. Beside it, in `.kagurazaka/<commit>.json`, we keep the list of all files of a commit: a snapshot alone does not
 * tell what it lacks.
 */
export const folderOf = ({ cache }: HubSettings, name: string): string =>
  join(cache, `datasets--${name.replaceAll("/", "--")}`);

export const snapshotPath = (folder: string, commit: string, name: string): string =>
  join(folder, "snapshots", commit, name);

export const blobPath = (folder: string, blob: string): string => join(folder, "blobs", blob);

/** There while a process fetches the blob. */
export const lockPath = (folder: string, blob: string): string => join(folder, OWN_DIRECTORY, `${blob}.lock`);

const listPath = (folder: string, commit: string): string => join(folder, OWN_DIRECTORY, `${commit}.json`);

/** The names of the datasets in the cache. */
export function cachedNames({ cache }: HubSettings): string[] {
  const folders = listDirectory("list", cache).filter((one) => one.startsWith("datasets--"));
  return folders.map((one) => one.slice("datasets--".length).replace("--", "/"));
}

const COMMIT = /^[0-9a-f]{40}$/;

/** The commit of a revision that is in the cache, as it was when it was last asked for. */
export function cachedCommit(folder: string, revision: string): string | undefined {
  if (COMMIT.test(revision)) {
    const isThere = existsSync(listPath(folder, revision)) || existsSync(join(folder, "snapshots", revision));
    return isThere ? revision : undefined;
  }
  if (!isSafeRef(revision)) return undefined;
  const text = readIfThere(join(folder, "refs", revision))?.trim() ?? "";
  return COMMIT.test(text) ? text : undefined;
}

const isSafeRef = (revision: string): boolean =>
  revision.split("/").every((part) => !["", ".", ".."].includes(part)) && !revision.includes("\0");

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "EISDIR"].includes(errnoOf(error) ?? "")) return undefined;
    throw environmentError("read", path, error);
  }
}

/** The list that we kept of a commit; undefined where there is none that can be read. */
export function readList(folder: string, commit: string, name: string): RemoteFile[] | undefined {
  const text = readIfThere(listPath(folder, commit));
  if (text === undefined) return undefined;
  try {
    const { format, files } = JSON.parse(text) as { format: unknown; files: RemoteFile[] };
    return format === 1 ? files.map((file) => checkFile(file, { name })) : undefined;
  } catch {
    return undefined;
  }
}

/** Keeps the list of a commit, and that the revision is this commit. */
export function keepList(folder: string, revision: string, commit: string, files: readonly RemoteFile[]): void {
  replace(listPath(folder, commit), `${JSON.stringify({ format: 1, files })}\n`);
  if (!COMMIT.test(revision) && isSafeRef(revision)) replace(join(folder, "refs", revision), commit);
}

function replace(path: string, text: string): void {
  try {
    makeDirectory(dirname(path));
  } catch (error) {
    throw environmentError("make", dirname(path), error);
  }
  replaceFile(path, text, { temporary: temporaryOf(path) });
}

/** A name that no other process or thread writes to. */
export const temporaryOf = (path: string): string =>
  `${path}.${process.pid}-${Math.random().toString(36).slice(2)}.incomplete`;

/** The files that a snapshot has: those that somebody needed, maybe not all of the commit. */
export function snapshotFiles(folder: string, commit: string): { name: string; size: number }[] {
  const root = join(folder, "snapshots", commit);
  if (!statIfThere(root)?.isDirectory()) return [];
  return [...walkFiles({ root })].flatMap(({ relDir, names }) =>
    names.map((one) => {
      const name = joinRelative(relDir, one);
      return { name, size: statSync(join(root, name)).size };
    }),
  );
}

/** Makes a file of a snapshot a link to its blob, as Python does. */
export function linkBlob(folder: string, commit: string, file: Pick<RemoteFile, "name" | "blob">): void {
  const path = snapshotPath(folder, commit, file.name);
  try {
    makeDirectory(dirname(path));
    symlinkSync(relative(dirname(path), blobPath(folder, file.blob)), path);
  } catch (error) {
    // Another process was faster; it may also have been there without its blob.
    if (errnoOf(error) === "EEXIST" && lstatSync(path).isSymbolicLink()) return;
    throw environmentError("link", path, error);
  }
}
