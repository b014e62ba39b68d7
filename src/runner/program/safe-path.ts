import { realpathSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { KagurazakaError } from "../../base/errors.js";
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
  if (relPath.split("/")[0] === OWN_DIRECTORY) refuse(`is in ${OWN_DIRECTORY}, which is reserved for kagurazaka`);
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
 * Refuses directories below a root that lead outside through a symbolic link. Results are cached by directory, so a link that
 * is made during the run goes unnoticed in directories already checked.
 */
export class RootGuard {
  readonly #root: string;
  readonly #checked = new Set<string>();
  #realRoot: string | undefined;

  constructor(root: string) {
    this.#root = root;
  }

  checkParentOf(relPath: string): void {
    const slash = relPath.lastIndexOf("/");
    const dir = slash < 0 ? "" : relPath.slice(0, slash);
    if (this.#checked.has(dir)) return;
    this.#realRoot ??= nearestReal(this.#root);
    const real = nearestReal(join(this.#root, dir));
    const inside =
      real === this.#realRoot || real.startsWith(this.#realRoot.endsWith(sep) ? this.#realRoot : this.#realRoot + sep);
    if (!inside) {
      const what = `output path ${JSON.stringify(relPath)}`;
      throw new KagurazakaError("unsafe-name", `${what} leaves the output root through a symbolic link to ${real}`);
    }
    if (this.#checked.size >= 10_000) this.#checked.clear();
    this.#checked.add(dir);
  }
}

/** The real path of the nearest ancestor that exists. */
function nearestReal(path: string): string {
  for (let at = path; ; at = dirname(at)) {
    try {
      return realpathSync(at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT" || dirname(at) === at) throw error;
    }
  }
}
