import { relative, sep } from "node:path";

/** As a person would type it: relative when it lies below the working directory. */
export function displayPath(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere === "" || fromHere === ".." || fromHere.startsWith(`..${sep}`) ? path : fromHere;
}

export function isInside(path: string, dir: string): boolean {
  return path.startsWith(dir.endsWith(sep) ? dir : dir + sep);
}

/** The package directory of an installed file (`…/node_modules/name` of the innermost), "" for a file of no package. */
export function installedRoot(path: string): string {
  const at = path.lastIndexOf("/node_modules/");
  if (at < 0) return "";
  const start = at + "/node_modules/".length;
  return path.slice(0, start) + packageNameOf(path.slice(start));
}

/** `@scope/name/sub/path` → `@scope/name`. */
export function packageNameOf(specifier: string): string {
  return specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
}

/** A package's name, not a path, not a `#` alias, not a URL. */
export function isBare(specifier: string): boolean {
  return !/^(?:[./#]|[a-z][a-z\d+.-]*:)/i.test(specifier) && specifier !== "";
}
