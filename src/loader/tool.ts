import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { KagurazakaError } from "../base/errors.js";

/** The running copy of kagurazaka, which a task's `import "kagurazaka"` always means. */
export interface Tool {
  readonly root: string;
  readonly version: string;
  /** Exact, from package.json, so that esbuild need not be loaded for it. */
  readonly esbuildVersion: string;
  /** What may be imported (`kagurazaka`, `kagurazaka/kit` …) → absolute path of the built door. */
  readonly doors: ReadonlyMap<string, string>;
}

interface Manifest {
  name?: string;
  version?: string;
  dependencies?: Record<string, string>;
  exports?: Record<string, string | { default?: string }>;
}

const known = new Map<string, Tool>();

export function locateTool(root: string = ownRoot()): Tool {
  const absolute = resolve(root);
  const tool = known.get(absolute) ?? describeTool(absolute);
  known.set(absolute, tool);
  return tool;
}

function describeTool(root: string): Tool {
  const manifest = readManifest(root) ?? {};
  const doors = new Map<string, string>();
  for (const [subpath, target] of Object.entries(manifest.exports ?? {})) {
    const file = typeof target === "string" ? target : target.default;
    if (file?.endsWith(".js")) doors.set(`kagurazaka${subpath.slice(1)}`, join(root, file));
  }
  return {
    root,
    version: manifest.version ?? "0",
    esbuildVersion: manifest.dependencies?.esbuild ?? "0",
    doors,
  };
}

/** The package this very file belongs to, whether it runs as src/ or as dist/src/. */
function ownRoot(): string {
  const start = dirname(fileURLToPath(import.meta.url));
  for (let dir = start; ; dir = dirname(dir)) {
    if (readManifest(dir)?.name === "kagurazaka") return dir;
    if (dir === dirname(dir)) throw new KagurazakaError("internal", `no package.json of kagurazaka above ${start}`);
  }
}

function readManifest(dir: string): Manifest | undefined {
  try {
    return JSON.parse(readFileSync(join(dir, "package.json"), "utf8")) as Manifest;
  } catch {
    return undefined;
  }
}
