import { statSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { KagurazakaError } from "../../base/errors.js";
import { didYouMean } from "../../base/nearest.js";
import { readNames } from "../../base/read-names.js";
import { snakeName } from "../../config/text/names.js";
import type { Fields, InputDefinition, ResolvedMode } from "../../contracts/modes.js";

/** The mistakes about files that an input mode reads (lists, tables), seen before anything is written. */
export function checkInputFiles(mode: ResolvedMode<InputDefinition> | null | undefined): KagurazakaError[] {
  if (!mode) return [];
  return (mode.definition.files?.(mode.fields) ?? []).flatMap((file) => {
    const stat = statSync(file, { throwIfNoEntry: false });
    if (stat && !stat.isDirectory()) return [];
    const where = `input_mode${fieldOf(file, mode.fields)}`;
    if (stat)
      return [new KagurazakaError("input-root", `the input list ${file} is a directory, not a file`, { where })];
    const message = `the input list ${file} does not exist.${didYouMean(basename(file), readNames(dirname(file)))}`;
    return [
      new KagurazakaError("input-root", message, {
        where,
        hint: "Relative paths are relative to the working directory.",
      }),
    ];
  });
}

/** `.csv_path`: whoever gave the name has to find it again. */
function fieldOf(file: string, fields: Fields): string {
  const found = Object.entries(fields).find(([, value]) => typeof value === "string" && resolve(value) === file);
  return found ? `.${snakeName(found[0])}` : "";
}
