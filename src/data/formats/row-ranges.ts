import type { Range, SliceSize } from "./format.js";

/** A row group or record batch. */
interface RowGroupLike {
  readonly first: number;
  readonly rows: number;
  readonly bytes: number;
}

/**
 * Slices of a file that is read in groups of rows. By bytes: neighbouring groups together up to the size; a larger group is cut
 * evenly where `cutsGroups` says that reading from its middle is cheap. By rows: as many as asked for.
 */
export function groupRanges(
  groups: readonly RowGroupLike[],
  size: SliceSize,
  { fileBytes, cutsGroups }: { readonly fileBytes: number; readonly cutsGroups: boolean },
): Range[] {
  const total = groups.reduce((sum, { rows }) => sum + rows, 0);
  if (total === 0) return [{ from: 0, to: 0, bytes: fileBytes, rows: 0 }];
  if (size.rows !== undefined) return rowRanges(total, size.rows, fileBytes);
  const most = size.bytes ?? Number.POSITIVE_INFINITY;
  const ranges: { from: number; to: number; bytes: number; rows: number }[] = [];
  for (const group of groups) {
    const { first, rows, bytes } = group;
    if (rows === 0) continue;
    const last = ranges.at(-1);
    if (last && last.bytes + bytes <= most) {
      last.to += rows;
      last.rows += rows;
      last.bytes += bytes;
    } else if (cutsGroups && bytes > most) {
      ranges.push(...evenParts(group, Math.ceil(bytes / most)));
    } else {
      ranges.push({ from: first, to: first + rows, bytes, rows });
    }
  }
  return ranges;
}

function evenParts({ first, rows, bytes }: RowGroupLike, most: number): (Range & { rows: number })[] {
  const count = Math.min(most, rows);
  const border = (i: number): number => first + Math.floor((rows * i) / count);
  return Array.from({ length: count }, (_, i) => {
    const [from, to] = [border(i), border(i + 1)];
    return { from, to, bytes: Math.round((bytes * (to - from)) / rows), rows: to - from };
  });
}

function rowRanges(total: number, rows: number, fileBytes: number): Range[] {
  return Array.from({ length: Math.ceil(total / rows) }, (_, i) => {
    const [from, to] = [i * rows, Math.min(total, (i + 1) * rows)];
    return { from, to, bytes: Math.round((fileBytes * (to - from)) / total), rows: to - from };
  });
}
