import { basename, dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { BuildFailure, BuildOptions, BuildResult } from "esbuild";
import { KagurazakaError } from "../../base/errors.js";
import { digestFile, moduleHashOf } from "../cache/digest.js";
import type { CachedModule, ModuleCache, Provenance } from "../cache/module-cache.js";
import { nearestManifest, nearestTsconfig, tsconfigFiles } from "../cache/tsconfig.js";
import { displayPath } from "../paths.js";
import type { Tool } from "../tool.js";
import { isPattern } from "./alone.js";
import { asWritten } from "./as-written.js";
import type { RawMap } from "./edits.js";
import { bundleHead, hereDefines } from "./here.js";
import { throwBuildMistakes } from "./mistakes.js";
import { type Met, resolvePlugin } from "./plugin.js";

/** Compiles `entry` and all it imports locally into one module in the cache. The only place that loads esbuild. */
export async function buildModule(entry: string, tool: Tool, cache: ModuleCache): Promise<CachedModule> {
  const met: Met = {
    files: new Map(),
    dependencies: new Map(),
    named: new Set([entry]),
    handedOver: new Set(),
    openEnded: false,
    shifted: new Map(),
  };
  const result = await bundle(
    { ...optionsFor(entry, cache.dir), plugins: [resolvePlugin(entry, tool, met, cache.dir)] },
    entry,
    met,
  );
  const text = (suffix: string) => result.outputFiles!.find((file) => file.path.endsWith(suffix))!.text;
  const dependencies = [...met.dependencies.values()];
  const files = [...met.files].map(([path, hash]) => ({ path, digest: hash }));
  const moduleHash = moduleHashOf(
    entry,
    files,
    dependencies.flatMap(({ id }) => id ?? []),
  );
  const provenance = { files, dependencies, ...configsOf(files.map(({ path }) => dirname(path))), moduleHash };
  const lasting = !met.openEnded && !result.warnings.some(({ text }) => text.startsWith("The glob pattern"));
  return cache.store(finish(text(".mjs"), text(".map"), entry, cache.dir), provenance, lasting);
}

function configsOf(dirs: readonly string[]): Pick<Provenance, "nearest" | "configFiles"> {
  const nearest = [...new Set(dirs)].map((dir) => ({
    dir,
    tsconfig: nearestTsconfig(dir),
    manifest: nearestManifest(dir),
  }));
  const manifests = new Set(nearest.flatMap(({ manifest }) => manifest ?? []));
  const configFiles = [
    ...tsconfigFiles(nearest.map(({ tsconfig }) => tsconfig)),
    ...Array.from(manifests, (path) => ({ path, digest: digestFile(path) ?? "" })),
  ];
  return { nearest, configFiles };
}

async function bundle(options: BuildOptions, entry: string, met: Met): Promise<BuildResult> {
  const { build } = await import("esbuild").catch((cause: unknown) => {
    throw new KagurazakaError("task-load", `${displayPath(entry)} cannot be compiled: esbuild is not installed here`, {
      hint: "Install kagurazaka again, optional packages included: esbuild brings its program in one of them.",
      cause,
    });
  });
  try {
    const result = await build(options);
    // For esbuild a warning; but the file would run with other settings than its author sees.
    const errors = result.warnings.filter(({ text }) => /^(?:Cannot find base|Base) config file /.test(text));
    return errors.length > 0 ? throwBuildMistakes({ errors, warnings: [] }, entry, met) : result;
  } catch (error) {
    return throwBuildMistakes(error as BuildFailure, entry, met);
  }
}

function optionsFor(entry: string, cacheDir: string): BuildOptions {
  return {
    // Relative, because "*" in it would be a pattern.
    entryPoints: [isPattern(entry) ? "task" : `./${basename(entry)}`],
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
    logLevel: "silent",
    define: hereDefines,
    // As Node resolves: no "module" condition, no "module" field.
    conditions: ["node-addons", "module-sync"],
    mainFields: ["main"],
  };
}

/** Puts the head in front and the source map at the end, so that code and map are one file and change together. */
function finish(bundled: string, mapText: string, entry: string, cacheDir: string): string {
  const head = bundleHead(bundled, entry);
  const map = JSON.parse(mapText) as RawMap;
  const { code, mappings } = asWritten(bundled, map);
  map.mappings = mappings;
  delete map.sourcesContent;
  // URLs, because a path with "#", "%" or "?" in it would be parsed as a URL.
  map.sources = map.sources.map((source) => pathToFileURL(resolve(cacheDir, source)).href);
  if (head !== "") map.mappings = `;${map.mappings}`;
  map.file = basename(entry);
  const inline = Buffer.from(JSON.stringify(map)).toString("base64");
  return `${head}${code}//# sourceMappingURL=data:application/json;base64,${inline}\n`;
}
