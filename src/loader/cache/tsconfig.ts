import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { sha256Hex } from "../../base/hash.js";
import type { FileDigest } from "./digest.js";

/** What governs a file in `dir` for editors and esbuild; nothing does in installed packages. */
export function nearestTsconfig(dir: string): string | null {
  return `${dir}/`.includes("/node_modules/") ? null : nearest(dir, ["tsconfig.json", "jsconfig.json"]);
}

/** Says what imports of a package's files mean: its `exports`, `imports`, and their kind. */
export const nearestManifest = (dir: string): string | null => nearest(dir, ["package.json"]);

function nearest(dir: string, names: readonly string[]): string | null {
  for (let at = dir; ; at = dirname(at)) {
    for (const name of names) if (existsSync(join(at, name))) return join(at, name);
    if (at === dirname(at)) return null;
  }
}

/**
 * The files and all they extend. `extends` is searched for in the text, comments included: a file too many does no harm,
 * while a parser of ours would have to agree with esbuild's.
 */
export function tsconfigFiles(paths: Iterable<string | null>): FileDigest[] {
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
  for (const path of paths) if (path !== null) visit(path);
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
    for (const candidate of [...(name.endsWith(".json") ? [name] : []), `${name}.json`, `${name}/tsconfig.json`]) {
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
