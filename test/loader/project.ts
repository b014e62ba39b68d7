import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import { KagurazakaError } from "../../src/base/errors.js";
import { type LoadedTask, loadTask } from "../../src/loader/index.js";

/** A directory with files of its own, and a cache of its own, for each test. */
export interface Project {
  readonly root: string;
  readonly cache: string;
  path(...parts: string[]): string;
  write(files: Readonly<Record<string, string>>): void;
  load(file: string, exportName?: string): Promise<LoadedTask>;
  refused(file: string, exportName?: string): Promise<KagurazakaError>;
}

/** What `process` of a task that needs neither item nor context returns. */
export const run = (task: LoadedTask): unknown => new task.taskClass().process(undefined, undefined as never);

export function useProject(): Project {
  let root = "";
  let cache = "";
  beforeEach(() => {
    root = realpathSync(mkdtempSync(join(tmpdir(), "kagurazaka-loader-")));
    // "dist" in the path: vitest hands such modules to Node, as the product does.
    cache = join(root, "cache", "dist");
    process.env.KAGURAZAKA_CACHE_DIR = cache;
  });
  afterEach(() => {
    delete process.env.KAGURAZAKA_CACHE_DIR;
    rmSync(root, { recursive: true, force: true });
  });
  const path = (...parts: string[]) => join(root, "project", ...parts);
  const load = (file: string, exportName?: string) => loadTask({ file: path(file), exportName });
  return {
    get root() {
      return root;
    },
    get cache() {
      return cache;
    },
    path,
    write(files) {
      for (const [name, text] of Object.entries(files)) {
        mkdirSync(dirname(path(name)), { recursive: true });
        writeFileSync(path(name), text);
      }
    },
    load,
    async refused(file, exportName) {
      try {
        await load(file, exportName);
      } catch (error) {
        if (KagurazakaError.is(error)) return error;
        throw error;
      }
      throw new Error(`${file} was loaded`);
    },
  };
}
