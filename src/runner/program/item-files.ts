import { join, resolve } from "node:path";
import type { Item, WireGroup, WireTriplet } from "../../contracts/item.js";
import type { Root, Yields } from "../../contracts/modes.js";

/** What an item that is made of files is called. */
export interface FilesName {
  readonly relDir: string;
  /** Of a group: its stem. */
  readonly fileName: string;
  /** Of a group, whose name has no extension to take off. */
  readonly stem?: string;
}

/** Undefined for records. */
export function nameOfFiles(yields: Yields, item: Item): FilesName | undefined {
  if (yields === "file") {
    const { rel_dir, file_name } = item.input as WireTriplet;
    return { relDir: rel_dir, fileName: file_name };
  }
  if (yields === "record") return undefined;
  const { rel_dir, stem } = item.input as WireGroup;
  return { relDir: rel_dir, fileName: stem, stem };
}

/** Each file of an item, by the field it is injected as. */
export function filesOf(yields: Yields, item: Item): (readonly [field: string, file: WireTriplet])[] {
  if (yields === "record") return [];
  if (yields === "file") return [["input", item.input as WireTriplet]];
  const { root, rel_dir, files } = item.input as WireGroup;
  return Object.entries(files).map(([id, file_name]) => [`input_${id}`, { root, rel_dir, file_name }]);
}

/** Where a file lies on this side of the border. */
export function pathOfFile(root: Root | undefined, { rel_dir, file_name, path }: WireTriplet): string {
  return path === undefined ? join(root!.inputPath, rel_dir, file_name) : resolve(path);
}
