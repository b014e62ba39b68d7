import { KagurazakaError } from "../../../base/errors.js";
import type { Features } from "../../features/feature.js";
import type { DataFile } from "../../stores/store.js";
import type { BadRow, Packing, Range, ReadRequest, RowBlock, ShardReader, SliceSize } from "../format.js";
import { cut, positionOf, project } from "../row-block.js";
import { lineBlocks } from "./line-blocks.js";
import { type BlankLines, evenCuts, lineCuts, lineNumberAt, packedReason, wholeFile } from "./line-cuts.js";
import { checkIsText, type ParserFor, rowsOfLines } from "./line-rows.js";
import { unpacked } from "./unpack.js";

const MAX_LINE_BYTES = 64 << 20;

export interface TextReaderOptions {
  readonly file: DataFile;
  readonly packing: Packing;
  /** For messages: "JSON lines". */
  readonly formatName: string;
  readonly features: Features | undefined;
  readonly undivided?: string | undefined;
  /** Where rows are lines. @defaultValue skipped */
  readonly blankLines?: BlankLines | undefined;
}

/** What all readers of text have in common. */
export abstract class TextReader implements ShardReader {
  readonly unit = "byte";
  readonly rowCount = undefined;
  readonly file: DataFile;
  readonly packing: Packing;
  readonly features: Features | undefined;
  readonly undivided: string | undefined;
  /** For slices by rows. */
  protected readonly blankLines: BlankLines;
  #counted: { readonly from: number; readonly lines: Promise<number> } | undefined;

  constructor({ file, packing, features, undivided, blankLines = "skipped" }: TextReaderOptions) {
    this.file = file;
    this.packing = packing;
    this.features = features;
    this.undivided = packedReason(packing) ?? undivided;
    this.blankLines = blankLines;
  }

  get name(): string {
    return this.file.name;
  }

  get end(): number {
    return this.file.size;
  }

  abstract rows(request: ReadRequest): AsyncGenerator<RowBlock>;

  async slices(size: SliceSize): Promise<readonly Range[]> {
    const { size: bytes } = this.file;
    if (this.undivided !== undefined) return [wholeFile(bytes)];
    if (size.rows !== undefined) return await lineCuts(this.file, size.rows, this.blankLines);
    return evenCuts(bytes, size.bytes ?? bytes);
  }

  async where(from: number, position: number): Promise<string> {
    const before = from === 0 || this.packing !== "none" ? 0 : await this.#linesBefore(from);
    return `${this.file.name}:${before + position}`;
  }

  /** Lines are counted once for a range, however many of its rows are told of. */
  #linesBefore(from: number): Promise<number> {
    if (this.#counted?.from !== from) this.#counted = { from, lines: lineNumberAt(this.file, from) };
    return this.#counted.lines;
  }

  /** The row's error, with its place. */
  protected async badRow(from: number, { position, what, hint }: BadRow): Promise<KagurazakaError> {
    const where = await this.where(from, position);
    return new KagurazakaError("bad-data", `${where}: ${what}`, { where, hint });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.file[Symbol.asyncDispose]();
  }
}

interface LineReaderOptions extends TextReaderOptions {
  readonly parserFor: ParserFor;
}

/** A shard whose rows are lines. */
export class LineReader extends TextReader {
  readonly #parserFor: ParserFor;
  readonly #formatName: string;

  constructor(options: LineReaderOptions) {
    super(options);
    this.#parserFor = options.parserFor;
    this.#formatName = options.formatName;
  }

  async *rows(request: ReadRequest): AsyncGenerator<RowBlock> {
    const { from = 0, to = this.end, textErrors = "fail", columns } = request;
    let line = 0;
    let firstBad: BadRow | undefined;
    const keepFirst = (bad: BadRow): void => {
      firstBad ??= bad;
    };
    const onBadRow = request.onBadRow ?? keepFirst;
    const range = { from, to, maxLineBytes: MAX_LINE_BYTES };
    for await (const block of lineBlocks(this.file, this.packing, range)) {
      const isStart = line === 0 && from === 0;
      if (isStart) checkIsText(this.file.name, block.bytes.subarray(0, 4), this.#formatName);
      const options = { parserFor: this.#parserFor, maxLineBytes: MAX_LINE_BYTES, textErrors, onBadRow, isStart, line };
      const { rows, lines } = rowsOfLines(block, options);
      line += lines;
      const kept = firstBad === undefined ? rows : rowsBefore(rows, firstBad.position);
      if (kept.rows.length > 0) yield* cut(columns ? project(kept, columns) : kept, request.batchRows);
      if (firstBad !== undefined) throw await this.badRow(from, firstBad);
    }
  }
}

/** The rows before the bad one were read. */
function rowsBefore(block: RowBlock, position: number): RowBlock {
  const count = block.rows.findIndex((_, i) => positionOf(block, i) > position);
  return count < 0 ? block : { ...block, rows: block.rows.slice(0, count) };
}

/** The first bytes of the contents, at most 4 KiB. */
export async function headOf(file: DataFile, packing: Packing): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of unpacked(file, packing, 4096)) {
    parts.push(Buffer.from(chunk));
    bytes += chunk.length;
    if (bytes >= 4096) break;
  }
  return Buffer.concat(parts).subarray(0, 4096);
}
