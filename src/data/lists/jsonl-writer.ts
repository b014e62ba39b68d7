import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Transform, Writable } from "node:stream";
import { finished, pipeline } from "node:stream/promises";
import { encodeItem } from "../../base/canonical-json.js";

/** A file of JSON lines that is being written. Disposed without `commit()`, it leaves nothing behind. */
export interface JsonlWriter extends AsyncDisposable {
  /** One line per value, in canonical JSON. To be awaited before the next call: that bounds memory. */
  write(values: Iterable<unknown>): Promise<void>;
  /** Replaces the file at the path by the finished one. Nothing can be written after it. */
  commit(): Promise<void>;
}

let serial = 0;

/**
 * Writes beside the final path and renames at `commit()`, so that no reader sees half a file; `.gz` and `.zst` by name. Makes
 * missing parent directories. `write` and `commit` throw the errors of the file system as they are.
 */
export async function openJsonlWriter(path: string): Promise<JsonlWriter> {
  await mkdir(dirname(path), { recursive: true });
  const staging = join(dirname(path), `.${basename(path)}.${process.pid}.${serial++}.tmp`);
  const file = createWriteStream(staging, { flags: "wx" });
  const packer = await createPackerFor(path);
  const head: Writable = packer ?? file;
  const ended = packer ? pipeline(packer, file) : finished(file);
  ended.catch(() => {});
  let state: "open" | "committed" | "disposed" = "open";

  return {
    async write(values) {
      let text = "";
      for (const value of values) text += encodeItem(value) + "\n";
      // A failed stream never drains, so its end is awaited as well.
      if (text !== "" && !head.write(text)) await Promise.race([once(head, "drain"), ended]);
    },
    async commit() {
      head.end();
      await ended;
      await rename(staging, path);
      state = "committed";
    },
    async [Symbol.asyncDispose]() {
      if (state !== "open") return;
      state = "disposed";
      head.destroy();
      file.destroy();
      await ended.catch(() => {});
      await rm(staging, { force: true });
    },
  };
}

async function createPackerFor(path: string): Promise<Transform | undefined> {
  if (path.endsWith(".gz")) return (await import("node:zlib")).createGzip();
  if (path.endsWith(".zst")) return (await import("../bytes/zstd.js")).createPacker();
  return undefined;
}

/**
 * Writes all values, in arrays of any size, to a file of JSON lines, atomically.
 * @returns how many lines it has
 */
export async function writeJsonl(
  path: string,
  values: Iterable<Iterable<unknown>> | AsyncIterable<Iterable<unknown>>,
): Promise<number> {
  await using writer = await openJsonlWriter(path);
  let lines = 0;
  for await (const some of values) {
    const array = [...some];
    lines += array.length;
    await writer.write(array);
  }
  await writer.commit();
  return lines;
}
