import type { DataFile } from "../../stores/store.js";
import type { Packing, Range } from "../format.js";

/** About as many bytes in each as asked for. A cut may fall into a line: it belongs to the range that it begins in. */
export function evenCuts(size: number, sliceBytes: number): Range[] {
  const count = Math.max(1, Math.round(size / sliceBytes));
  const cut = (i: number): number => Math.floor((size / count) * i);
  return Array.from({ length: count }, (_, i) => {
    const [from, to] = [cut(i), i === count - 1 ? size : cut(i + 1)];
    return { from, to, bytes: to - from };
  });
}

export const wholeFile = (size: number): Range => ({ from: 0, to: size, bytes: size });

/** Why a packed file is one slice. */
export const packedReason = (packing: Packing): string | undefined =>
  packing === "none" ? undefined : `a ${packing}-compressed file cannot be opened in its middle`;

/** Whether a line without text is a row, or nothing. */
export type BlankLines = "rows" | "skipped";

/** As many rows in each as asked for; a row is a line. Reads the file. */
export async function lineCuts(file: DataFile, sliceRows: number, blankLines: BlankLines): Promise<Range[]> {
  const starts = [0];
  let rows = 0;
  let at = 0;
  /** Of the line that is looked at. */
  let start = 0;
  let isRow = blankLines === "rows";
  const onRow = (): void => {
    if (rows > 0 && rows % sliceRows === 0) starts.push(start);
    rows++;
  };
  for await (const chunk of file.stream(0, file.size)) {
    for (let from = 0; from < chunk.length; ) {
      const newline = chunk.indexOf(10, from);
      const end = newline < 0 ? chunk.length : newline;
      isRow ||= hasText(chunk, from, end);
      if (newline < 0) break;
      if (isRow) onRow();
      isRow = blankLines === "rows";
      from = newline + 1;
      start = at + from;
    }
    at += chunk.length;
  }
  if (isRow && start < file.size) onRow();
  return starts.map((from, i) => {
    const to = starts[i + 1] ?? file.size;
    return { from, to, bytes: to - from };
  });
}

/** Blanks are those of `trim` in ASCII. */
function hasText(bytes: Buffer, from: number, to: number): boolean {
  for (let i = from; i < to; i++) {
    const byte = bytes[i]!;
    if (byte !== 32 && (byte < 9 || byte > 13)) return true;
  }
  return false;
}

/** How many lines come before the first one that begins at a byte or behind it. */
export async function lineNumberAt(file: DataFile, from: number): Promise<number> {
  let lines = 0;
  for await (const chunk of file.stream(0, from - 1))
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines++;
  // And the line that ends at the byte before, or goes on into the range.
  return lines + 1;
}
