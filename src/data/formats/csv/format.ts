import { KagurazakaError } from "../../../base/errors.js";
import type { OptionSpecs } from "../../../base/option-spec.js";
import { checkDialect } from "../../csv/dialect.js";
import { CsvRows } from "../../csv/rows.js";
import type { CreateRequest, OpenRequest, Packing, ShardWriter } from "../format.js";
import { checkIsText } from "../text/line-rows.js";
import { openTextWriter } from "../text/text-writer.js";
import { unpacked } from "../text/unpack.js";
import { type CsvDialect, CsvReader, checkNames } from "./reader.js";
import { lineWriter } from "./write-cells.js";

/** What CSV and TSV have in common. */
export const dialectOptions = (delimiter: string) =>
  ({
    delimiter: { type: "string", default: delimiter, help: "what stands between fields: one character" },
    quote: { type: "string", default: '"', nullable: true, help: "the quote; null: quotes are plain letters" },
    header: { type: "boolean", default: true, help: "whether the first row has the names" },
    names: { type: "strings", help: "names of the columns, in place of those in the file" },
    types: {
      type: "string",
      choices: ["infer", "text"],
      default: "infer",
      help: "infer = numbers, booleans and text, text = all is text",
    },
  }) as const satisfies OptionSpecs;

export async function openCsv(request: OpenRequest): Promise<CsvReader> {
  const { file, packing, features } = request;
  const dialect = dialectOf(request.options);
  const first = await firstRecord(request, dialect);
  const names = dialect.names ?? (dialect.header ? first : first.map((_, i) => `column${i + 1}`));
  checkNames(file.name, names);
  return new CsvReader({ file, packing, features, formatName: "CSV", dialect, names });
}

function dialectOf(options: Readonly<Record<string, unknown>>): CsvDialect {
  const dialect = options as unknown as CsvDialect;
  for (const name of ["delimiter", "quote"] as const) {
    const value = dialect[name];
    if (value === null || (value.length === 1 && value.charCodeAt(0) < 128)) continue;
    throw new KagurazakaError("bad-value", `${name} must be one character of ASCII, not ${JSON.stringify(value)}`);
  }
  checkDialect(dialect);
  return dialect;
}

/** The names, or the first row of a file without them. None for an empty file. */
async function firstRecord({ file, packing }: OpenRequest, { delimiter, quote }: CsvDialect): Promise<string[]> {
  const records = new CsvRows({ delimiter, quote, empty: "", ragged: true });
  let isFirst = true;
  for await (const chunk of unpacked(file, packing, 1 << 16)) {
    if (isFirst) checkIsText(file.name, chunk, "CSV");
    isFirst = false;
    const [record] = records.push(chunk);
    if (record) return checkDelimiter(file.name, record, delimiter);
    if (records.failure) break;
  }
  const [record] = records.end();
  if (records.failure)
    throw new KagurazakaError("bad-data", `${file.name}:1: ${records.failure.what}`, {
      where: file.name,
      hint: records.failure.hint,
    });
  return record ? checkDelimiter(file.name, record, delimiter) : [];
}

/** One column whose name has another usual delimiter is no column. */
function checkDelimiter(name: string, record: string[], delimiter: string): string[] {
  const other =
    record.length === 1
      ? [";", "\t", "|", ","].find((one) => one !== delimiter && record[0]!.includes(one))
      : undefined;
  if (other === undefined) return record;
  const [was, is] = [delimiter, other].map((one) => (one === "\t" ? "a tab" : JSON.stringify(one)));
  throw new KagurazakaError("bad-data", `${name}:1: the first row has no ${was}, but ${is}`, {
    where: `${name}:1`,
    hint: `Say delimiter=${other === "\t" ? "\\t" : other}${other === "\t" ? ", or that the format is tsv" : ""}.`,
  });
}

export function createCsv({ path, features = {}, compression, options }: CreateRequest): Promise<ShardWriter> {
  const { delimiter, quote, header } = dialectOf(options);
  const writer = lineWriter(features, { delimiter, quote });
  const head = header && Object.keys(features).length > 0 ? writer.head : "";
  return openTextWriter({ path, packing: compression as Packing, head, textOf: writer.line });
}
