import { lstatSync, readdirSync, readlinkSync, type Stats } from "node:fs";
import { basename, dirname, join } from "node:path";
import { KagurazakaError } from "../../base/errors.js";
import { foldName, foldsNames, isSameEntry, plainName } from "../../base/names-on-disk.js";
import { OWN_DIRECTORY } from "../../base/own-directory.js";

const MAX_NAME_BYTES = 255;

/** Refuses a relative path that would leave the output root or cannot be a file name. Looks at the text alone. */
export function checkRelPath(relPath: string, what: "output path" | "key" = "output path"): void {
  if (isPlain(relPath)) return;
  const refuse = (why: string): never => {
    throw new KagurazakaError("unsafe-name", `${what} ${JSON.stringify(relPath)} ${why}`, {
      hint: `Rename the input${what === "key" ? "" : " or choose another output mode"}; nothing was written.`,
    });
  };
  if (relPath === "") refuse("is empty");
  if (relPath.startsWith("/")) refuse("is absolute");
  if (relPath.includes("\0")) refuse("contains a NUL byte");
  // In any case: some file systems do not tell.
  if (foldName(relPath.split("/")[0]!) === OWN_DIRECTORY)
    refuse(`is in ${OWN_DIRECTORY}, which is reserved for kagurazaka`);
  for (const segment of relPath.split("/")) {
    if (segment === "" || segment === "." || segment === "..") refuse(`has the segment "${segment}"`);
    if (Buffer.byteLength(segment) > MAX_NAME_BYTES) refuse(`has a name longer than ${MAX_NAME_BYTES} bytes`);
  }
}

/** The fast path: most paths are short ASCII without empty or dotted segments. */
function isPlain(relPath: string): boolean {
  return (
    relPath.length <= MAX_NAME_BYTES && /^[\w@+,=~-][\w@+,=~.() -]*(?:\/[\w@+,=~-][\w@+,=~.() -]*)*$/.test(relPath)
  );
}

/**
 * Guards the outputs below a root: no symbolic link is followed below it, and nothing is replaced that is not the item's. A link
 * that another program makes between the check and the write goes unnoticed; Node has no openat.
 */
export class RootGuard {
  readonly #root: string;
  /** Directories that are there and are no links. */
  readonly #known = new Set<string>();
  #foldsNames: boolean | undefined;

  constructor(root: string) {
    this.#root = root;
  }

  checkParentOf(relPath: string): void {
    const slash = relPath.lastIndexOf("/");
    if (slash >= 0) this.checkDirectory(relPath.slice(0, slash));
  }

  /** Refuses a directory that is a symbolic link, or lies behind one. What is missing is checked again when it is there. */
  checkDirectory(relDir: string): void {
    if (this.#known.has(relDir)) return;
    for (let end = relDir.indexOf("/"); ; end = relDir.indexOf("/", end + 1)) {
      const at = end < 0 ? relDir : relDir.slice(0, end);
      if (!this.#isReal(at) || end < 0) return;
    }
  }

  #isReal(relDir: string): boolean {
    if (this.#known.has(relDir)) return true;
    const stat = lstatSync(join(this.#root, relDir), { throwIfNoEntry: false });
    if (stat?.isSymbolicLink()) throw this.#refuseLink("the output directory", relDir);
    if (!stat?.isDirectory()) return false;
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    this.#known.add(relDir);
    return true;
  }

  /**
   * Refuses an output whose name is taken by one of the item's inputs, or by a file of another name that is the same name here.
   * @param inPlace the task writes to this path itself, so a link there would be written through
   */
  checkTarget(relPath: string, inputs: () => readonly string[], inPlace: boolean): void {
    const path = join(this.#root, relPath);
    const there = lstatIfThere(path);
    if (there === undefined) return;
    if (inPlace && there.isSymbolicLink()) throw this.#refuseLink("the output", relPath);
    if (inPlace && there.isFile() && there.nlink > 1) {
      throw new KagurazakaError("unsafe-name", `the output ${JSON.stringify(relPath)} has other names (hard links)`, {
        hint: "Outputs are written in place here (atomic: false), which would change the file under all its names. Remove it.",
      });
    }
    if (inputs().some((input) => isSameEntry(path, input))) throw replacesInput(relPath);
    this.#foldsNames ??= foldsNames(this.#root);
    const other = this.#foldsNames ? otherNameOf(path) : undefined;
    if (other === undefined) return;
    const message = `the output ${JSON.stringify(relPath)} is the same file here as ${JSON.stringify(other)}, which is there already`;
    throw new KagurazakaError("duplicate-key", message, { hint: FOLDED_HINT });
  }

  #refuseLink(what: string, relPath: string): KagurazakaError {
    const target = readlinkSync(join(this.#root, relPath));
    const message = `${what} ${JSON.stringify(relPath)} is a symbolic link to ${target}`;
    const hint =
      "Links below the output root are not followed. Remove it, or give the directory it leads to as a root.";
    return new KagurazakaError("unsafe-name", message, { hint });
  }
}

const MAX_KNOWN = 10_000;

export const FOLDED_HINT =
  "The output root is on a file system that tells no upper from lower case. Rename an input, or say another output root.";

export function replacesInput(relPath: string): KagurazakaError {
  const hint = "Give the outputs another extension or another root.";
  return new KagurazakaError("duplicate-key", `the output ${JSON.stringify(relPath)} would replace its input`, {
    hint,
  });
}

function lstatIfThere(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    // A part of the path is a file: the write fails with an error of its own.
    return undefined;
  }
}

/** The names in the directory that was asked about last: outputs that are made again lie beside one another. */
let lastListing: { readonly dir: string; readonly names: ReadonlySet<string> } | undefined;

/** The name under which a directory lists a file that is there; undefined where that is its own, normalized or not. */
export function otherNameOf(path: string): string | undefined {
  const [dir, name] = [dirname(path), basename(path)];
  if (lastListing?.dir === dir && lastListing.names.has(name)) return undefined;
  const names = new Set(readdirSync(dir));
  lastListing = { dir, names };
  if (names.has(name)) return undefined;
  const other = [...names].find((one) => foldName(one) === foldName(name));
  return other === undefined || plainName(other) === plainName(name) ? undefined : other;
}
