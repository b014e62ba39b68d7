import { resolve } from "node:path";
import { STANDARD_INPUT } from "../src/kit.js";

/** Where a list lies: absolute, or standard input. A file of that name is `./-`. */
export const listSource = (path: string): string => (path === STANDARD_INPUT ? path : resolve(path));

/** The file that must exist for a list to be read; none for standard input. */
export const listFiles = (path: string): string[] => (path === STANDARD_INPUT ? [] : [resolve(path)]);

/** What every field that names a list says of it. */
export const LIST_HELP = ".gz and .zst too, - for standard input";
