import { StringDecoder } from "node:string_decoder";
import type { LineFailure } from "../bytes/text-blocks.js";
import { type CsvCell, type CsvDialect, checkDialect } from "./dialect.js";
import { type CsvFault, CsvParser } from "./parser.js";

/** What is wrong with a row, and the line it begins in. */
interface RowFailure extends LineFailure {
  readonly line: number;
}

/** Bytes that become one text: a cell that is kept keeps all of it in memory. */
const PIECE_BYTES = 1 << 15;

/** Bytes in UTF-8 in, rows out. */
export class CsvRows<Cell extends CsvCell = string> {
  readonly #parser: CsvParser<Cell>;
  readonly #decoder = new StringDecoder("utf8");
  /** The lines that the rows of the last call ended in. */
  lines: readonly number[] = [];

  /** @throws KagurazakaError `bad-value` for a delimiter or a quote that cannot be one */
  constructor(dialect: CsvDialect<Cell>) {
    checkDialect(dialect);
    this.#parser = new CsvParser(dialect);
  }

  /** The line of the first row: blank ones may stand before it. */
  get firstLine(): number {
    return this.#parser.firstLine;
  }

  /** The line that the next byte stands in. */
  get line(): number {
    return this.#parser.line;
  }

  get isInQuotes(): boolean {
    return this.#parser.isInQuotes;
  }

  /** How many fields the first row has. */
  get width(): number {
    return this.#parser.width;
  }

  /** The row that is being read is to be left out. */
  spoilRow(): void {
    this.#parser.spoilRow();
  }

  /** The rows that end in these bytes. Look at `failure` after it. */
  push(bytes: Buffer): (string | Cell)[][] {
    for (let at = 0; at < bytes.length; at += PIECE_BYTES)
      this.#parser.push(this.#decoder.write(bytes.subarray(at, at + PIECE_BYTES)));
    return this.#take();
  }

  /** The last row, if no newline ended it. */
  end(): (string | Cell)[][] {
    this.#parser.push(this.#decoder.end());
    this.#parser.end();
    return this.#take();
  }

  /** Why there are no more rows, once something is wrong. */
  get failure(): RowFailure | undefined {
    const { fault, width } = this.#parser;
    return fault && { line: fault.line, ...describe(fault, width) };
  }

  #take(): (string | Cell)[][] {
    const { rows, lines } = this.#parser.take();
    this.lines = lines;
    return rows;
  }
}

const QUOTES_HINT = 'In a quoted field a quote is written twice (""). Say quote: null where quotes are plain letters.';

function describe(fault: CsvFault, width: number): LineFailure {
  switch (fault.kind) {
    case "ragged":
      return ragged(fault.width, width);
    case "open-quote":
      return { what: "a quote is opened in the row that begins here and never closed", hint: QUOTES_HINT };
    case "stray-quote":
      return { what: "a quote in the middle of a field", hint: QUOTES_HINT };
    case "too-long":
      return {
        what: "a quote is opened in the row that begins here and never closed, or the row is longer than 64 MB",
        hint: QUOTES_HINT,
      };
  }
}

export function ragged(fields: number, expected: number): LineFailure {
  return {
    what: `the row has ${fields} ${fields === 1 ? "field" : "fields"}, not ${expected}`,
    hint: "Fields that contain the delimiter or a newline stand in quotes.",
  };
}
