import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { basename, dirname, join } from "node:path";

const real = { existsSync: fs.existsSync, lstatSync: fs.lstatSync, statSync: fs.statSync };

/** From now on the last name of a path is looked up as macOS or exFAT do, without regard to case. */
export function foldNames(): void {
  const found = (path: fs.PathLike): string => {
    const [dir, name] = [dirname(String(path)), basename(String(path))];
    if (!real.existsSync(dir)) return String(path);
    const names = fs.readdirSync(dir);
    return join(dir, names.includes(name) ? name : (names.find((one) => isSame(one, name)) ?? name));
  };
  Object.assign(fs, {
    existsSync: (path: string) => real.existsSync(found(path)),
    lstatSync: (path: string, options?: fs.StatSyncOptions) => real.lstatSync(found(path), options),
    statSync: (path: string, options?: fs.StatSyncOptions) => real.statSync(found(path), options),
  });
  syncBuiltinESMExports();
}

const isSame = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

export function unfoldNames(): void {
  Object.assign(fs, real);
  syncBuiltinESMExports();
}
