import { join, resolve } from "node:path";
import type { Item, WireGroup, WireTriplet } from "../../contracts/item.js";
import type { OutputEntry, OutputNaming, ResolvedModes, Root, Yields } from "../../contracts/modes.js";

/** The name of an item that is made of files. */
export type FilesName = Omit<OutputNaming, "key">;

/** What an output may be named after, besides the key. */
type ItemName = FilesName | Pick<OutputNaming, "record">;

export function nameOfItem(yields: Yields, item: Item): ItemName {
  return nameOfFiles(yields, item) ?? { record: item };
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

/** The files of an item, with the fields in which `process` gets them. */
export function filesOf(yields: Yields, item: Item): (readonly [field: string, file: WireTriplet])[] {
  if (yields === "record") return [];
  if (yields === "file") return [["input", item.input as WireTriplet]];
  const { root, rel_dir, files } = item.input as WireGroup;
  return Object.entries(files).map(([id, file_name]) => [`input_${id}`, { root, rel_dir, file_name }]);
}

/** The path of a file on this machine. */
export function pathOfFile(root: Root | undefined, { rel_dir, file_name, path }: WireTriplet): string {
  return path === undefined ? join(root!.inputPath, rel_dir, file_name) : resolve(path);
}

/** The outputs declared for one item; none without an output mode. */
export function outputsOf(
  modes: Pick<ResolvedModes, "outputMode"> | null,
  key: string,
  name: ItemName,
): readonly OutputEntry[] {
  const mode = modes?.outputMode;
  return mode ? mode.definition.outputs(mode.fields, { key, relDir: ".", fileName: key, ...name }) : [];
}

/** Has every field, each with a text: for naming outputs before there is an item. */
export const madeUpRecord: Item = new Proxy(
  {},
  { get: () => "name", getOwnPropertyDescriptor: () => ({ configurable: true, value: "name" }) },
);
