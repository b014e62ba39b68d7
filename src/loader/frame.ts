import { readFileSync } from "node:fs";

const BEFORE = 2;
const AFTER = 1;
const WIDTH = 140;

/**
 * A few lines of `source` with a marker under `column`; both count from 1. Undefined when there is no such line.
 *
 *     11 | const a = 1;
 *   > 12 | const b = ;
 *        |           ^
 */
export function codeFrame(source: string, line: number, column: number, length = 1): string | undefined {
  const lines = source.split(/\r\n|[\n\r\u2028\u2029]/);
  const target = lines[line - 1];
  if (target === undefined) return undefined;
  const first = Math.max(1, line - BEFORE);
  const last = Math.min(lines.length, line + AFTER);
  const digits = String(last).length;
  // A line of a minified file is cut around the marker, and its neighbours in the same place.
  const from = column > WIDTH - 20 ? column - WIDTH / 2 : 0;
  const cut = (text: string) => printable(text.slice(from, from + WIDTH));
  const rows: string[] = [];
  for (let n = first; n <= last; n++) {
    const text = cut(lines[n - 1]!);
    if (n === last && n !== line && text.trim() === "") break;
    rows.push(`${n === line ? ">" : " "} ${String(n).padStart(digits)} | ${text}`.trimEnd());
    if (n !== line) continue;
    const indent = cut(target)
      .slice(0, Math.max(0, column - 1 - from))
      .replace(/[^\t]/g, " ");
    const marks = Math.max(1, Math.min(length, target.length - column + 1, WIDTH - indent.length));
    rows.push(`  ${" ".repeat(digits)} | ${indent}${"^".repeat(marks)}`);
  }
  return rows.join("\n");
}

/** The same of a file; undefined where it cannot be read. */
export function codeFrameOf(
  file: string,
  { line, column, length }: { readonly line: number; readonly column: number; readonly length?: number },
): string | undefined {
  try {
    return codeFrame(readFileSync(file, "utf8"), line, column, length);
  } catch {
    return undefined;
  }
}

/** Replaces each control character by one character, so that the marker keeps its place. */
function printable(text: string): string {
  return text.replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, "\ufffd");
}
