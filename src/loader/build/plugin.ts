import { readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { extname, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Loader, OnResolveArgs, OnResolveResult, Plugin, PluginBuild } from "esbuild";
import { type Dependency, describeDependency } from "../cache/dependency.js";
import { digest } from "../cache/digest.js";
import { installedRoot, isInside } from "../paths.js";
import type { Tool } from "../tool.js";
import { hereVariables } from "./here.js";

/** What esbuild met on its way, keyed by path. */
export interface Met {
  /** File → digest of the very bytes that were compiled. */
  readonly files: Map<string, string>;
  readonly dependencies: Map<string, Dependency>;
  /** Local files an import names. One that is loaded all the same was met by a pattern like `import("./" + name)`. */
  readonly named: Set<string>;
  /** A pattern, or an optional import that is missing today: what appears tomorrow would go unnoticed. */
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
/** What Node itself can load; anything else has to be compiled in, even from an installed package. */
const loadable = new Set([".js", ".mjs", ".cjs", ".node", ""]);

/** Local files are compiled in; the tool, Node's own modules and installed packages stay outside, each by its absolute place. */
export function resolvePlugin(tool: Tool, met: Met): Plugin {
  return {
    name: "kagurazaka",
    setup(build) {
      build.onResolve({ filter: /.*/ }, (args) => resolveImport(build, tool, met, args));
      build.onLoad({ filter: /.*/, namespace: "file" }, ({ path }) => {
        const loader = loaders[extname(path).toLowerCase()];
        if (!met.named.has(path)) {
          met.openEnded = true;
          // Data beside the code: a pattern over a directory matches it, but nobody imports it.
          if (loader === undefined) return { contents: "", loader: "empty" };
        }
        const bytes = readFileSync(path);
        met.files.set(path, digest(bytes));
        if (loader === undefined || loader === "json") return loader && { contents: bytes, loader };
        // A `#!` line is only one at the very start.
        const text = new TextDecoder().decode(bytes).replace(/^#!/, "//");
        const variables = hereVariables(path, text);
        met.shifted.set(path, variables.length);
        return { contents: variables + text, loader };
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
  if (args.kind === "entry-point" || args.pluginData === settled) return undefined;
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
  if (found.errors.length > 0) {
    // esbuild reports it itself, and knows that a `require` inside `try` may fail.
    met.openEnded = true;
    return undefined;
  }
  if (found.external || found.namespace !== "file") return undefined;
  const root = installedRoot(found.path);
  const extension = extname(found.path).toLowerCase();
  if (root !== "" && root !== installedRoot(importer)) {
    met.dependencies.set(`${resolveDir}\0${args.path}`, describeDependency(args.path, resolveDir, found.path));
    if (loadable.has(extension)) return outside(kind, found.path);
  }
  if (extension === ".node" || isInside(found.path, join(tool.root, "dist"))) return outside(kind, found.path);
  met.named.add(found.path);
  return undefined;
}

function resolveDoor(tool: Tool, { path, kind }: OnResolveArgs): OnResolveResult {
  const door = tool.doors.get(path);
  if (door !== undefined) return outside(kind, door);
  return {
    errors: [
      {
        text: `Could not resolve "${path}"`,
        notes: [{ text: `kagurazaka has these doors: ${[...tool.doors.keys()].join(", ")}` }],
      },
    ],
  };
}

function outside(kind: OnResolveArgs["kind"], path: string): OnResolveResult {
  return { path: kind === "require-call" ? path : pathToFileURL(path).href, external: true };
}
