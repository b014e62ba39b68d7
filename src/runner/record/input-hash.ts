import { statSync } from "node:fs";
import { encodeItem } from "../../base/canonical-json.js";
import { sha256Hex } from "../../base/hash.js";
import type { ModeDefinition, ResolvedMode } from "../../contracts/modes.js";
import type { PreparedRun } from "../prepare/prepared-run.js";
import { optionsHashOf } from "./run-record.js";

/**
 * Which items a run of this hard shard could list, and what their outputs are called: runs for which it is the same have
 * looked at the same ones. Undefined where that cannot be told, as of lines from stdin. A list that was written anew is
 * another one, and so are all the options of a task that lists its items itself.
 */
export function inputHashOf({ program }: PreparedRun, shard: number): string | undefined {
  const { inputMode, outputMode } = program.modes ?? {};
  const root = program.roots[shard];
  const where = [root?.inputPath ?? null, root?.outputPath ?? null];
  if (!inputMode) return shortHash([optionsHashOf(program), where]);
  const files = inputMode.definition.files?.(inputMode.fields);
  if (files?.length === 0) return undefined;
  const stamps = files?.map((file) => {
    const stat = statSync(file, { throwIfNoEntry: false });
    return [file, stat?.size ?? -1, stat?.mtimeMs ?? -1];
  });
  return shortHash([meaningOf(inputMode), meaningOf(outputMode), where, stamps ?? null]);
}

const meaningOf = (mode: ResolvedMode<ModeDefinition> | null | undefined) =>
  mode ? [mode.definition.name, mode.fields] : null;

const shortHash = (value: unknown): string => sha256Hex(encodeItem(value)).slice(0, 16);
