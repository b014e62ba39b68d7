import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { sha256Hex } from "../../base/hash.js";
import type { FileDigest } from "./digest.js";

/** The tsconfig.json an editor would use for a file in `dir`. */
export function nearestTsconfig(dir: string): string | null {
  const path = join(dir, "tsconfig.json");
  if (existsSync(path)) return path;
  return dir === dirname(dir) ? null : nearestTsconfig(dirname(dir));
}

/**
 * The file and all it extends. `extends` is searched for in the text, comments included: a file too many does no harm,
 * while a parser of ours would have to agree with esbuild's.
 */
export function tsconfigFiles(path: string | null): FileDigest[] {
  const found = new Map<string, string>();
  const visit = (file: string): void => {
    if (found.has(file)) return;
    let text: string;
    try {
      text = readFileSync(file, "utf8");
    } catch {
      return;
    }
    found.set(file, sha256Hex(text));
    const value = /"extends"\s*:\s*("(?:[^"\\]|\\.)*"|\[[^\]]*\])/.exec(text)?.[1] ?? "";
    for (const [quoted] of value.matchAll(/"(?:[^"\\]|\\.)*"/g)) {
      const base = resolveBase(file, quoted);
      if (base !== undefined) visit(base);
    }
  };
  if (path !== null) visit(path);
  return [...found].map(([file, hash]) => ({ path: file, digest: hash }));
}

function resolveBase(from: string, quoted: string): string | undefined {
  try {
    const name = JSON.parse(quoted) as string;
    if (/^\.{0,2}\//.test(name) || name === "..") {
      const path = resolve(dirname(from), name);
      return [path, `${path}.json`, join(path, "tsconfig.json")].find(
        (file) => file.endsWith(".json") && existsSync(file),
      );
    }
    const find = createRequire(from).resolve;
    for (const candidate of [name, `${name}.json`, `${name}/tsconfig.json`]) {
      try {
        return find(candidate);
      } catch {
        // Try the next spelling.
      }
    }
  } catch {
    // esbuild reports what is wrong with it.
  }
  return undefined;
}
