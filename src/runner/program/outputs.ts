import type { OutputEntry, ResolvedModes } from "../../contracts/modes.js";
import type { FilesName } from "./item-files.js";

/** The outputs declared for one item; none without an output mode. */
export function outputsOf(
  modes: Pick<ResolvedModes, "outputMode"> | null,
  key: string,
  files: FilesName | undefined,
): readonly OutputEntry[] {
  const mode = modes?.outputMode;
  if (!mode) return [];
  return mode.definition.outputs(mode.fields, { key, relDir: ".", fileName: key, ...files });
}
