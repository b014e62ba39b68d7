/** Why one file could not go to its shard; the others do. */
export class PlacingFailed extends Error {}

export const NOT_UTF8 = "its name is not valid UTF-8 and cannot be opened; rename it";
