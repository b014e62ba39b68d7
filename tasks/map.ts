import {
  defineOptions,
  FinishCheckByOutputFileExistence,
  KAGURAZAKA_MIXIN_PLACEHOLDER,
  KagurazakaTask,
  moemoecueNormal,
  NoHardShard,
  OutputByTemplate,
  type OutputFile,
  type RunPlan,
  type TaskContext,
} from "kagurazaka";
import { checkNodeOptions, MapWorker, type PartItem, type PartsJob, planMap } from "kagurazaka/data";

const options = defineOptions({
  in: {
    type: "strings",
    required: true,
    placeholder: "FILE|DIR|GLOB|URL|ORG/NAME",
    help: "the rows: files, folders, globs, URLs, or a dataset of a hub",
  },
  split: { type: "string", help: "only this split (default: all)" },
  config: { type: "string", help: "which configuration of a dataset that has several" },
  inputFormat: { type: "string", help: "the format of the input (default: by extension, else by content)" },
  inputOptions: { type: "map", help: "options of the input format: delimiter=;" },
  format: { type: "string", help: "the format of the output (default: the input's)" },
  compression: {
    type: "string",
    help: "gzip or zstd for text; snappy, gzip, zstd, lz4 or none for parquet; zstd, lz4 or none for arrow",
  },
  outputOptions: { type: "map", help: "options of the output format" },
  columns: { type: "strings", help: "read only these columns: id,text (default: all)" },
  sliceBytes: { type: "size", default: "64MiB", min: 1, help: "about how many bytes of a file are one item" },
  sliceRows: { type: "integer", min: 1, help: "how many rows are one item, in place of --slice-bytes" },
  groupRows: { type: "integer", min: 1, help: "rows of a row group of parquet, or of a record batch of arrow" },
  batchSize: { type: "integer", min: 1, help: "rows of a batch, for a function over batches (default: its own)" },
  onError: {
    type: "string",
    choices: ["fail", "reject", "null"],
    default: "fail",
    help: "a bad row: fail = its slice fails, reject = it is kept in _rejected with the reason, null = it is dropped and counted",
  },
  textErrors: {
    type: "string",
    choices: ["fail", "replace"],
    default: "fail",
    help: "bytes that are not UTF-8: fail = a bad row, replace = U+FFFD",
  },
  features: { type: "string", help: "a JSON file: what the function returns, column by column" },
});

type Item = PartItem & { readonly output: OutputFile };

/**
 * Rows in, rows out: a function of yours over every row of a dataset. An item is a slice of a file, and its result one file.
 *
 *   kagurazaka @map clean.ts#clean --in 'data/*.jsonl.gz' --out out
 *   kagurazaka @map clean.ts#clean --in data --out out --format parquet --compression zstd --columns id,text
 */
@moemoecueNormal({
  hardShardMode: NoHardShard({ inputPath: ".", outputPath: KAGURAZAKA_MIXIN_PLACEHOLDER }),
  outputMode: OutputByTemplate({ pattern: "{part}" }),
  finishCheckMode: FinishCheckByOutputFileExistence(),
})
export default class MapRows extends KagurazakaTask<Item, typeof options> {
  static id = "map";
  static help =
    "A function over every row of a dataset: kagurazaka @map clean.ts#clean --in 'data/*.jsonl.gz' --out out. " +
    "It gets (row, ctx) and returns a row, several, or null to drop it; defineMap of kagurazaka/data makes one over batches.";
  static options = options;
  static argument = { placeholder: "FILE#EXPORT", help: "the function, an export of a module" };
  static progressBy = "bytes_in";
  declare module: { readonly name: string; readonly value: unknown };

  #job: PartsJob | undefined;
  #worker: MapWorker | undefined;

  override async check({ outputRoot, side, note }: RunPlan): Promise<void> {
    if (side === "node") return checkNodeOptions(this.options);
    this.#job = await planMap(this.options, this.module, outputRoot!);
    for (const message of this.#job.notes) note(message);
  }

  override begin(): void {
    this.#job!.begin();
  }

  override *generateTasks(): Generator<PartItem> {
    yield* this.#job!.items;
  }

  override keyOf({ source, shard, from }: PartItem): string {
    return `${source}/${shard}@${from}`;
  }

  override sizeOf({ bytes }: PartItem): number {
    return bytes;
  }

  override async process(item: Item, ctx: TaskContext): Promise<void> {
    this.#worker ??= new MapWorker(this.options, this.module);
    const { path, finalPath } = item.output;
    const seed = ctx.random();
    const counts = await this.#worker.run(item, {
      path,
      finalPath,
      seed,
      signal: ctx.signal,
      alive: () => ctx.progress(),
    });
    ctx.count("rows_in", counts.rowsIn);
    ctx.count("rows_out", counts.rowsOut);
    if (counts.dropped > 0) ctx.count("rows_dropped", counts.dropped);
    for (const [reason, rows] of Object.entries(counts.rejected)) ctx.count(`rows_rejected_${reason}`, rows);
    ctx.count("bytes_in", item.bytes);
    ctx.count("bytes_out", counts.bytesOut);
  }

  override finalize(): void {
    this.#job!.finalize();
  }
}
