import { SourceMap } from "node:module";

/** A source map as esbuild writes it, with the text of the sources. */
export interface RawMap {
  sources: string[];
  sourcesContent?: string[];
  mappings: string;
  file?: string;
}

/** Replaces `length` characters of one line of generated code. */
export interface Edit {
  readonly at: number;
  readonly length: number;
  readonly text: string;
}

/** Changes generated code and moves the columns of its source map along. Lines stay what they are. */
export function applyEdits(code: string, mappings: string, edits: readonly Edit[]): { code: string; mappings: string } {
  const sorted = [...edits].sort((a, b) => a.at - b.at);
  const maps = mappings.split(";");
  let start = 0;
  let next = 0;
  const lines = code.split("\n").map((line, number) => {
    const end = start + line.length;
    const first = next;
    let changed = "";
    let from = start;
    for (; next < sorted.length && sorted[next]!.at <= end; next++) {
      const { at, length, text } = sorted[next]!;
      changed += code.slice(from, at) + text;
      from = at + length;
    }
    if (next > first) maps[number] = shiftColumns(maps[number] ?? "", sorted.slice(first, next), start);
    start = end + 1;
    return changed + code.slice(from, end);
  });
  return { code: lines.join("\n"), mappings: maps.join(";") };
}

/** The first number of each segment is its column, counted from that of the segment before. */
function shiftColumns(segments: string, edits: readonly Edit[], lineStart: number): string {
  let was = 0;
  let is = 0;
  let next = 0;
  let moved = 0;
  let replacedUntil = 0;
  return segments
    .split(",")
    .map((segment) => {
      const [first = "", value] = readNumber(segment);
      if (first === "") return segment;
      was += value;
      for (; next < edits.length && edits[next]!.at - lineStart < was; next++) {
        const { at, length, text } = edits[next]!;
        moved += text.length - length;
        replacedUntil = at - lineStart + length;
      }
      // What lay inside replaced text lies at its end.
      const column = Math.max(was, replacedUntil) + moved;
      const shifted = writeNumber(column - is) + segment.slice(first.length);
      is = column;
      return shifted;
    })
    .join(",");
}

const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** A number of base64 digits, lowest first, five bits in each, and the sign in the lowest bit of all. */
function readNumber(segment: string): [written: string, value: number] {
  let bits = 0;
  let length = 0;
  for (let more = true; more && length < segment.length; length++) {
    const digit = digits.indexOf(segment[length]!);
    bits += (digit & 31) * 32 ** length;
    more = digit >= 32;
  }
  const size = Math.floor(bits / 2);
  return [segment.slice(0, length), bits % 2 === 1 ? -size : size];
}

function writeNumber(value: number): string {
  let bits = Math.abs(value) * 2 + (value < 0 ? 1 : 0);
  let written = "";
  do {
    const rest = Math.floor(bits / 32);
    written += digits[(bits % 32) + (rest > 0 ? 32 : 0)];
    bits = rest;
  } while (bits > 0);
  return written;
}

/** What the sources have around the place that a position of the generated code comes from. */
export function readOriginals(
  code: string,
  map: RawMap,
): (at: number) => { before: string; after: string } | undefined {
  const starts = [0];
  for (let end = code.indexOf("\n"); end >= 0; end = code.indexOf("\n", end + 1)) starts.push(end + 1);
  const found = new SourceMap({ version: 3, names: [], sourceRoot: "", file: "", ...map } as never);
  const texts = new Map(map.sources.map((source, i) => [source, (map.sourcesContent?.[i] ?? "").split("\n")]));
  return (at) => {
    let low = 0;
    for (let high = starts.length; high - low > 1; ) {
      const middle = (low + high) >> 1;
      if (starts[middle]! <= at) low = middle;
      else high = middle;
    }
    const entry = found.findEntry(low, at - starts[low]!);
    if (!("originalSource" in entry) || entry.generatedLine !== low) return undefined;
    // The place of a statement is that of its indentation.
    if (code.slice(starts[low]! + entry.generatedColumn, at).trim() !== "") return undefined;
    const line = texts.get(entry.originalSource)?.[entry.originalLine] ?? "";
    return { before: line.slice(0, entry.originalColumn), after: line.slice(entry.originalColumn) };
  };
}
