/** Why one file could not be placed in its shard; the others can. */
export class PlacingFailed extends Error {}

export const NOT_UTF8 = "its name is not valid UTF-8 and cannot be opened; rename it";

/** Node shows what it could not decode as U+FFFD, and the disk has no such name. */
export const isNotUtf8 = (key: string): boolean => key.includes("\ufffd");
