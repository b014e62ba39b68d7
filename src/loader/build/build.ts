import { basename, dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { BuildFailure, BuildOptions, BuildResult } from "esbuild";
import { KagurazakaError } from "../../base/errors.js";
import { sha256Hex } from "../../base/hash.js";
import { moduleHashOf } from "../cache/digest.js";
import { type CachedModule, type ModuleCache, writeCacheFile } from "../cache/module-cache.js";
import { nearestTsconfig, tsconfigFiles } from "../cache/tsconfig.js";
import { displayPath } from "../paths.js";
import type { Tool } from "../tool.js";
import { bundleHead, hereDefines } from "./here.js";
import { throwBuildMistakes } from "./mistakes.js";
import { type Met, resolvePlugin } from "./plugin.js";

/** Compiles `entry` and all it imports locally into one module in the cache. The only place that loads esbuild. */
export async function buildModule(entry: string, tool: Tool, cache: ModuleCache): Promise<CachedModule> {
  const met: Met = {
    files: new Map(),
    dependencies: new Map(),
    named: new Set([entry]),
    openEnded: false,
    shifted: new Map(),
  };
  const tsconfig = nearestTsconfig(dirname(entry));
  const config = tsconfigFiles(tsconfig);
  const result = await bundle(
    { ...optionsFor(entry, cache.dir, tsconfig), plugins: [resolvePlugin(tool, met)] },
    entry,
    met,
  );
  const text = (suffix: string) => result.outputFiles!.find((file) => file.path.endsWith(suffix))!.text;
  const dependencies = [...met.dependencies.values()];
  const files = [...met.files].map(([path, hash]) => ({ path, digest: hash }));
  const moduleHash = moduleHashOf(
    entry,
    files,
    dependencies.map(({ id }) => id),
  );
  const provenance = { files, dependencies, tsconfig, tsconfigFiles: config, moduleHash };
  const lasting = !met.openEnded && !result.warnings.some(({ text }) => text.startsWith("The glob pattern"));
  return cache.store(finish(text(".mjs"), text(".map"), entry, cache.dir), provenance, lasting);
}

async function bundle(options: BuildOptions, entry: string, met: Met): Promise<BuildResult> {
  const { build } = await import("esbuild").catch((cause: unknown) => {
    throw new KagurazakaError("task-load", `${displayPath(entry)} cannot be compiled: esbuild is not installed here`, {
      hint: "Install kagurazaka again, optional packages included: esbuild brings its program in one of them.",
      cause,
    });
  });
  try {
    return await build(options);
  } catch (error) {
    return throwBuildMistakes(error as BuildFailure, entry, met);
  }
}

function optionsFor(entry: string, cacheDir: string, tsconfig: string | null): BuildOptions {
  return {
    entryPoints: [entry],
    absWorkingDir: dirname(entry),
    outfile: join(cacheDir, "module.mjs"),
    bundle: true,
    write: false,
    format: "esm",
    platform: "node",
    target: "node20.19",
    keepNames: true,
    charset: "utf8",
    legalComments: "none",
    sourcemap: "external",
    sourcesContent: false,
    logLevel: "silent",
    define: hereDefines,
    // As Node resolves: no "module" condition, no "module" field.
    conditions: ["node-addons", "module-sync"],
    mainFields: ["main"],
    ...(tsconfig === null ? { tsconfigRaw: {} } : { tsconfig: withoutLegacyDecorators(tsconfig, cacheDir) }),
  };
}

/** Templates are TC39 decorators, whichever kind the user's project is compiled with; the rest of its tsconfig is used. */
function withoutLegacyDecorators(tsconfig: string, cacheDir: string): string {
  const path = join(cacheDir, `tsconfig-${sha256Hex(tsconfig).slice(0, 24)}.json`);
  writeCacheFile(path, JSON.stringify({ extends: tsconfig, compilerOptions: { experimentalDecorators: false } }));
  return path;
}

/** Puts the head in front and the source map at the end, so that code and map are one file and change together. */
function finish(code: string, mapText: string, entry: string, cacheDir: string): string {
  const head = bundleHead(code, entry);
  const map = JSON.parse(mapText) as { sources: string[]; mappings: string; file?: string };
  // URLs, because a path with "#", "%" or "?" in it would be parsed as a URL.
  map.sources = map.sources.map((source) => pathToFileURL(resolve(cacheDir, source)).href);
  if (head !== "") map.mappings = `;${map.mappings}`;
  map.file = basename(entry);
  const inline = Buffer.from(JSON.stringify(map)).toString("base64");
  return `${head}${code}//# sourceMappingURL=data:application/json;base64,${inline}\n`;
}
