import { readdirSync } from "node:fs";

/** The names in a directory, sorted; none where it cannot be read. */
export function readNames(dir: string): string[] {
  try {
    return readdirSync(dir).sort();
  } catch {
    return [];
  }
}
