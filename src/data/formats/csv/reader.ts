import { isUtf8 } from "node:buffer";
import { KagurazakaError } from "../../../base/errors.js";
import { own } from "../../../base/own.js";
import type { Row } from "../../batch/batch.js";
import { tooLong } from "../../bytes/text-blocks.js";
import type { CsvCell } from "../../csv/dialect.js";
import { CsvRows, ragged } from "../../csv/rows.js";
import { BadValue } from "../../features/check.js";
import type { BadRow, Range, ReadRequest, RowBlock, SliceSize } from "../format.js";
import { cut, project } from "../row-block.js";
import { lineBlocks } from "../text/line-blocks.js";
import { checkIsText, invalidAt } from "../text/line-rows.js";
import { TextReader, type TextReaderOptions } from "../text/text-reader.js";
import { cellReader, guessCell } from "./cells.js";
import { recordCuts } from "./record-cuts.js";

/** How the file is written. */
export interface CsvDialect {
  readonly delimiter: string;
  readonly quote: string | null;
  readonly header: boolean;
  /** In place of those in the header. */
  readonly names: readonly string[] | undefined;
  readonly types: "infer" | "text";
}

interface CsvReaderOptions extends TextReaderOptions {
  readonly dialect: CsvDialect;
  readonly names: readonly string[];
}

type Cell = (cell: CsvCell) => unknown;

const NEWLINE = 10;
const MAX_LINE_BYTES = 64 << 20;

export class CsvReader extends TextReader {
  readonly #dialect: CsvDialect;
  readonly #names: readonly string[];
  readonly #cells: readonly Cell[];

  constructor(options: CsvReaderOptions) {
    // Without features from outside the file does not say what its columns are.
    super(options);
    const { dialect, names, features } = options;
    this.#dialect = dialect;
    this.#names = names;
    const isText = dialect.types === "text";
    this.#cells = names.map((name) => {
      const feature = features && own(features, name);
      if (feature) return cellReader(feature, name, { isOnly: names.length === 1 });
      return isText ? (cell) => cell ?? "" : guessCell;
    });
  }

  get columnNames(): readonly string[] {
    return this.#names;
  }

  override async slices(size: SliceSize): Promise<readonly Range[]> {
    return this.undivided === undefined ? recordCuts(this.file, size, this.#dialect.quote) : super.slices(size);
  }

  async *rows({ from = 0, to = this.end, columns, batchRows, ...policy }: ReadRequest): AsyncGenerator<RowBlock> {
    const { delimiter, quote, header } = this.#dialect;
    const isStart = from === 0;
    const records = new CsvRows({ delimiter, quote, empty: null, ragged: true, isStart });
    const state = { toSkip: isStart && header ? 1 : 0, firstBad: undefined as BadRow | undefined };
    const keepFirst = (bad: BadRow): void => {
      state.firstBad ??= bad;
    };
    const onBadRow = policy.onBadRow ?? keepFirst;
    const onDamage = (bad: BadRow): void => {
      // It was the header.
      if (records.width === 0) state.toSkip = 0;
      onBadRow(bad);
    };
    for await (const taken of this.#records(records, from, to, policy.textErrors ?? "fail", onDamage)) {
      const block = this.#block(taken, records.lines, state, onBadRow);
      if (block.rows.length > 0) yield* cut(columns ? project(block, columns) : block, batchRows);
      if (state.firstBad) throw await this.badRow(from, state.firstBad);
    }
  }

  async *#records(
    records: CsvRows<null>,
    from: number,
    to: number,
    textErrors: "fail" | "replace",
    onDamage: (bad: BadRow) => void,
  ): AsyncGenerator<CsvCell[][]> {
    let isFirst = from === 0;
    const range = { from, to, maxLineBytes: MAX_LINE_BYTES, chunkBytes: 1 << 18 };
    for await (const { bytes, isTooLong } of lineBlocks(this.file, this.packing, range)) {
      if (isFirst) checkIsText(this.name, bytes, "CSV");
      isFirst = false;
      if (isTooLong) throw await this.badRow(from, { position: records.line, ...tooLong(MAX_LINE_BYTES) });
      if (textErrors === "replace" || isUtf8(bytes)) yield records.push(bytes);
      else yield* this.#damaged(bytes, records, onDamage);
      await this.#checkParser(records, from);
    }
    yield records.end();
    await this.#checkParser(records, from);
  }

  /** Lines that are not UTF-8 are bad rows, and so is a row with such a line in quotes; the others go on. */
  *#damaged(bytes: Buffer, records: CsvRows<null>, onDamage: (bad: BadRow) => void): Generator<CsvCell[][]> {
    let pushed = 0;
    for (let start = 0, end = 0; start < bytes.length; start = end) {
      end = bytes.indexOf(NEWLINE, start) + 1 || bytes.length;
      const line = bytes.subarray(start, end);
      if (isUtf8(line)) continue;
      yield records.push(bytes.subarray(pushed, start));
      pushed = end;
      if (records.failure) return;
      onDamage({
        position: records.line,
        what: `not valid UTF-8 at byte ${invalidAt(line) + 1} of the line`,
        hint: "Convert the file, e.g. with iconv, or say --text-errors replace.",
        text: line.toString("utf8"),
      });
      if (records.isInQuotes) records.spoilRow();
      // An empty line is not a row, but counts as a line.
      yield records.push(records.isInQuotes ? line : Buffer.of(NEWLINE));
    }
    yield records.push(bytes.subarray(pushed));
  }

  /** A stray or open quote: where the next record begins is not known. */
  async #checkParser(records: CsvRows<null>, from: number): Promise<void> {
    const { failure } = records;
    if (failure) throw await this.badRow(from, { position: failure.line, what: failure.what, hint: failure.hint });
  }

  #block(
    taken: CsvCell[][],
    lines: readonly number[],
    state: { toSkip: number; firstBad: BadRow | undefined },
    onBadRow: (bad: BadRow) => void,
  ): RowBlock {
    const rows: Row[] = [];
    const positions: number[] = [];
    for (let i = 0; i < taken.length && !state.firstBad; i++) {
      if (state.toSkip > 0) {
        state.toSkip--;
        continue;
      }
      const row = this.#row(taken[i]!, lines[i]!, onBadRow);
      if (!row) continue;
      rows.push(row);
      positions.push(lines[i]!);
    }
    return { rows, first: positions[0] ?? 0, positions };
  }

  #row(fields: readonly CsvCell[], line: number, onBadRow: (bad: BadRow) => void): Row | undefined {
    const names = this.#names;
    const text = (): string => fields.join(this.#dialect.delimiter).slice(0, 65_536);
    if (fields.length !== names.length) {
      onBadRow({ position: line, ...ragged(fields.length, names.length), text: text() });
      return undefined;
    }
    const row: Row = {};
    try {
      for (let i = 0; i < names.length; i++) row[names[i]!] = this.#cells[i]!(fields[i]!);
      return row;
    } catch (error) {
      if (!(error instanceof BadValue)) throw error;
      const hint =
        "What a column is was found in the first rows. Read texts: types=text. Or say it in code, with features.";
      onBadRow({ position: line, what: error.message, hint, text: text() });
      return undefined;
    }
  }
}

/** @throws KagurazakaError `bad-data` for names that are no names */
export function checkNames(file: string, names: readonly string[]): void {
  const repeated = names.findIndex((name, i) => names.indexOf(name) !== i);
  const wrong = (what: string): KagurazakaError =>
    new KagurazakaError("bad-data", `${file}:1: ${what}`, {
      where: `${file}:1`,
      hint: "Rename it in the file, or give all names: names=a,b,c.",
    });
  if (repeated >= 0)
    throw wrong(
      `columns ${names.indexOf(names[repeated]!) + 1} and ${repeated + 1} are both named ${JSON.stringify(names[repeated])}`,
    );
  if (names.includes("__proto__")) throw wrong('no column can be named "__proto__"');
}
