import { randomUUID } from "node:crypto";
import { closeSync, openSync, unlinkSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deserialize, serialize } from "node:v8";
import { environmentError, readFully } from "../../base/disk.js";
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
      // At its place, whatever a write before that failed has left behind the end.
      for (let at = 0; at < block.length; ) at += writeSync(this.#fd, block, at, block.length - at, this.#end + at);
    } catch (error) {
      throw environmentError("write", tmpdir(), error);
    }
    this.#end += block.length;
    return { at: this.#end - block.length, bytes: block.length };
  }

  read(at: number, bytes: number): Row[] {
    const block = Buffer.allocUnsafe(bytes);
    if (readFully(this.#fd!, block, at) < bytes) throw new Error(`the spool ends before byte ${at + bytes}`);
    return deserialize(block) as Row[];
  }

  [Symbol.dispose](): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}

function openNameless(): number {
  const path = join(tmpdir(), `kagurazaka-rows-${randomUUID()}`);
  const fd = openSync(path, "wx+", 0o600);
  unlinkSync(path);
  return fd;
}
