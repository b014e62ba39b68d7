import { resolve } from "node:path";

/** Standard input, in place of a path. */
export const STANDARD_INPUT = "-";

/** Where a list lies: absolute, or standard input. A file of that name is `./-`. */
export const listSource = (path: string): string => (path === STANDARD_INPUT ? path : resolve(path));

/** The file that must exist for a list to be read; none for standard input. */
export const listFiles = (path: string): string[] => (path === STANDARD_INPUT ? [] : [resolve(path)]);

/** A list as messages name it. */
export const listName = (source: string): string => (source === STANDARD_INPUT ? "stdin" : source);

/** What every field that names a list says of it. */
export const LIST_HELP = ".gz and .zst too, - for standard input";
