import { resolve } from "node:path";
import { STANDARD_INPUT } from "../src/kit.js";

/** The absolute path of a list, or `-` for standard input. A file of that name is `./-`. */
export const listSource = (path: string): string => (path === STANDARD_INPUT ? path : resolve(path));

/** The file that must exist for a list to be read; none for standard input. */
export const listFiles = (path: string): string[] => (path === STANDARD_INPUT ? [] : [resolve(path)]);

/** For the help of every field that names a list. */
export const LIST_HELP = ".gz and .zst too, - for standard input";
