import { CsvError, Parser } from "csv-parse";
import type { LineFailure } from "./bytes/text-blocks.js";

interface CsvFormat {
  readonly delimiter: string;
  /** null: quotes are plain letters. */
  readonly quote: string | null;
  /** Rows may have any number of fields: the caller looks at it. @defaultValue false */
  readonly ragged?: boolean;
}

/** What is wrong with a row, and in which line it is. */
interface RowFailure extends LineFailure {
  readonly line: number;
}

const MAX_ROW_CHARACTERS = 64 << 20;

/**
 * csv-parse with its rows taken where it makes them: the queue of its stream, which passes rows on one at a time, costs a tenth
 * of its speed, and its way of making objects of rows a third.
 */
class RowParser extends Parser {
  rows: string[][] = [];
  /** The lines that the rows ended in. */
  lines: number[] = [];
  /** The lines the first row and the last one ended in, and how many fields they have. */
  firstLine = 0;
  lastLine = 0;
  width = 0;

  override push(row: string[] | null): boolean {
    if (row === null) return super.push(null);
    this.rows.push(row);
    this.lastLine = this.info.lines;
    this.lines.push(this.lastLine);
    if (this.width > 0) return true;
    this.width = row.length;
    this.firstLine = this.lastLine;
    return true;
  }
}

/** Bytes in, rows out. */
export class CsvRows {
  readonly #parser: RowParser;
  /** The parser counts CRLF inside quotes as two lines. */
  #doubled = 0;
  #failure: Error | undefined;
  /** The lines that the rows of the last call ended in. */
  lines: readonly number[] = [];

  constructor({ delimiter, quote, ragged = false }: CsvFormat) {
    this.#parser = new RowParser({
      bom: true,
      delimiter,
      quote,
      // It refuses an escape without a quote.
      escape: quote,
      skip_empty_lines: true,
      record_delimiter: ["\r\n", "\n", "\r"],
      max_record_size: MAX_ROW_CHARACTERS,
      relax_column_count: ragged,
    });
    this.#parser.on("error", (error) => (this.#failure = error));
  }

  /** The line of the first row: blank ones may stand before it. */
  get firstLine(): number {
    return this.#parser.firstLine;
  }

  /** The line of the last row. */
  get line(): number {
    return this.#parser.lastLine - this.#doubled;
  }

  /** How many fields the first row has, and so all others. */
  get width(): number {
    return this.#parser.width;
  }

  /** The rows that end in these bytes, which are kept. Look at `failure` after it. */
  async push(bytes: Buffer): Promise<string[][]> {
    await new Promise<void>((resolve) => this.#parser.write(bytes, () => resolve()));
    return this.#drain(bytes.includes(RETURN));
  }

  /** The last row, if no newline ended it. */
  async end(): Promise<string[][]> {
    await new Promise<void>((resolve) => {
      this.#parser.once("close", resolve);
      this.#parser.resume();
      this.#parser.end();
    });
    return this.#drain(true);
  }

  /** Why there are no more rows, once something is wrong. */
  get failure(): RowFailure | undefined {
    return this.#failure && { line: this.line + 1, ...describe(this.#failure, this.width) };
  }

  destroy(): void {
    this.#parser.destroy();
  }

  #drain(mayHaveReturns: boolean): string[][] {
    const { rows } = this.#parser;
    this.#parser.rows = [];
    this.lines = this.#parser.lines.map((line) => line - this.#doubled);
    this.#parser.lines = [];
    if (mayHaveReturns) for (const row of rows) for (const field of row) this.#doubled += countCrlf(field);
    return rows;
  }
}

const RETURN = 13;

function countCrlf(field: string): number {
  let count = 0;
  for (let at = field.indexOf("\r\n"); at >= 0; at = field.indexOf("\r\n", at + 2)) count++;
  return count;
}

const QUOTES_HINT = 'In a quoted field a quote is written twice (""). Say quote: null where quotes are plain letters.';

function describe(error: Error, width: number): LineFailure {
  const hint = QUOTES_HINT;
  switch (error instanceof CsvError ? error.code : undefined) {
    case "CSV_RECORD_INCONSISTENT_FIELDS_LENGTH":
      return ragged(((error as CsvError).record as readonly string[]).length, width);
    case "CSV_QUOTE_NOT_CLOSED":
    case "CSV_MAX_RECORD_SIZE":
      return { what: "a quote is opened in the row that begins here and never closed", hint };
    case "CSV_INVALID_CLOSING_QUOTE":
    case "INVALID_OPENING_QUOTE":
      return { what: "a quote in the middle of a field", hint };
    default:
      return { what: error.message, hint, cause: error };
  }
}

export function ragged(fields: number, expected: number): LineFailure {
  return {
    what: `the row has ${fields} ${fields === 1 ? "field" : "fields"}, not ${expected}`,
    hint: "Fields that contain the delimiter or a newline stand in quotes.",
  };
}
