import type { ReadChunksOptions } from "../bytes/read-chunks.js";
import { nameOfSource } from "../bytes/source-name.js";
import { badLine, notUtf8, readBlocks, validPart } from "../bytes/text-blocks.js";
import { CsvRows, ragged } from "../csv/rows.js";

export interface ReadCsvOptions extends ReadChunksOptions {
  /** One character. @defaultValue a comma */
  readonly delimiter?: string;
  /** null: quotes are plain letters. @defaultValue a double quote */
  readonly quote?: string | null;
  /** Names of the columns, where the first row does not give them. */
  readonly columns?: readonly string[];
  /** Called with the names in the first row, and where it stands. An error thrown by it ends the reading. */
  readonly onHeader?: (names: readonly string[], where: string) => void;
}

/** Texts by column. Fields stand in sorted order: canonical JSON takes its fast path. */
export type CsvRecord = Record<string, string>;

/** Bytes parsed in one go: some milliseconds of work. */
const CHUNK_BYTES = 1 << 18;

/**
 * The rows of a CSV file as records, in arrays; sources as in `readJsonl`. Takes quoted fields with delimiters, newlines
 * and doubled quotes, CRLF, a byte order mark, empty lines and a missing last newline. All values are texts, as they
 * stand. The rows before a bad row are yielded before the error is thrown.
 *
 * @throws KagurazakaError `input-root` when the file cannot be opened; `generate-tasks`, with `where` = `file:line`, for
 * a row of another length, a stray quote, two columns of one name, bytes that are not UTF-8; `generate-tasks` for a file that cannot be read on
 */
export async function* readCsv(source: string, options: ReadCsvOptions = {}): AsyncGenerator<CsvRecord[]> {
  const { delimiter = ",", quote = '"', columns, chunkBytes = CHUNK_BYTES } = options;
  const rows = new CsvRows({ delimiter, quote, empty: "" });
  let toRecord = columns && createToRecord(columns);
  let isFirst = true;

  const toRecords = (taken: string[][]): CsvRecord[] => {
    if (taken.length === 0) return [];
    if (isFirst && columns && columns.length !== rows.width)
      throw badLine(source, rows.firstLine, ragged(rows.width, columns.length));
    isFirst = false;
    if (toRecord) return taken.map(toRecord);
    const [names, ...rest] = taken as [string[], ...string[][]];
    checkNames(source, rows.firstLine, names);
    options.onHeader?.(names, `${nameOfSource(source)}:${rows.firstLine}`);
    toRecord = createToRecord(names);
    return rest.map(toRecord);
  };

  for await (const bytes of readBlocks(source, { ...options, chunkBytes, lineAt: () => rows.line })) {
    const valid = validPart(bytes);
    yield toRecords(rows.push(valid));
    if (rows.failure) throw badLine(source, rows.failure.line, rows.failure);
    if (valid !== bytes) throw badLine(source, rows.line, notUtf8(bytes));
  }
  yield toRecords(rows.end());
  if (rows.failure) throw badLine(source, rows.failure.line, rows.failure);
}

function checkNames(source: string, line: number, names: readonly string[]): void {
  const repeated = names.findIndex((name, i) => names.indexOf(name) !== i);
  if (repeated >= 0) {
    const name = JSON.stringify(names[repeated]);
    const columns = `columns ${names.indexOf(names[repeated]!) + 1} and ${repeated + 1}`;
    throw badLine(source, line, { what: `${columns} are both named ${name}`, hint: "Rename one of them in the file." });
  }
  if (names.includes("__proto__"))
    throw badLine(source, line, { what: 'no column can be named "__proto__"', hint: "Rename it in the file." });
}

function createToRecord(names: readonly string[]): (row: readonly string[]) => CsvRecord {
  const order = names.map((_, i) => i).sort((a, b) => (names[a]! < names[b]! ? -1 : 1));
  const sorted = order.map((i) => names[i]!);
  return (row) => {
    const record: CsvRecord = {};
    for (let i = 0; i < sorted.length; i++) record[sorted[i]!] = row[order[i]!]!;
    return record;
  };
}
