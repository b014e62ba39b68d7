import type { Row } from "../data/batch/batch.js";
import { DataOut } from "./data-out.js";
import { formatRows, rowAsJson } from "./records.js";
import { printJsonText } from "./stdout.js";

/** Rows on standard output: a table, or with --json one object. */
export async function printRows(
  rows: readonly Row[],
  columns: readonly string[] | undefined,
  json: boolean,
): Promise<void> {
  if (json) return void printJsonText(`{"rows":[${rows.map(rowAsJson).join(",")}]}`, { owed: true });
  const names = columns ?? [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const out = new DataOut();
  await out.line(rows.length === 0 ? "there are no rows" : formatRows(rows, names, process.stdout.columns ?? 120));
  await out.flush();
}
