import { statSync } from "node:fs";
import { encodeItem } from "../../base/canonical-json.js";
import { sha256Hex } from "../../base/hash.js";
import type { ModeDefinition, ResolvedMode } from "../../contracts/modes.js";
import type { PreparedRun } from "../prepare/prepared-run.js";
import { optionsHashOf } from "./run-record.js";

/**
 * Identity of the input of a hard shard: two runs with the same hash list the same items with the same outputs. Undefined
 * where that is unknown, as for lines from stdin. It covers size and time of the files that an input mode reads, and all
 * options of a task that lists its items itself.
 */
export function inputHashOf({ program }: PreparedRun, shard: number): string | undefined {
  const { inputMode, outputMode } = program.modes ?? {};
  const root = program.roots[shard];
  const paths = [root?.inputPath ?? null, root?.outputPath ?? null];
  if (!inputMode) return shortHash([optionsHashOf(program), paths]);
  const files = inputMode.definition.files?.(inputMode.fields);
  if (files?.length === 0) return undefined;
  const stamps = files?.map((file) => {
    const stat = statSync(file, { throwIfNoEntry: false });
    return [file, stat?.size ?? -1, stat?.mtimeMs ?? -1];
  });
  return shortHash([meaningOf(inputMode), meaningOf(outputMode), paths, stamps ?? null]);
}

const meaningOf = (mode: ResolvedMode<ModeDefinition> | null | undefined) =>
  mode ? [mode.definition.name, mode.fields] : null;

const shortHash = (value: unknown): string => sha256Hex(encodeItem(value)).slice(0, 16);
