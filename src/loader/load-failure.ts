import { readFileSync } from "node:fs";
import { SourceMap } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { KagurazakaError } from "../base/errors.js";
import { codeFrameOf } from "./frame.js";
import { displayPath } from "./paths.js";

interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** The error of a module that throws while it is loaded, with the place in the user's own file. */
export function loadFailure(
  thrown: unknown,
  entryUrl: string,
  sourcePath: string,
  files: readonly string[],
): KagurazakaError {
  const at = findPosition(thrown, entryUrl, files);
  const place = {
    where: at && `${displayPath(at.file)}:${at.line}:${at.column}`,
    frame: at && codeFrameOf(at.file, at),
  };
  if (KagurazakaError.is(thrown)) {
    const { code, message, hint } = thrown;
    return new KagurazakaError(code, message, {
      where: thrown.where ?? place.where,
      frame: thrown.frame ?? place.frame,
      hint,
      cause: thrown,
    });
  }
  const absent =
    thrown instanceof SyntaxError ? /Named export '(.*)' not found|export named '(.*)'/.exec(thrown.message) : null;
  const hint =
    absent === null
      ? undefined
      : `If the package is CommonJS, import it whole: import pkg from "…"; const { ${absent[1] ?? absent[2]} } = pkg;`;
  const said = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : `${String(thrown)} (not an Error)`;
  return new KagurazakaError("task-load", `${displayPath(sourcePath)} throws while loading: ${said}`, {
    ...place,
    hint,
    cause: thrown,
  });
}

/** The topmost stack line that lies in the user's files, whether or not Node has already mapped it. */
function findPosition(thrown: unknown, entryUrl: string, files: readonly string[]): Position | undefined {
  const stack = thrown instanceof Error && typeof thrown.stack === "string" ? thrown.stack : "";
  const compiled = [entryUrl, fileURLToPath(entryUrl)];
  const own = files.flatMap((file) => [file, pathToFileURL(file).href]);
  for (const line of stack.split("\n")) {
    const mapped = positionIn(line, own);
    if (mapped !== undefined)
      return { ...mapped, file: mapped.file.startsWith("file:") ? fileURLToPath(mapped.file) : mapped.file };
    const raw = positionIn(line, compiled);
    const original = raw && toOriginal(raw, entryUrl);
    if (original !== undefined) return original;
  }
  return undefined;
}

function positionIn(line: string, names: readonly string[]): Position | undefined {
  for (const file of names) {
    const start = line.indexOf(`${file}:`);
    if (start < 0) continue;
    const numbers = /^:(\d+)(?::(\d+))?/.exec(line.slice(start + file.length));
    if (numbers) return { file, line: Number(numbers[1]), column: Number(numbers[2] ?? 1) };
  }
  return undefined;
}

function toOriginal({ line, column }: Position, entryUrl: string): Position | undefined {
  try {
    const code = readFileSync(fileURLToPath(entryUrl), "utf8");
    const inline = /\/\/# sourceMappingURL=data:application\/json;base64,(.*)\n?$/.exec(code)?.[1];
    if (inline === undefined) return undefined;
    const found = new SourceMap(JSON.parse(Buffer.from(inline, "base64").toString())).findEntry(line - 1, column - 1);
    if (!("originalSource" in found)) return undefined;
    return {
      file: fileURLToPath(found.originalSource),
      line: found.originalLine + 1,
      column: found.originalColumn + 1,
    };
  } catch {
    return undefined;
  }
}
