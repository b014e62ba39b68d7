import { deserialize, serialize } from "node:v8";
import { KagurazakaError } from "../../src/base/errors.js";
import { type Batch, batchOf, type Row, sliceBatch } from "../../src/data/batch/batch.js";
import type { Features } from "../../src/data/features/feature.js";
import {
  defineFormat,
  type PlacedBatch,
  type Range,
  type ReadRequest,
  type ShardReader,
  type ShardWriter,
  type SliceSize,
} from "../../src/data/formats/format.js";
import { FileSink } from "../../src/data/stores/file-sink.js";
import type { DataFile } from "../../src/data/stores/store.js";

/** A format whose unit is rows, with row groups of columns and a footer: what Parquet is, small. For tests. */
const MAGIC = Buffer.from("TOY1");

interface Group {
  readonly at: number;
  readonly bytes: number;
  readonly rows: number;
}

interface Footer {
  readonly features: Features;
  readonly groups: readonly Group[];
}

export default defineFormat({
  name: "toy",
  help: "groups of columns with a footer",
  extensions: [".toy"],
  packs: false,
  codecs: ["none"],
  options: {},
  hasSchema: true,
  recognises: (head) => head.subarray(0, 4).equals(MAGIC),
  open: async ({ file }) => new ToyReader(file, await readFooter(file)),
  create: async ({ path, features, groupRows = 100 }) => new ToyWriter(path, features!, groupRows),
});

async function readFooter(file: DataFile): Promise<Footer> {
  const [head, tail] = [await file.read(0, 4), await file.read(Math.max(0, file.size - 8), 8)];
  const bad = (): KagurazakaError =>
    new KagurazakaError("bad-data", `${file.name} is no toy, or cut off`, { where: file.name });
  if (file.size < 12 || !head.equals(MAGIC) || !tail.subarray(4).equals(MAGIC)) throw bad();
  const size = tail.readUInt32LE(0);
  try {
    return deserialize(await file.read(file.size - 8 - size, size)) as Footer;
  } catch {
    throw bad();
  }
}

class ToyReader implements ShardReader {
  readonly unit = "row";
  readonly undivided = undefined;
  readonly file: DataFile;
  readonly footer: Footer;
  readonly rowCount: number;

  constructor(file: DataFile, footer: Footer) {
    this.file = file;
    this.footer = footer;
    this.rowCount = footer.groups.reduce((sum, { rows }) => sum + rows, 0);
  }

  get name(): string {
    return this.file.name;
  }

  get end(): number {
    return this.rowCount;
  }

  get features(): Features {
    return this.footer.features;
  }

  async slices(size: SliceSize): Promise<readonly Range[]> {
    const bytes = this.footer.groups.reduce((sum, group) => sum + group.bytes, 0);
    const count = size.rows ? Math.ceil(this.end / size.rows) : Math.ceil(bytes / (size.bytes ?? bytes));
    const each = Math.max(1, Math.ceil(this.end / Math.max(1, count)));
    const ranges: Range[] = [];
    for (let from = 0; from < this.end; from += each) {
      const to = Math.min(this.end, from + each);
      ranges.push({ from, to, rows: to - from, bytes: (bytes * (to - from)) / this.end });
    }
    return ranges.length > 0 ? ranges : [{ from: 0, to: 0, rows: 0, bytes: 0 }];
  }

  async *batches({ from = 0, to = this.end, columns, batchRows = 64 }: ReadRequest): AsyncGenerator<PlacedBatch> {
    let first = 0;
    for (const { at, bytes, rows } of this.footer.groups) {
      const [start, end] = [Math.max(from - first, 0), Math.min(to - first, rows)];
      if (start < end) {
        const group = deserialize(await this.file.read(at, bytes)) as Batch;
        const names = columns ?? Object.keys(group.columns);
        const chosen = {
          length: group.length,
          columns: Object.fromEntries(names.map((name) => [name, group.columns[name] ?? new Array(rows).fill(null)])),
        };
        for (let i = start; i < end; i += batchRows)
          yield { ...sliceBatch(chosen, i, Math.min(end, i + batchRows)), first: first + i };
      }
      first += rows;
    }
  }

  async where(_from: number, position: number): Promise<string> {
    return `${this.name} row ${position}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.file[Symbol.asyncDispose]();
  }
}

class ToyWriter implements ShardWriter {
  readonly #sink: FileSink;
  readonly #features: Features;
  readonly #groupRows: number;
  readonly #groups: Group[] = [];
  #rows: Row[] = [];

  constructor(path: string, features: Features, groupRows: number) {
    this.#sink = new FileSink(path);
    this.#features = features;
    this.#groupRows = groupRows;
    this.#sink.write(MAGIC);
  }

  async writeRows(rows: readonly Row[]): Promise<void> {
    for (const row of rows) {
      this.#rows.push(row);
      if (this.#rows.length === this.#groupRows) this.#flush();
    }
  }

  #flush(): void {
    if (this.#rows.length === 0) return;
    const group = serialize(batchOf(this.#rows, this.#features));
    this.#groups.push({ at: this.#sink.bytes, bytes: group.length, rows: this.#rows.length });
    this.#sink.write(group);
    this.#rows = [];
  }

  async finish() {
    this.#flush();
    const footer = serialize({ features: this.#features, groups: this.#groups });
    const size = Buffer.alloc(4);
    size.writeUInt32LE(footer.length);
    for (const part of [footer, size, MAGIC]) this.#sink.write(part);
    const sha256 = this.#sink.finish();
    return { rows: this.#groups.reduce((sum, { rows }) => sum + rows, 0), bytes: this.#sink.bytes, sha256 };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#sink[Symbol.dispose]();
  }
}
