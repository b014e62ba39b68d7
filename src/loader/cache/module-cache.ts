import { readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { sha256Hex } from "../../base/hash.js";
import { replaceFile } from "../../base/whole-file.js";
import type { Tool } from "../tool.js";
import { openCacheDir } from "./cache-dir.js";
import { type Dependency, isDependencyUnchanged } from "./dependency.js";
import { digestFile, type FileDigest } from "./digest.js";
import { nearestManifest, nearestTsconfig } from "./tsconfig.js";

/** Raised when the compiled form changes for the same sources. */
const FORMAT = 2;
const STALE_BUNDLE_MS = 30 * 24 * 3600 * 1000;

/** What a compiled module was made from; it is good for as long as all of this is unchanged. */
export interface Provenance {
  /** Entry, local imports, JSON: as compiled. */
  readonly files: readonly FileDigest[];
  readonly dependencies: readonly Dependency[];
  /** Of each directory with local files. */
  readonly nearest: readonly {
    readonly dir: string;
    readonly tsconfig: string | null;
    readonly manifest: string | null;
  }[];
  /** The nearest ones of all, and what they extend. */
  readonly configFiles: readonly FileDigest[];
  readonly moduleHash: string;
}

interface Index extends Provenance {
  readonly bundle: string;
}

export interface CachedModule {
  readonly entryUrl: string;
  readonly provenance: Provenance;
}

export class ModuleCache {
  readonly dir: string;
  readonly #prefix: string;

  constructor(tool: Tool, entry: string, dir = openCacheDir()) {
    this.dir = dir;
    this.#prefix = sha256Hex(
      JSON.stringify([FORMAT, tool.version, tool.root, tool.esbuildVersion, process.version, entry]),
    ).slice(0, 24);
  }

  /** The module as compiled before, if nothing it was made from has changed. A damaged cache counts as empty. */
  find(): CachedModule | undefined {
    try {
      const index = JSON.parse(readFileSync(this.#indexFile, "utf8")) as Index;
      const bundle = join(this.dir, index.bundle);
      const isValid =
        index.bundle === this.#bundleName(readFileSync(bundle)) &&
        index.files.every(isFileUnchanged) &&
        index.nearest.every(
          ({ dir, tsconfig, manifest }) => nearestTsconfig(dir) === tsconfig && nearestManifest(dir) === manifest,
        ) &&
        index.configFiles.every(isFileUnchanged) &&
        index.dependencies.every(isDependencyUnchanged) &&
        typeof index.moduleHash === "string";
      return isValid ? { entryUrl: pathToFileURL(bundle).href, provenance: index } : undefined;
    } catch {
      return undefined;
    }
  }

  /**
   * The bundle's name has the digest of its bytes, so an edited module is another module to Node, and a process that
   * started before the edit finds its own bundle again. `lasting: false` keeps it out of the index: the next start builds anew.
   */
  store(code: string, provenance: Provenance, lasting: boolean): CachedModule {
    const bundle = this.#bundleName(code);
    writeCacheFile(join(this.dir, bundle), code);
    if (lasting) writeCacheFile(this.#indexFile, JSON.stringify({ ...provenance, bundle } satisfies Index));
    this.#sweep(bundle);
    return { entryUrl: pathToFileURL(join(this.dir, bundle)).href, provenance };
  }

  get #indexFile(): string {
    return join(this.dir, `${this.#prefix}.json`);
  }

  #bundleName(code: string | Uint8Array): string {
    return `${this.#prefix}-${sha256Hex(code).slice(0, 24)}.mjs`;
  }

  /** A long run may still start workers from an older bundle: only very old ones are removed. */
  #sweep(current: string): void {
    for (const name of readdirSync(this.dir)) {
      if (!name.startsWith(this.#prefix) || name === current || name.endsWith(".json")) continue;
      const path = join(this.dir, name);
      const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
      if (age > STALE_BUNDLE_MS) rmSync(path, { force: true });
    }
  }
}

function isFileUnchanged(file: FileDigest): boolean {
  return digestFile(file.path) === file.digest;
}

let temporaries = 0;

/** Several processes may compile the same module at once: each writes under a temporary name of its own. */
export function writeCacheFile(path: string, text: string): void {
  const temporary = `${path}.${process.pid}-${temporaries++}-${Math.random().toString(36).slice(2)}.tmp`;
  replaceFile(path, text, { temporary, mode: 0o600 });
}
