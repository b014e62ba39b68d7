import {
  type CsvRecord,
  defineInputMode,
  didYouMean,
  type InputDefinition,
  type InputModeData,
  isReservedField,
  KagurazakaError,
  readCsv,
} from "../../src/kit.js";
import { LIST_HELP, listFiles, listSource } from "../list-file.js";

/** The compiler knows the columns that are named in the task; of those named in the file, that they are texts. */
interface CsvFactory {
  readonly definition: InputDefinition;
  <const H extends readonly string[] = readonly string[]>(fields: {
    readonly csvPath: string;
    readonly delimiter?: string | null;
    readonly header?: true | H;
    readonly keyField?: H[number] | null;
    readonly quote?: string | null;
  }): InputModeData<string extends H[number] ? CsvRecord : { [Column in H[number]]: string }>;
}

/**
 * Records: the rows of a table, by column. All values are texts, as they stand in the file: `007` does not become a number.
 * A row of another length than the header ends the listing; the rows before it run.
 */
// biome-ignore lint/suspicious/noExplicitAny: the type of the factory names the columns.
const mode: CsvFactory = defineInputMode<any>()({
  name: "InputFromCsv",
  help: "records: the rows of a CSV or TSV file",
  fields: {
    csvPath: { type: "string", notEmpty: true, required: true, help: `a row a record; ${LIST_HELP}` },
    delimiter: {
      type: "string",
      nullable: true,
      default: null,
      help: "one character; \\t is a tab; null: a tab for .tsv, else a comma",
    },
    header: {
      type: "json",
      default: true,
      placeholder: "true|[NAME,…]",
      help: "true: the first row names the columns; else their names, and the first row is a record",
    },
    keyField: {
      type: "string",
      nullable: true,
      default: null,
      help: "the column that names a record; null: a hash of the record",
    },
    quote: { type: "string", nullable: true, default: '"', help: "one character; null: quotes are plain letters" },
  },
  yields: "record",
  uniqueKeys: false,
  readsInputRoot: false,
  check({ csvPath, delimiter, header, keyField, quote }) {
    checkCharacter("delimiter", delimiterOf(csvPath, delimiter));
    if (quote !== null) checkCharacter("quote", quote);
    if (quote === delimiterOf(csvPath, delimiter)) throw wrong("quote", "delimiter and quote are the same");
    const columns = parseHeader(header);
    if (columns) checkColumns(columns, keyField, "input_mode.header");
  },
  files: ({ csvPath }) => listFiles(csvPath),
  keyField: ({ keyField }) => keyField ?? undefined,
  async *list({ csvPath, header, keyField, quote, ...fields }, { signal, warn }) {
    const delimiter = delimiterOf(csvPath, fields.delimiter);
    const columns = parseHeader(header);
    yield* readCsv(listSource(csvPath), {
      delimiter,
      quote,
      signal,
      warn,
      columns,
      onHeader(names, where) {
        checkColumns(names, keyField, where);
        const [only] = names;
        if (names.length === 1 && /[,;|\t]/.test(only!))
          warn(
            `${where}: one column, named ${JSON.stringify(only)}: is the delimiter another than ${JSON.stringify(delimiter)}?`,
          );
      },
    });
  },
});
export default mode;

/** The names of the columns, where the first row does not give them. */
function parseHeader(header: unknown): readonly string[] | undefined {
  if (header === true) return undefined;
  if (!Array.isArray(header) || header.length === 0 || !header.every((name) => typeof name === "string"))
    throw wrong("header", "header must be true or a list of names", "header: [id, text]");
  const repeated = header.find((name, i) => header.indexOf(name) !== i);
  if (repeated !== undefined) throw wrong("header", `header has the name "${repeated}" twice`);
  return header;
}

function delimiterOf(csvPath: string, delimiter: string | null): string {
  if (delimiter === null) return /\.tsv(?:\.gz|\.zst)?$/i.test(csvPath) ? "\t" : ",";
  return delimiter === "\\t" ? "\t" : delimiter;
}

function checkCharacter(field: string, text: string): void {
  if (text.length === 1 && text !== "\n" && text !== "\r") return;
  throw wrong(field, `${field} is ${JSON.stringify(text)}, not one character`, 'For example ";", "|" or "\\t".');
}

function checkColumns(names: readonly string[], keyField: string | null, where: string): void {
  const reserved = names.find(isReservedField);
  if (reserved !== undefined) {
    throw new KagurazakaError("generate-tasks", `${where}: a column is named "${reserved}", which modes inject`, {
      where,
      hint: "Rename it.",
    });
  }
  if (keyField === null || names.includes(keyField)) return;
  throw wrong(
    "key_field",
    `key_field is "${keyField}", but ${where} names no such column.${didYouMean(keyField, names)}`,
    `Columns: ${names.join(", ")}.`,
  );
}

function wrong(field: string, message: string, hint?: string): KagurazakaError {
  return new KagurazakaError("bad-value", message, { where: `input_mode.${field}`, hint });
}
