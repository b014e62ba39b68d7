import { readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { BuildFailure, Loader, OnLoadResult, PluginBuild } from "esbuild";
import { sha256Hex } from "../../base/hash.js";
import { writeCacheFile } from "../cache/module-cache.js";
import { nearestTsconfig, tsconfigFiles } from "../cache/tsconfig.js";

interface SourceText {
  readonly path: string;
  readonly contents: string;
  readonly loader: Loader;
}

/** esbuild takes such an entry for a pattern. A plug-in can hand it over, but then esbuild reads no tsconfig.json for it. */
export const isPattern = (entry: string): boolean => basename(entry).includes("*");

/** Templates are TC39 decorators: files that use them are compiled so, whichever kind the rest of their project has. */
export function needsStandardDecorators({ path, contents }: SourceText, entry: string): boolean {
  if (!contents.includes("@") || (path !== entry && !/["']kagurazaka(?:\/[\w-]+)?["']/.test(contents))) return false;
  const files = tsconfigFiles([nearestTsconfig(dirname(path))]);
  return files.some((file) => readFileSync(file.path, "utf8").includes("experimentalDecorators"));
}

/** Compiles one file, its imports left as they are, with standard decorators and all other settings of its tsconfig.json. */
export async function compileAlone(
  { esbuild }: PluginBuild,
  { path, contents, loader }: SourceText,
  cacheDir: string,
): Promise<OnLoadResult> {
  const dir = dirname(path);
  const base = nearestTsconfig(dir);
  const tsconfig = join(cacheDir, `tsconfig-${sha256Hex(String(base)).slice(0, 24)}.json`);
  const compilerOptions = { experimentalDecorators: false };
  writeCacheFile(tsconfig, JSON.stringify({ ...(base === null ? {} : { extends: base }), compilerOptions }));
  try {
    const { outputFiles } = await esbuild.build({
      stdin: { contents, loader, sourcefile: path, resolveDir: dir },
      absWorkingDir: dir,
      tsconfig,
      write: false,
      target: "node20.19",
      charset: "utf8",
      sourcemap: "inline",
      logLevel: "silent",
    });
    return { contents: outputFiles[0]!.text, loader };
  } catch (error) {
    const { errors = [] } = error as Partial<BuildFailure>;
    if (errors.length === 0) throw error;
    for (const { location } of errors) if (location !== null) location.file = resolve(dir, location.file);
    return { errors };
  }
}
