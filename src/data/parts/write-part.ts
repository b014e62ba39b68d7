import { closeSync, mkdirSync, openSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { writeFully } from "../../base/disk.js";
import type { Features } from "../features/feature.js";
import { jsonText } from "../features/json-text.js";
import type { ShardWriter } from "../formats/format.js";
import { REJECTED_DIRECTORY } from "./layout.js";
import { factsPath, type PartFacts, stemOf } from "./manifest.js";
import type { PartFormat, PartItem } from "./parts-job.js";

interface PartRequest extends PartFormat {
  /** The staging path of the part. What else belongs to it is written beside, and published with it. */
  readonly path: string;
  readonly item: Pick<PartItem, "part" | "split">;
  readonly features: Features | undefined;
  readonly options: Readonly<Record<string, unknown>>;
  readonly groupRows?: number | undefined;
}

/** A part that is being written, with its rejected rows and what is known of it. */
export class PartWriter implements AsyncDisposable {
  readonly #request: PartRequest;
  readonly #writer: ShardWriter;
  readonly #rejected: SideFile;

  private constructor(request: PartRequest, writer: ShardWriter) {
    this.#request = request;
    this.#writer = writer;
    this.#rejected = new SideFile(this.#beside(join(REJECTED_DIRECTORY, `${stemOf(request.item.part)}.jsonl`)));
  }

  static async open(request: PartRequest): Promise<PartWriter> {
    const { format, path, features, compression, options, groupRows } = request;
    return new PartWriter(
      request,
      await format.create({ path, features, compression, options: options as never, groupRows }),
    );
  }

  get rows(): ShardWriter {
    return this.#writer;
  }

  /** Keeps a row aside. */
  reject(row: object): void {
    this.#rejected.write(rejectedText(row));
  }

  /** @returns bytes of the part */
  async finish(counts: Pick<PartFacts, "rowsIn" | "dropped" | "rejected">): Promise<number> {
    const { item } = this.#request;
    const written = await this.#writer.finish();
    const facts: PartFacts = { name: item.part, split: item.split, ...written, ...counts };
    this.#rejected.finish();
    const path = this.#beside(factsPath(stemOf(item.part)));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `${JSON.stringify(facts)}\n`);
    return written.bytes;
  }

  #beside(name: string): string {
    return join(dirname(this.#request.path), name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#rejected[Symbol.dispose]();
    await this.#writer[Symbol.asyncDispose]();
  }
}

const BUFFER_BYTES = 1 << 16;

/** Lines that are written as they come, some at a time. There is a file from the first one on; it goes where it is not finished. */
class SideFile implements Disposable {
  readonly #path: string;
  #fd: number | undefined;
  #waiting: string[] = [];
  #length = 0;
  #isFinished = false;

  constructor(path: string) {
    this.#path = path;
  }

  write(line: string): void {
    this.#waiting.push(line);
    this.#length += line.length;
    if (this.#length >= BUFFER_BYTES) this.#flush();
  }

  finish(): void {
    this.#flush();
    this.#isFinished = true;
    this.#close();
  }

  #flush(): void {
    if (this.#waiting.length === 0) return;
    if (this.#fd === undefined) {
      mkdirSync(dirname(this.#path), { recursive: true });
      this.#fd = openSync(this.#path, "w");
    }
    const bytes = Buffer.from(this.#waiting.join(""));
    this.#waiting = [];
    this.#length = 0;
    writeFully(this.#fd, bytes, bytes.length);
  }

  #close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  [Symbol.dispose](): void {
    if (this.#isFinished) return;
    this.#close();
    rmSync(this.#path, { force: true });
  }
}

/** A row that JSON cannot represent is kept as the text that JavaScript makes of it. */
function rejectedText(row: object): string {
  try {
    return `${jsonText(row)}\n`;
  } catch {
    const { row: value, ...rest } = row as { row?: unknown };
    return `${jsonText({ ...rest, row: null, rowText: looseText(value) })}\n`;
  }
}

function looseText(value: unknown): string {
  try {
    return String(
      JSON.stringify(value, (_, one) => (typeof one === "bigint" || typeof one === "number" ? String(one) : one)),
    );
  } catch {
    return "(no JSON can say it)";
  }
}
