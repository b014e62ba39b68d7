/** In place of a path: standard input. A file of that name is `./-`. */
export const STANDARD_INPUT = "-";

/** A source of bytes as messages name it. */
export const nameOfSource = (source: string): string => (source === STANDARD_INPUT ? "stdin" : source);
