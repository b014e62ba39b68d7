import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
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
  #rejected: string[] = [];

  private constructor(request: PartRequest, writer: ShardWriter) {
    this.#request = request;
    this.#writer = writer;
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
    this.#rejected.push(rejectedText(row));
  }

  /** @returns bytes of the part */
  async finish(counts: Pick<PartFacts, "rowsIn" | "dropped" | "rejected">): Promise<number> {
    const { item } = this.#request;
    const written = await this.#writer.finish();
    const facts: PartFacts = { name: item.part, split: item.split, ...written, ...counts };
    this.#beside(factsPath(stemOf(item.part)), `${JSON.stringify(facts)}\n`);
    if (this.#rejected.length > 0)
      this.#beside(join(REJECTED_DIRECTORY, `${stemOf(item.part)}.jsonl`), this.#rejected.join(""));
    return written.bytes;
  }

  #beside(name: string, text: string): void {
    const path = join(dirname(this.#request.path), name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer[Symbol.asyncDispose]();
  }
}

/** A row that JSON cannot say is kept as the text that JavaScript makes of it. */
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
    return "(nested too deeply, or in itself)";
  }
}
