import { readFileSync } from "node:fs";
import { dirname, relative, sep } from "node:path";
import { sha256Hex } from "../../base/hash.js";

/** Digest of a file's bytes; undefined when it cannot be read. */
export function digestFile(path: string): string | undefined {
  try {
    return sha256Hex(readFileSync(path));
  } catch {
    return undefined;
  }
}

/** A file as it was when the module was built. */
export interface FileDigest {
  readonly path: string;
  readonly digest: string;
}

/**
 * Identity of the code on every machine: paths relative to the entry's directory, source bytes, versions of direct
 * dependencies. Files of installed packages count by their package's version alone, because installers put them in different
 * places.
 */
export function moduleHashOf(entry: string, files: readonly FileDigest[], dependencies: Iterable<string>): string {
  const lines = countedFiles(entry, files).map(([path, digest]) => `file ${JSON.stringify(path)} ${digest}`);
  for (const dependency of new Set(dependencies)) lines.push(`package ${dependency}`);
  return sha256Hex(lines.sort().join("\n"));
}

/** The files that count by their bytes: paths relative to the entry's directory, with digests. */
export const countedFiles = (entry: string, files: readonly FileDigest[]): [path: string, digest: string][] =>
  files
    .filter(({ path }) => !path.includes("/node_modules/") || path === entry)
    .map(({ path, digest }) => [relative(dirname(entry), path).split(sep).join("/"), digest]);
