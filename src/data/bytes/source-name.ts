/** In place of a path: what is piped into this process. A file of that name is `./-`. */
export const STANDARD_INPUT = "-";

/** A source of bytes as messages name it. */
export const nameOfSource = (source: string): string => (source === STANDARD_INPUT ? "stdin" : source);
