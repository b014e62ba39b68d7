import { KagurazakaError } from "../../base/errors.js";

/** A text, or null for an empty cell without quotes, where the dialect tells it from `""`. */
export type CsvCell = string | null;

export interface CsvDialect<Cell extends CsvCell = string> {
  /** One character. */
  readonly delimiter: string;
  /** One character; null: quotes are plain letters. */
  readonly quote: string | null;
  /** What an empty cell without quotes is: "" or null. */
  readonly empty: Cell;
  /** Rows may have any number of cells: the caller looks at it. @defaultValue false */
  readonly ragged?: boolean;
  /** The text begins a file: a byte order mark is no part of it. @defaultValue true */
  readonly isStart?: boolean;
  /** A longer row is an error rather than a full memory. @defaultValue 64 Mi */
  readonly maxRowCharacters?: number;
}

/** @throws KagurazakaError `bad-value` */
export function checkDialect({ delimiter, quote }: Pick<CsvDialect, "delimiter" | "quote">): void {
  for (const [name, value] of Object.entries({ delimiter, quote }))
    if (value !== null && (value.length !== 1 || value === "\n" || value === "\r"))
      throw new KagurazakaError("bad-value", `${name} must be one character, not ${JSON.stringify(value)}`);
  if (delimiter === quote)
    throw new KagurazakaError("bad-value", `delimiter and quote are both ${JSON.stringify(quote)}`);
}
