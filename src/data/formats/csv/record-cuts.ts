import type { DataFile } from "../../stores/store.js";
import type { Range, SliceSize } from "../format.js";

const NEWLINE = 10;

/**
 * Cuts a CSV file where records begin. A newline may stand in quotes, and only the quotes before it tell: the file is read for
 * them, up to the last cut. (A doubled quote counts as two, which changes nothing.)
 */
export async function recordCuts(file: DataFile, size: SliceSize, quote: string | null): Promise<Range[]> {
  const starts = await startsOf(file, size, quote);
  return [0, ...starts].map((from, i) => {
    const to = starts[i] ?? file.size;
    return { from, to, bytes: to - from };
  });
}

/** No text in UTF-8 has this byte. */
const NO_QUOTE = 0xff;

async function startsOf(file: DataFile, size: SliceSize, quote: string | null): Promise<number[]> {
  if (size.rows !== undefined) return startsEvery(file, size.rows, quote?.charCodeAt(0) ?? NO_QUOTE);
  const count = Math.max(1, Math.round(file.size / (size.bytes ?? file.size)));
  const targets = Array.from({ length: count - 1 }, (_, i) => Math.floor((file.size / count) * (i + 1)));
  return quote === null ? lineStarts(file, targets) : startsNear(file, targets, quote.charCodeAt(0));
}

/** Without quotes the next newline is enough. */
async function lineStarts(file: DataFile, targets: readonly number[]): Promise<number[]> {
  const starts: number[] = [];
  for (const target of targets) {
    if (target <= (starts.at(-1) ?? 0)) continue;
    let at = target - 1;
    for await (const chunk of file.stream(at, file.size, 1 << 16)) {
      const newline = chunk.indexOf(NEWLINE);
      at += newline < 0 ? chunk.length : newline + 1;
      if (newline >= 0) break;
    }
    if (at < file.size) starts.push(at);
  }
  return starts;
}

/** The first record behind each target. */
async function startsNear(file: DataFile, targets: readonly number[], quote: number): Promise<number[]> {
  const starts: number[] = [];
  if (targets.length === 0) return starts;
  let next = 0;
  const onEnd = (end: number): boolean => {
    if (end < file.size) starts.push(end);
    while (next < targets.length && targets[next]! <= end) next++;
    return next < targets.length;
  };
  await eachRecordEnd(file, quote, () => targets[next], onEnd);
  return starts;
}

async function startsEvery(file: DataFile, rows: number, quote: number): Promise<number[]> {
  const starts: number[] = [];
  // The header is not a row.
  let records = -1;
  let last = 0;
  await eachRecordEnd(
    file,
    quote,
    () => 0,
    (end) => {
      // An empty line is no record.
      if (end - last > 1 && ++records > 0 && records % rows === 0 && end < file.size) starts.push(end);
      last = end;
      return true;
    },
  );
  return starts;
}

/**
 * Calls back where records end: behind a newline outside of quotes. Ends before `from()` are passed over, quickly.
 * @param onEnd whether to go on
 */
async function eachRecordEnd(
  file: DataFile,
  quote: number,
  from: () => number | undefined,
  onEnd: (end: number) => boolean,
): Promise<void> {
  let at = 0;
  let isInside = false;
  for await (const chunk of file.stream(0, file.size)) {
    for (let i = 0; i < chunk.length; ) {
      const stop = Math.min(chunk.length, Math.max(i, (from() ?? Number.POSITIVE_INFINITY) - 1 - at));
      for (let found = chunk.indexOf(quote, i); found >= 0 && found < stop; found = chunk.indexOf(quote, found + 1))
        isInside = !isInside;
      i = stop;
      if (i >= chunk.length) break;
      const nextQuote = chunk.indexOf(quote, i);
      const newline = isInside ? -1 : chunk.indexOf(NEWLINE, i);
      if (nextQuote >= 0 && (newline < 0 || nextQuote < newline)) {
        isInside = !isInside;
        i = nextQuote + 1;
      } else if (newline >= 0) {
        i = newline + 1;
        if (!onEnd(at + i)) return;
      } else {
        break;
      }
    }
    at += chunk.length;
  }
}
