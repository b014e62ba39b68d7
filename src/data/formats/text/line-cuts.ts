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
  packing === "none" ? undefined : `a file packed by ${packing} cannot be opened in its middle`;

/** As many lines in each as asked for, blank ones not counted. Reads the file. */
export async function lineCuts(file: DataFile, sliceRows: number): Promise<Range[]> {
  const starts = [0];
  let rows = 0;
  let at = 0;
  let lineStart = 0;
  for await (const chunk of file.stream(0, file.size)) {
    for (let newline = chunk.indexOf(10); newline >= 0; newline = chunk.indexOf(10, newline + 1)) {
      const end = at + newline + 1;
      if (end - lineStart > 1 && ++rows % sliceRows === 0) starts.push(end);
      lineStart = end;
    }
    at += chunk.length;
  }
  if (starts.length > 1 && starts.at(-1) === file.size) starts.pop();
  return starts.map((from, i) => {
    const to = starts[i + 1] ?? file.size;
    return { from, to, bytes: to - from };
  });
}

/** How many lines come before the first one that begins at a byte or behind it. */
export async function lineNumberAt(file: DataFile, from: number): Promise<number> {
  let lines = 0;
  for await (const chunk of file.stream(0, from - 1))
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines++;
  // And the line that ends at the byte before, or goes on into the range.
  return lines + 1;
}
