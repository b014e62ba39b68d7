import { realpathSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { KagurazakaError } from "../../base/errors.js";
import { OWN_DIRECTORY } from "../../base/own-directory.js";

const MAX_NAME_BYTES = 255;

/** Refuses a relative path from data that would leave the output root or cannot be a file name. Text only, no disk. */
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
  if (relPath.split("/")[0] === OWN_DIRECTORY) refuse(`lies in ${OWN_DIRECTORY}, which is kagurazaka's own`);
  for (const segment of relPath.split("/")) {
    if (segment === "" || segment === "." || segment === "..") refuse(`has the segment "${segment}"`);
    if (Buffer.byteLength(segment) > MAX_NAME_BYTES) refuse(`has a name longer than ${MAX_NAME_BYTES} bytes`);
  }
}

/** Most paths are short ASCII without empty or dotted segments: told apart by one pattern. */
function isPlain(relPath: string): boolean {
  return (
    relPath.length <= MAX_NAME_BYTES && /^[\w@+,=~-][\w@+,=~.() -]*(?:\/[\w@+,=~-][\w@+,=~.() -]*)*$/.test(relPath)
  );
}

/**
 * Refuses directories below a root that lead outside through a symbolic link. Answers are remembered per directory, so a
 * link put there during the run is seen only for directories not yet written to.
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
      throw new KagurazakaError(
        "unsafe-name",
        `output path ${JSON.stringify(relPath)} leaves the output root through a symbolic link to ${real}`,
      );
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
