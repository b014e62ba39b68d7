import { readFileSync, realpathSync, statSync } from "node:fs";
import { isBuiltin } from "node:module";
import { extname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Loader, OnResolveArgs, OnResolveResult, Plugin, PluginBuild } from "esbuild";
import { sha256Hex } from "../../base/hash.js";
import { type Dependency, describeDependency, describeLink } from "../cache/dependency.js";
import { installedRoot, isInside } from "../paths.js";
import type { Tool } from "../tool.js";
import { compileAlone, isPattern, needsStandardDecorators } from "./alone.js";
import { hereVariables } from "./here.js";

/** What esbuild has loaded and resolved, keyed by path. */
export interface Met {
  /** File → digest of the very bytes that were compiled. */
  readonly files: Map<string, string>;
  readonly dependencies: Map<string, Dependency>;
  /** Local files that an import names. Other files are loaded because of a pattern like `import("./" + name)`. */
  readonly named: Set<string>;
  /** Files that esbuild has not resolved itself: it reads no tsconfig.json for them. */
  readonly handedOver: Set<string>;
  /** There is a pattern, or an optional import that is missing: a file that appears later would not be noticed. */
  openEnded: boolean;
  /** File → characters put in front of its first line. */
  readonly shifted: Map<string, number>;
}

const loaders: Readonly<Record<string, Loader>> = {
  ".ts": "ts",
  ".mts": "ts",
  ".cts": "ts",
  ".tsx": "tsx",
  ".js": "js",
  ".mjs": "js",
  ".cjs": "js",
  ".jsx": "jsx",
  ".json": "json",
};
/** Extensions that Node itself can load; other files are compiled in, even those of an installed package. */
const loadable = new Set([".js", ".mjs", ".cjs", ".node", ""]);

/** Local files are compiled in; this tool, Node's own modules and installed packages are imported by absolute path. */
export function resolvePlugin(entry: string, tool: Tool, met: Met, cacheDir: string): Plugin {
  return {
    name: "kagurazaka",
    setup(build) {
      build.onResolve({ filter: /.*/ }, (args) => {
        if (args.kind !== "entry-point") return resolveImport(build, tool, met, args);
        if (!isPattern(entry)) return undefined;
        met.handedOver.add(entry);
        return { path: entry };
      });
      build.onLoad({ filter: /.*/, namespace: "file" }, ({ path }) => {
        const loader = loaders[extname(path).toLowerCase()];
        if (!met.named.has(path)) {
          met.openEnded = true;
          // A data file beside the code, which a pattern over a directory matches and no import needs.
          if (loader === undefined) return { contents: "", loader: "empty" };
        }
        const bytes = readFileSync(path);
        met.files.set(path, sha256Hex(bytes));
        if (loader === undefined || loader === "json") return loader && { contents: bytes, loader };
        // A `#!` line is legal at the very start of a file only.
        const text = new TextDecoder().decode(bytes).replace(/^#!/, "//");
        const variables = hereVariables(path, text);
        met.shifted.set(path, variables.length);
        const source = { path, contents: variables + text, loader };
        if (met.handedOver.has(path) || needsStandardDecorators(source, entry))
          return compileAlone(build, source, cacheDir);
        return { contents: source.contents, loader };
      });
    },
  };
}

const settled = Symbol("resolved by esbuild alone");

async function resolveImport(
  build: PluginBuild,
  tool: Tool,
  met: Met,
  args: OnResolveArgs,
): Promise<OnResolveResult | undefined> {
  if (args.pluginData === settled) return undefined;
  if (isBuiltin(args.path) || args.path.startsWith("node:")) return { path: args.path, external: true };
  if (args.path === "kagurazaka" || args.path.startsWith("kagurazaka/")) return resolveDoor(tool, args);
  const { kind, importer, namespace, resolveDir } = args;
  const found = await build.resolve(args.path, {
    kind,
    importer,
    namespace,
    resolveDir,
    pluginData: settled,
    with: args.with,
  });
  const isMissing = found.errors.length > 0;
  const path = isMissing ? findUnusual(args.path, resolveDir) : found.path;
  if (path === undefined) {
    // esbuild reports the error itself, except for a `require` inside `try`, which may fail.
    met.openEnded = true;
    return undefined;
  }
  if (!isMissing && (found.external || found.namespace !== "file")) return undefined;
  const root = installedRoot(path);
  const extension = extname(path).toLowerCase();
  if (root !== "" && root !== installedRoot(importer)) {
    met.dependencies.set(`${resolveDir}\0${args.path}`, describeDependency(args.path, resolveDir, path));
    if (loadable.has(extension)) return outside(kind, path);
  }
  if (extension === ".node" || isInside(path, join(tool.root, "dist"))) return outside(kind, path);
  const link = describeLink(args.path, resolveDir, path);
  if (link !== undefined) met.dependencies.set(`${resolveDir}\0${args.path}`, link);
  met.named.add(path);
  if (!isMissing) return undefined;
  met.handedOver.add(path);
  return { path };
}

/** What esbuild does not find: a "*" is part of a pattern to it, while to Node imports are URLs: `file:`, "%23" for "#". */
function findUnusual(specifier: string, dir: string): string | undefined {
  const isUrl = specifier.startsWith("file://");
  if (!isUrl && !/^\.{0,2}\/.*[*%]/s.test(specifier)) return undefined;
  const written = isUrl ? new URL(specifier).pathname : resolve(dir, specifier);
  for (const path of [written, decoded(written)]) {
    const typed = path.replace(/\.([cm]?)js$/, ".$1ts");
    for (const candidate of [path, typed, ...endings.map((ending) => path + ending)])
      if (statSync(candidate, { throwIfNoEntry: false })?.isFile()) return realpathSync(candidate);
  }
  return undefined;
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

const endings = [".ts", ".tsx", ".js", ".jsx", ".json", "/index.ts", "/index.js"];

function resolveDoor(tool: Tool, { path, kind }: OnResolveArgs): OnResolveResult {
  const door = tool.doors.get(path);
  if (door !== undefined) return outside(kind, door);
  return {
    errors: [
      {
        text: `Could not resolve "${path}"`,
        notes: [{ text: `kagurazaka can be imported as: ${[...tool.doors.keys()].join(", ")}` }],
      },
    ],
  };
}

function outside(kind: OnResolveArgs["kind"], path: string): OnResolveResult {
  return { path: kind === "require-call" ? path : pathToFileURL(path).href, external: true };
}
