import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach } from "vitest";

const made: string[] = [];
afterEach(() => {
  for (const path of made.splice(0)) rmSync(path, { recursive: true, force: true });
});

/** A directory that goes away with the test. */
export function createDirectory(): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), "kagurazaka-data-")));
  made.push(path);
  return path;
}

/** Files by relative path; a value `-> target` makes a symlink, a path ending in `/` a directory. */
export function createTree(files: Readonly<Record<string, string>>, root = createDirectory()): string {
  for (const [path, content] of Object.entries(files)) {
    const full = join(root, path);
    mkdirSync(path.endsWith("/") ? full : dirname(full), { recursive: true });
    if (path.endsWith("/")) continue;
    if (content.startsWith("-> ")) symlinkSync(content.slice(3), full);
    else writeFileSync(full, content);
  }
  return root;
}

/** All paths of a listing, in its order. */
export async function pathsOf(
  listing:
    | Iterable<{ relDir: string; names: readonly string[] }>
    | AsyncIterable<{ relDir: string; names: readonly string[] }>,
): Promise<string[]> {
  const paths: string[] = [];
  for await (const { relDir, names } of listing) {
    for (const name of names) paths.push(relDir === "." ? name : `${relDir}/${name}`);
  }
  return paths;
}
