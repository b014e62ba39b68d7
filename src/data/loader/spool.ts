import { randomUUID } from "node:crypto";
import { closeSync, openSync, readSync, unlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deserialize, serialize } from "node:v8";
import { environmentError, writeFully } from "../../base/disk.js";
import type { Row } from "../batch/batch.js";

/** Rows on disk, to be read again in any order. The file has no name: whatever ends the process, it is gone. */
export class Spool implements Disposable {
  #fd: number | undefined;
  #end = 0;

  /** @returns where they are */
  append(rows: readonly Row[]): { readonly at: number; readonly bytes: number } {
    const block = serialize(rows);
    try {
      this.#fd ??= openNameless();
      writeFully(this.#fd, block, block.length);
    } catch (error) {
      throw environmentError("write", tmpdir(), error);
    }
    this.#end += block.length;
    return { at: this.#end - block.length, bytes: block.length };
  }

  read(at: number, bytes: number): Row[] {
    const block = Buffer.allocUnsafe(bytes);
    for (let filled = 0; filled < bytes; ) filled += readSync(this.#fd!, block, filled, bytes - filled, at + filled);
    return deserialize(block) as Row[];
  }

  [Symbol.dispose](): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}

function openNameless(): number {
  const path = join(tmpdir(), `kagurazaka-rows-${randomUUID()}`);
  const fd = openSync(path, "ax+", 0o600);
  unlinkSync(path);
  return fd;
}
