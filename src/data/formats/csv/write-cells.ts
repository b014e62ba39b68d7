import { own } from "../../../base/own.js";
import type { Row } from "../../batch/batch.js";
import type { Features } from "../../features/feature.js";
import { isA, splitNullable } from "../../features/feature.js";
import { jsonValueText } from "../../features/json-text.js";
import { NotText } from "../../features/not-text.js";
import { timeConverter } from "../../features/time-texts.js";

interface Dialect {
  readonly delimiter: string;
  readonly quote: string | null;
}

/**
 * Rows as lines. Null is an empty field, the empty text is `""`; NaN and Infinity are `nan`, `inf` and `-inf`.
 *
 * An empty line is not a row, so null in the only column of a table is `""` as well.
 */
export function lineWriter(features: Features, dialect: Dialect): { head: string; line: (row: Row) => string } {
  const names = Object.keys(features);
  const isOnly = names.length === 1;
  const cells = names.map((name) => cellWriter(features, name, dialect, isOnly));
  const quoted = (text: string): string => quote(text, dialect);
  return {
    head: `${names.map(quoted).join(dialect.delimiter)}\n`,
    line: (row) => {
      const line = cells.map((cell, i) => cell(own(row, names[i]!))).join(dialect.delimiter);
      return line === "" ? `${emptyLine(dialect)}\n` : `${line}\n`;
    },
  };
}

function emptyLine({ quote: mark }: Dialect): string {
  if (mark !== null) return mark + mark;
  throw new NotText("an empty line is not a row, and there are no quotes: choose another quote, jsonl or parquet");
}

function cellWriter(features: Features, name: string, dialect: Dialect, isOnly: boolean): (value: unknown) => string {
  const { core, nullable } = splitNullable(features[name]!);
  const hasNoEmptyText = nullable && (isOnly || dialect.quote === null);
  const timeOf = timeConverter(core, name);
  return (given) => {
    const value = timeOf ? timeOf(given) : given;
    if (value === null || value === undefined) return "";
    if (isA(core, "Json")) return quote(jsonValueText(value, name), dialect);
    switch (typeof value) {
      case "string":
        if (value === "" && hasNoEmptyText)
          throw new NotText(`an empty text cannot be told from null in column ${name}: choose jsonl or parquet`);
        return quote(value, dialect);
      case "number":
        return Number.isFinite(value)
          ? String(Object.is(value, -0) ? "-0.0" : value)
          : Number.isNaN(value)
            ? "nan"
            : value > 0
              ? "inf"
              : "-inf";
      case "boolean":
      case "bigint":
        return String(value);
    }
    throw new NotText(`column ${name} is no number, text or time, which are all that CSV has: choose jsonl or parquet`);
  };
}

/** Quoted where it would be read as something else. */
function quote(text: string, { delimiter, quote: mark }: Dialect): string {
  const needs =
    text === "" ||
    text.includes(delimiter) ||
    /[\r\n]|^\s|\s$|^\ufeff/.test(text) ||
    (mark !== null && text.includes(mark));
  if (!needs) return text;
  if (mark === null) {
    if (text === "") return text;
    throw new NotText(
      `a text has the delimiter, a line break or blanks at its end, and there are no quotes: ${JSON.stringify(text.slice(0, 60))}`,
    );
  }
  return `${mark}${text.replaceAll(mark, mark + mark)}${mark}`;
}
