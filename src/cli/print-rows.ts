import type { Row } from "../data/batch/batch.js";
import { DataOut } from "./data-out.js";
import { formatRows, note, rowAsJson } from "./records.js";
import { printJsonText } from "./stdout.js";

/** Rows on standard output: a table, or with --json one object. */
export async function printRows(
  rows: readonly Row[],
  columns: readonly string[] | undefined,
  json: boolean,
): Promise<void> {
  if (json) return printAsJson(rows);
  const names = columns ?? [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const out = new DataOut();
  await out.line(rows.length === 0 ? "there are no rows" : formatRows(rows, names, process.stdout.columns ?? 120));
  await out.flush();
}

function printAsJson(rows: readonly Row[]): void {
  const changed = new Map<string, { readonly first: string; count: number }>();
  const onChanged = (column: string, value: string): void => {
    const known = changed.get(column);
    if (known) known.count++;
    else changed.set(column, { first: value, count: 1 });
  };
  printJsonText(`{"rows":[${rows.map((row) => rowAsJson(row, onChanged)).join(",")}]}`, { owed: true });
  for (const [column, { first, count }] of changed) {
    const others = count === 1 ? "" : `, as ${count - 1} more ${count === 2 ? "is" : "are"}`;
    const what = first === "a value" ? "a value is printed as text" : `${first} is printed as null`;
    note(`column ${column}: ${what}${others}, because JSON cannot represent it`);
  }
}
