import { readdirSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { statIfThere, targetOfBrokenLink } from "../../base/disk.js";
import { KagurazakaError } from "../../base/errors.js";
import { didYouMean } from "../../base/nearest.js";
import { globFiles } from "../files/glob.js";
import { joinRelative, type WalkedDirectory, walkFiles } from "../files/walk.js";
import type { ListedFile } from "../stores/store.js";
import { type DatasetCard, parseCard } from "./card.js";

/** Files of this machine that are one dataset. */
export interface LocalFiles {
  /** The folder that the names are relative to. */
  readonly root: string;
  /** Sorted by directory; hidden ones are left out. Never empty. */
  readonly files: readonly ListedFile[];
  readonly card: DatasetCard | undefined;
}

export const isGlob = (path: string): boolean => /[*?[{]|[@+!]\(/.test(path);

/**
 * The files below a folder, with the card in its README.md; or one file.
 * @throws KagurazakaError `source` for what is not there or holds no files, `bad-data` for a broken card
 */
export async function listFolder(path: string): Promise<LocalFiles> {
  const stat = statIfThere(path);
  if (!stat) throw notThere(path);
  if (!stat.isDirectory())
    return { root: dirname(path), files: [asListed(dirname(path), basename(path))], card: undefined };
  const files = [...walkFiles({ root: path })].flatMap((found) => listed(path, found));
  const hasCard = files.some(({ name }) => name === "README.md");
  const card = hasCard
    ? parseCard(await readFile(join(path, "README.md"), "utf8"), join(path, "README.md"))
    : undefined;
  if (files.length > (hasCard ? 1 : 0)) return { root: path, files, card };
  const what = hasCard ? "has a README.md, but no data" : "is empty";
  throw new KagurazakaError("source", `the folder ${path} ${what}`, {
    where: path,
    hint: "Hidden files and those behind links to folders do not count.",
  });
}

/**
 * The files that a glob matches: `data/*.jsonl.gz`, absolute or relative to the working directory. Cards are not looked at.
 * @throws KagurazakaError `source` where none does
 */
export async function listGlob(glob: string): Promise<LocalFiles> {
  const parts = glob.split("/");
  const magic = parts.findIndex(isGlob);
  const root = parts.slice(0, magic).join("/") || (glob.startsWith("/") ? "/" : ".");
  const pattern = parts.slice(magic).join("/");
  if (!statIfThere(root)?.isDirectory()) throw notThere(root);
  const files: ListedFile[] = [];
  for await (const found of globFiles({ root, pattern })) for (const file of listed(root, found)) files.push(file);
  if (files.length > 0) return { root, files, card: undefined };
  throw new KagurazakaError("source", `no file matches ${glob}.${nearest(root, pattern)}`, {
    where: glob,
    hint: "Quote the pattern, so that the shell leaves it alone; ** goes through folders.",
  });
}

const listed = (root: string, { relDir, names }: WalkedDirectory): ListedFile[] =>
  names.map((name) => asListed(root, joinRelative(relDir, name)));

function asListed(root: string, name: string): ListedFile {
  const { size, mtimeMs } = statSync(join(root, name));
  // Of more than milliseconds, copies and `touch` do not keep all digits.
  return { name, size, version: `${Math.round(mtimeMs)}:${size}` };
}

const MAX_LOOKED_AT = 1000;

/** What the pattern would match if it were spelt otherwise: the nearest name; else, the first that there is. */
function nearest(root: string, pattern: string): string {
  const names: string[] = [];
  for (const found of walkFiles({ root, onUnreadable: () => {} })) {
    for (const name of found.names) names.push(joinRelative(found.relDir, name));
    if (names.length >= MAX_LOOKED_AT) break;
  }
  if (names.length === 0) return ` ${root} is empty.`;
  return didYouMean(pattern, names) || ` There are, for example: ${names.slice(0, 3).join(", ")}.`;
}

/** Names the first part of the path that is missing, and what stands beside it. */
function notThere(path: string): KagurazakaError {
  let missing = path;
  while (dirname(missing) !== missing && !statIfThere(dirname(missing))) missing = dirname(missing);
  const target = targetOfBrokenLink(missing);
  if (target !== undefined)
    return new KagurazakaError("source", `${missing} is a link to what is not there: ${target}`, { where: path });
  const near = didYouMean(basename(missing), namesIn(dirname(missing)));
  const what = missing === path ? `there is no ${path}.` : `there is no ${path}, because there is no ${missing}.`;
  return new KagurazakaError("source", what + near, { where: path });
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}
