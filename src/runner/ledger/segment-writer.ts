import { closeSync, fdatasyncSync, fstatSync, ftruncateSync, openSync } from "node:fs";
import { dirname, join } from "node:path";
import { environmentError, syncData, syncPath, syncUpwards, writeFully } from "../../base/disk.js";
import { makeDirectory } from "../../base/make-directory.js";
import { LineBuffer } from "./line-buffer.js";
import type { LedgerHeader } from "./lines.js";

const BUFFER_BYTES = 64 * 1024;

export interface SegmentRequest {
  /** The ledger directory; made when the first line is. */
  readonly dir: string;
  readonly header: LedgerHeader;
  /** Every flush waits for the disk. */
  readonly durable: boolean;
}

/**
 * The file of one segment. Lines are only buffered: nothing is recorded before `flush` has returned. Errors of the disk are
 * `environment` errors; what could not be written stays in the buffer and is written, from the very byte where it stopped,
 * should a later flush succeed.
 */
export class SegmentWriter implements AsyncDisposable {
  readonly file: string;
  protected readonly buffer = new LineBuffer(BUFFER_BYTES);
  readonly #request: SegmentRequest;
  readonly #headerBytes: number;
  #fd: number | undefined;
  /** Bytes of the file that are known to be there. */
  #written = 0;
  #closed = false;
  /** The caller has had the error of a write already. */
  #hasFailed = false;

  constructor(request: SegmentRequest) {
    this.#request = request;
    this.file = `${request.header.run}.jsonl`;
    // The header goes first, whatever the first line is; alone it is not written.
    this.buffer.append(JSON.stringify(request.header));
    this.#headerBytes = this.buffer.size;
  }

  get path(): string {
    return join(this.#request.dir, this.file);
  }

  /** Bytes appended and not yet written. */
  get pendingBytes(): number {
    return this.#hasLines ? this.buffer.size : 0;
  }

  /** How many bytes of the segment the system has been given; 0 while there is no line in it. */
  get recordedBytes(): number {
    return this.#written > this.#headerBytes ? this.#written : 0;
  }

  /** Where in the file the next line will begin. */
  protected get nextOffset(): number {
    return this.#written + this.buffer.size;
  }

  get #hasLines(): boolean {
    return this.#written > 0 || this.buffer.size > this.#headerBytes;
  }

  /** Makes the segment now, with its header, though nothing is recorded yet. */
  create(): void {
    this.#write();
  }

  /** Makes the segment, and waits until its beginning is on disk, where a later boot finds it whatever else is lost. */
  async begin(): Promise<void> {
    this.create();
    await this.syncToDisk();
    await this.#namingErrors(syncUpwards(this.#request.dir));
  }

  /** Waits, beside other work, until what was flushed is on disk. */
  async syncToDisk(): Promise<void> {
    if (this.#fd !== undefined) await this.#namingErrors(syncData(this.#fd));
  }

  /** Writes what was appended, synchronously. Without lines it does nothing: a run that records nothing leaves no segment. */
  flush(): void {
    if (this.#hasLines && this.buffer.size > 0) this.#write();
  }

  /** Drops what was appended and not written: it may not be recorded, for the lease is lost or a sink has failed. */
  discard(): void {
    this.buffer.drop(this.buffer.size);
  }

  #write(): void {
    const { durable } = this.#request;
    try {
      this.#fd ??= this.#open();
      const fd = this.#fd;
      let wrote = 0;
      try {
        writeFully(fd, this.buffer.bytes, this.buffer.size, (size) => {
          wrote += size;
          this.#written += size;
        });
      } finally {
        this.buffer.drop(wrote);
      }
      this.buffer.shrink(BUFFER_BYTES);
      if (durable) fdatasyncSync(fd);
    } catch (error) {
      this.#hasFailed = true;
      this.#cutBack();
      throw environmentError("write the ledger", this.path, error);
    }
  }

  #open(): number {
    const { dir, durable } = this.#request;
    makeDirectory(dir);
    const fd = openSync(this.path, "ax");
    if (durable) {
      syncPath(dir);
      syncPath(dirname(dir));
    }
    return fd;
  }

  /** A failed write may have left bytes that it did not report; without them the next one continues at the right byte. */
  #cutBack(): void {
    if (this.#fd === undefined) return;
    try {
      if (fstatSync(this.#fd).size > this.#written) ftruncateSync(this.#fd, this.#written);
    } catch {
      // The first error says already what is wrong with the disk.
    }
  }

  async #namingErrors(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      throw environmentError("write the ledger", this.path, error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    // One last try; an error that the caller has had already is not thrown twice.
    const hadFailed = this.#hasFailed;
    try {
      this.flush();
    } catch (error) {
      if (!hadFailed) throw error;
    } finally {
      if (this.#fd !== undefined) closeSync(this.#fd);
    }
  }
}
