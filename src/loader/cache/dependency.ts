import { existsSync, readFileSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { sha256Hex } from "../../base/hash.js";
import { isBare, packageNameOf } from "../paths.js";
import { digestFile } from "./digest.js";

/** A direct dependency as it was found when the module was built. */
export interface Dependency {
  /** `name@version`; null for a linked package, whose files are compiled in and count themselves. */
  readonly id: string | null;
  /** The imported file. */
  readonly resolved: string;
  readonly manifest: string | null;
  readonly manifestDigest: string | null;
  /** Where the search for `name` began, and the package directory it ended in: shows a nearer copy or a moved link. */
  readonly from: string;
  readonly name: string | null;
  readonly foundAt: string | null;
}

export function describeDependency(specifier: string, from: string, resolved: string): Dependency {
  const name = isBare(specifier) ? packageNameOf(specifier) : null;
  const found = findManifest(resolved);
  return {
    id: found?.id ?? `${name ?? specifier}@unknown`,
    resolved,
    manifest: found?.path ?? null,
    manifestDigest: found?.digest ?? null,
    from,
    name,
    foundAt: name === null ? null : locatePackage(from, name),
  };
}

/** Undefined unless `specifier` names a package that is linked from a `node_modules` above `from`. */
export function describeLink(specifier: string, from: string, resolved: string): Dependency | undefined {
  const name = isBare(specifier) ? packageNameOf(specifier) : null;
  const foundAt = name && locatePackage(from, name);
  return foundAt ? { id: null, resolved, manifest: null, manifestDigest: null, from, name, foundAt } : undefined;
}

export function isDependencyUnchanged(was: Dependency): boolean {
  if (!existsSync(was.resolved)) return false;
  if (was.manifest !== null && digestFile(was.manifest) !== was.manifestDigest) return false;
  return was.name === null || locatePackage(was.from, was.name) === was.foundAt;
}

/** Node's own search: `node_modules/name` here, then in each directory above. */
function locatePackage(from: string, name: string): string | null {
  for (let dir = from; ; dir = dirname(dir)) {
    if (basename(dir) !== "node_modules") {
      try {
        return realpathSync(join(dir, "node_modules", name));
      } catch {
        // Not in this directory.
      }
    }
    if (dir === dirname(dir)) return null;
  }
}

/** The nearest package.json with the name of a package; those with only `{"type": "module"}` are passed over. */
function findManifest(file: string): { id: string; path: string; digest: string } | undefined {
  for (let dir = dirname(file); dir !== dirname(dir) && basename(dir) !== "node_modules"; dir = dirname(dir)) {
    const path = join(dir, "package.json");
    try {
      const bytes = readFileSync(path);
      const { name, version } = JSON.parse(bytes.toString("utf8")) as { name?: string; version?: string };
      if (name !== undefined) return { id: `${name}@${version ?? "unknown"}`, path, digest: sha256Hex(bytes) };
    } catch {
      // None here, or no valid JSON.
    }
  }
  return undefined;
}
