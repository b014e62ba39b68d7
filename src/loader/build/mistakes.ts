import { builtinModules } from "node:module";
import { basename, dirname, resolve } from "node:path";
import type { BuildFailure, Message } from "esbuild";
import { KagurazakaError, MistakesError } from "../../base/errors.js";
import { didYouMean } from "../../base/nearest.js";
import { readNames } from "../../base/read-names.js";
import { codeFrameOf } from "../frame.js";
import { displayPath, isBare, packageNameOf } from "../paths.js";
import type { Met } from "./plugin.js";

const MAX_MISTAKES = 10;

interface Place {
  readonly file: string;
  readonly line: number;
  /** Counts from 1, in characters. */
  readonly column: number;
  readonly length: number;
}

/** Throws all that esbuild refused, in words of this tool. */
export function throwBuildMistakes(failure: Pick<BuildFailure, "errors" | "warnings">, entry: string, met: Met): never {
  if (!Array.isArray(failure.errors)) throw failure;
  const asides = failure.warnings
    .filter((warning) => warning.location?.file.endsWith(".json"))
    .map((warning) => warning.text);
  const mistakes = failure.errors.slice(0, MAX_MISTAKES).map((message) => describe(message, entry, met, asides));
  MistakesError.throwIfAny(mistakes);
  throw failure;
}

function describe(message: Message, entry: string, met: Met, asides: readonly string[]): KagurazakaError {
  const place = placeOf(message, dirname(entry), met);
  const file = place?.file ?? entry;
  const missing = /^Could not resolve "(.*)"/s.exec(message.text)?.[1];
  const notes = [
    ...message.notes.map((note) => note.text).filter((text) => !text.startsWith("You can mark the path")),
    ...asides,
  ];
  const { text, hint } =
    missing === undefined
      ? { text: message.text, hint: hintFor(message.text) ?? (notes.join(" ") || undefined) }
      : describeMissing(missing, dirname(file), notes);
  return new KagurazakaError("task-load", `${displayPath(file)}: ${text}`, {
    where: place && `${displayPath(place.file)}:${place.line}:${place.column}`,
    frame: place && codeFrameOf(place.file, place),
    hint,
    cause: message.detail instanceof Error ? message.detail : undefined,
  });
}

function hintFor(text: string): string | undefined {
  if (text.startsWith("No loader is configured"))
    return 'Data is read, not imported: readFile(new URL("./name", import.meta.url)).';
  if (text.startsWith("Parameter decorators"))
    return "The task file, and files that import kagurazaka, have standard (TC39) decorators. Move this class to a file of its own.";
  return undefined;
}

function describeMissing(specifier: string, dir: string, notes: readonly string[]): { text: string; hint: string } {
  const text = `cannot find "${specifier}"`;
  const why = notes.length === 0 ? "" : ` (${notes.join(" ")})`;
  if (!isBare(specifier)) {
    const folder = dirname(resolve(dir, specifier));
    const near = didYouMean(basename(specifier), readNames(folder));
    return {
      text: `${text}.${near}`,
      hint: `Paths count from the importing file: there is no ${resolve(dir, specifier)}.${why}`,
    };
  }
  if (readNames(dir).includes(specifier))
    return { text, hint: `A file beside the importing one is imported as "./${specifier}".` };
  const name = packageNameOf(specifier);
  const near = didYouMean(specifier, [
    "kagurazaka",
    "kagurazaka/kit",
    "kagurazaka/data",
    "kagurazaka/testing",
    ...builtinModules,
  ]);
  if (name === "kagurazaka" || notes.length > 0) return { text: `${text}.${near}`, hint: notes.join(" ") };
  return {
    text: `${text}.${near}`,
    hint: `Packages are looked for in node_modules from ${dir} upwards: run "npm install ${name}" there, or correct the name.`,
  };
}

/** esbuild counts columns in bytes, and `hereVariables` may stand in front of the first line. */
function placeOf({ location }: Message, workingDir: string, met: Met): Place | undefined {
  if (location === null) return undefined;
  const file = resolve(workingDir, location.file);
  const bytes = Buffer.from(location.lineText);
  const before = bytes.subarray(0, location.column).toString().length;
  const length = bytes.subarray(location.column, location.column + location.length).toString().length;
  const shift = location.line === 1 ? (met.shifted.get(file) ?? 0) : 0;
  return { file, line: location.line, column: Math.max(0, before - shift) + 1, length: Math.max(1, length) };
}
