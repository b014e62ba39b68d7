/**
 * The readers and writers as the doors give them out: loaded when first used, because every worker imports a door and
 * hardly any reads a list.
 */
import type { CsvRecord, ReadCsvOptions } from "./csv.js";
import type { GlobOptions } from "./glob.js";
import type { JsonlRecord, ReadJsonlOptions } from "./jsonl.js";
import type { JsonlWriter } from "./jsonl-writer.js";
import type { ReadLinesOptions } from "./lines.js";
import type { WalkedDirectory } from "./walk.js";

/** See `globFiles` in glob.ts. */
export async function* globFiles(options: GlobOptions): AsyncGenerator<WalkedDirectory> {
  const glob = await import("./glob.js");
  yield* glob.globFiles(options);
}

/** See `readJsonl` in jsonl.ts. */
export async function* readJsonl(source: string, options?: ReadJsonlOptions): AsyncGenerator<JsonlRecord[]> {
  const jsonl = await import("./jsonl.js");
  yield* jsonl.readJsonl(source, options);
}

/** See `readCsv` in csv.ts. */
export async function* readCsv(source: string, options?: ReadCsvOptions): AsyncGenerator<CsvRecord[]> {
  const csv = await import("./csv.js");
  yield* csv.readCsv(source, options);
}

/** See `readLines` in lines.ts. */
export async function* readLines(source: string, options?: ReadLinesOptions): AsyncGenerator<string[]> {
  const lines = await import("./lines.js");
  yield* lines.readLines(source, options);
}

/** See `openJsonlWriter` in jsonl-writer.ts. */
export async function openJsonlWriter(path: string): Promise<JsonlWriter> {
  const writer = await import("./jsonl-writer.js");
  return writer.openJsonlWriter(path);
}

/** See `writeJsonl` in jsonl-writer.ts. */
export async function writeJsonl(
  path: string,
  batches: Iterable<Iterable<unknown>> | AsyncIterable<Iterable<unknown>>,
): Promise<number> {
  const writer = await import("./jsonl-writer.js");
  return writer.writeJsonl(path, batches);
}
