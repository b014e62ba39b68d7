import { resolve } from "node:path";
import { KagurazakaError } from "../../base/errors.js";
import { parseHubName } from "../hub/name.js";
import { schemeOf } from "../stores/index.js";
import { nameOfUrl } from "../stores/request.js";

/** A file, and where it was found. */
interface NamedFile {
  /** Below the root of what was listed. */
  readonly name: string;
  /** Path or URL. */
  readonly path: string;
  readonly split: string;
  /** The word of the user that names it. */
  readonly spec: string;
}

/**
 * Gives each file a name that no other file has. Names stay as they are where no two are the same. Else each gets as many of the
 * folders above the root of its spec as tell all of them apart: `x/data.jsonl`, `y/data.jsonl`. Folders are counted from the file
 * upwards, so that names do not depend on where a machine keeps the data. A file that is in several splits keeps its name in the
 * first one, and is `test:data.jsonl` in another.
 * @throws KagurazakaError `source` for a file that is named twice
 */
export function nameApart<F extends NamedFile>(files: readonly F[]): F[] {
  checkRepeats(files);
  const paths = new Set(files.map(({ path }) => path));
  let named: readonly F[] = files;
  if (new Set(files.map(({ name }) => name)).size < paths.size) {
    const folders = new Map<string, readonly string[]>();
    const aboveOf = (file: F): readonly string[] => {
      const root = rootOf(file);
      const above = folders.get(root) ?? foldersOf(root);
      folders.set(root, above);
      return above;
    };
    const deepest = files.reduce((most, file) => Math.max(most, aboveOf(file).length), 0);
    for (let count = 1; count <= deepest; count++) {
      named = files.map((file) => ({ ...file, name: [...aboveOf(file).slice(-count), file.name].join("/") }));
      if (new Set(named.map(({ name }) => name)).size === paths.size) break;
    }
  }
  const before = new Map<string, string>();
  return named.map((file) => {
    const isRepeated = before.get(file.name) === file.path;
    before.set(file.name, file.path);
    return isRepeated ? { ...file, name: `${file.split}:${file.name}` } : file;
  });
}

function checkRepeats(files: readonly NamedFile[]): void {
  const seen = new Map<string, string>();
  for (const { path, split, spec } of files) {
    const key = `${split}\n${schemeOf(path) === undefined ? resolve(path) : path}`;
    const other = seen.get(key);
    if (other !== undefined)
      throw new KagurazakaError(
        "source",
        `${nameOfUrl(path)} is named twice, by ${nameOfUrl(other)} and by ${nameOfUrl(spec)}`,
        {
          where: nameOfUrl(spec),
          hint: "Name each file once.",
        },
      );
    seen.set(key, spec);
  }
}

/** The path or URL of the file without its name; of a web page, which may have a query behind it, with it. */
const rootOf = ({ name, path }: NamedFile): string =>
  path.endsWith(`/${name}`) ? path.slice(0, -name.length) : path === name ? "." : path;

/** From the outermost to the nearest. The commit of a dataset of the hub comes last: the same name is read at another one. */
function foldersOf(root: string): string[] {
  const scheme = schemeOf(root);
  if (scheme === undefined) return resolve(root).split("/").filter(Boolean);
  if (scheme === "hf") {
    const { name, revision } = parseHubName(root.replace(/\/$/, ""))!;
    return [revision ?? "", ...name.split("/")];
  }
  const { pathname, host } = new URL(root);
  return [`${scheme}:`, host, ...decodeURIComponent(pathname).split("/").slice(0, -1)].filter(Boolean);
}
