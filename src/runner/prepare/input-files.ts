import { basename, dirname, resolve } from "node:path";
import { statIfThere } from "../../base/disk.js";
import { KagurazakaError } from "../../base/errors.js";
import { didYouMean } from "../../base/nearest.js";
import { readNames } from "../../base/read-names.js";
import { snakeName } from "../../config/text/names.js";
import type { Fields, InputDefinition, ResolvedMode } from "../../contracts/modes.js";

/** Mistakes about the files that an input mode reads (lists, tables), found before anything is written. */
export function checkInputFiles(mode: ResolvedMode<InputDefinition> | null | undefined): KagurazakaError[] {
  if (!mode) return [];
  return (mode.definition.files?.(mode.fields) ?? []).flatMap((file) => {
    const stat = statIfThere(file);
    if (stat && !stat.isDirectory()) return [];
    const where = `input_mode${fieldOf(file, mode.fields)}`;
    if (stat)
      return [new KagurazakaError("input-root", `the input list ${file} is a directory, not a file`, { where })];
    const message = `the input list ${file} does not exist.${didYouMean(basename(file), readNames(dirname(file)))}`;
    const hint = "Relative paths are relative to the working directory.";
    return [new KagurazakaError("input-root", message, { where, hint })];
  });
}

/** The field that names the file, as `.csv_path`. */
function fieldOf(file: string, fields: Fields): string {
  const found = Object.entries(fields).find(([, value]) => typeof value === "string" && resolve(value) === file);
  return found ? `.${snakeName(found[0])}` : "";
}
