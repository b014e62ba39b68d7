import { isUtf8 } from "node:buffer";
import { KagurazakaError } from "../../../base/errors.js";
import { own } from "../../../base/own.js";
import type { Row } from "../../batch/batch.js";
import { CsvRows, ragged } from "../../csv-rows.js";
import { BadValue } from "../../features/check.js";
import type { BadRow, Range, ReadRequest, RowBlock, SliceSize } from "../format.js";
import { cut, project } from "../row-block.js";
import { checkIsText, invalidAt } from "../text/line-rows.js";
import { TextReader, type TextReaderOptions } from "../text/text-reader.js";
import { unpacked } from "../text/unpack.js";
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

type Cell = (text: string) => unknown;

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
      return feature ? cellReader(feature, name) : isText ? (text) => text : guessCell;
    });
  }

  override async slices(size: SliceSize): Promise<readonly Range[]> {
    return this.undivided === undefined ? recordCuts(this.file, size, this.#dialect.quote) : super.slices(size);
  }

  async *rows({ from = 0, to = this.end, columns, batchRows, ...policy }: ReadRequest): AsyncGenerator<RowBlock> {
    const { delimiter, quote, header } = this.#dialect;
    const records = new CsvRows({ delimiter, quote, ragged: true });
    const state = { toSkip: from === 0 && header ? 1 : 0, firstBad: undefined as BadRow | undefined };
    const keepFirst = (bad: BadRow): void => {
      state.firstBad ??= bad;
    };
    const onBadRow = policy.onBadRow ?? keepFirst;
    try {
      for await (const taken of this.#records(records, from, to, policy.textErrors ?? "fail", onBadRow)) {
        const block = this.#block(taken, records.lines, state, onBadRow);
        if (block.rows.length > 0) yield* cut(columns ? project(block, columns) : block, batchRows);
        if (state.firstBad) throw await this.badRow(from, state.firstBad);
      }
    } finally {
      records.destroy();
    }
  }

  async *#records(
    records: CsvRows,
    from: number,
    to: number,
    textErrors: "fail" | "replace",
    onBadRow: (bad: BadRow) => void,
  ): AsyncGenerator<string[][]> {
    const bytes =
      this.packing === "none" ? this.file.stream(from, to, 1 << 18) : unpacked(this.file, this.packing, 1 << 18);
    let rest = Buffer.alloc(0);
    let isFirst = from === 0;
    for await (const chunk of bytes) {
      // Copied: the parser keeps what it is given.
      const whole = Buffer.concat([rest, chunk]);
      if (isFirst) checkIsText(this.name, whole, "CSV");
      isFirst = false;
      const end = whole.lastIndexOf(10) + 1;
      rest = whole.subarray(end);
      yield await records.push(this.#valid(whole.subarray(0, end), records, textErrors, onBadRow));
      await this.#checkParser(records, from);
    }
    yield await records.push(this.#valid(rest, records, textErrors, onBadRow));
    yield await records.end();
    await this.#checkParser(records, from);
  }

  /** Lines that are not UTF-8 are bad rows of their own; the others go on. */
  #valid(bytes: Buffer, records: CsvRows, textErrors: "fail" | "replace", onBadRow: (bad: BadRow) => void): Buffer {
    if (bytes.length === 0 || isUtf8(bytes)) return bytes;
    if (textErrors === "replace") return Buffer.from(bytes.toString("utf8"));
    const kept: Buffer[] = [];
    let line = records.line;
    for (let start = 0; start < bytes.length; ) {
      const newline = bytes.indexOf(10, start);
      const end = newline < 0 ? bytes.length : newline + 1;
      const one = bytes.subarray(start, end);
      line++;
      start = end;
      if (isUtf8(one)) kept.push(one);
      else {
        const hint = "Convert the file, e.g. with iconv, or say --text-errors replace.";
        onBadRow({
          position: line,
          what: `not valid UTF-8 at byte ${invalidAt(one) + 1} of the line`,
          hint,
          text: one.toString("utf8"),
        });
      }
    }
    return Buffer.concat(kept);
  }

  /** A stray or open quote: where the next record begins is not known. */
  async #checkParser(records: CsvRows, from: number): Promise<void> {
    const { failure } = records;
    if (failure) throw await this.badRow(from, { position: failure.line, what: failure.what, hint: failure.hint });
  }

  #block(
    taken: string[][],
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

  #row(fields: readonly string[], line: number, onBadRow: (bad: BadRow) => void): Row | undefined {
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
        "What a column is was found in the first rows. Say it with --features FILE, or read texts: types=text.";
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
