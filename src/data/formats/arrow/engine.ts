/** The one file that loads apache-arrow. */
export type ArrowEngine = typeof import("apache-arrow");

let loaded: Promise<ArrowEngine> | undefined;

export function loadArrow(): Promise<ArrowEngine> {
  loaded ??= import("apache-arrow");
  return loaded;
}
