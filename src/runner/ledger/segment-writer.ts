import { closeSync, fdatasyncSync, fstatSync, ftruncateSync } from "node:fs";
import { dirname, join } from "node:path";
import { environmentError, syncData, syncPath, syncUpwards, writeFully } from "../../base/disk.js";
import { makeOwnDirectory } from "../../base/make-directory.js";
import { openOwn } from "../../base/own-file.js";
import { LineBuffer } from "./line-buffer.js";
import { copyOf, type LedgerHeader } from "./lines.js";

const BUFFER_BYTES = 64 * 1024;

export interface SegmentRequest {
  /** The ledger directory; created with the first line. */
  readonly dir: string;
  readonly header: LedgerHeader;
  /** Every flush waits for the disk. */
  readonly durable: boolean;
}

/**
 * The file of one segment. Lines are only buffered: nothing is recorded before `flush` has returned. Errors of the disk are
 * `environment` errors. Unwritten bytes stay in the buffer, and a later flush continues at the same byte.
 */
export class SegmentWriter implements AsyncDisposable {
  readonly file: string;
  protected readonly buffer = new LineBuffer(BUFFER_BYTES);
  readonly #request: SegmentRequest;
  readonly #headerBytes: number;
  #fd: number | undefined;
  /** Bytes of the file that are known to be written. */
  #written = 0;
  #closed = false;
  /** The caller has already received a write error. */
  #hasFailed = false;

  constructor(request: SegmentRequest) {
    this.#request = request;
    this.file = `${request.header.run}.jsonl`;
    // The header is written together with the first line.
    this.buffer.appendChecked(JSON.stringify(request.header));
    this.buffer.appendGap();
    this.buffer.appendChecked(JSON.stringify(copyOf(request.header)));
    this.#headerBytes = this.buffer.size;
  }

  get path(): string {
    return join(this.#request.dir, this.file);
  }

  /** Bytes appended and not yet written. */
  get pendingBytes(): number {
    return this.#hasLines ? this.buffer.size : 0;
  }

  /** Bytes of the segment that were written; 0 while it has no line. */
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

  /** Creates the segment with its header before anything is recorded. */
  create(): void {
    this.#write();
  }

  /** Creates the segment and syncs its header, so that a later boot finds it even after a power loss. */
  async begin(): Promise<void> {
    this.create();
    await this.syncToDisk();
    await this.#namingErrors(syncUpwards(this.#request.dir));
  }

  /** Waits, without blocking the thread, until the flushed bytes are on disk. */
  async syncToDisk(): Promise<void> {
    if (this.#fd !== undefined) await this.#namingErrors(syncData(this.#fd));
  }

  /** Writes what was appended, synchronously. Without lines it does nothing: a run that records nothing leaves no segment. */
  flush(): void {
    if (this.#hasLines && this.buffer.size > 0) this.#write();
  }

  /** Drops unwritten lines: they must not be recorded when the lease is lost or a sink has failed. */
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
    makeOwnDirectory(dir);
    const fd = openOwn(this.path, "new");
    if (durable) {
      syncPath(dir);
      syncPath(dirname(dir));
    }
    return fd;
  }

  /** Cuts off bytes that a failed write may have left, so that the next write continues at the right byte. */
  #cutBack(): void {
    if (this.#fd === undefined) return;
    try {
      if (fstatSync(this.#fd).size > this.#written) ftruncateSync(this.#fd, this.#written);
    } catch {
      // The first error already reports the cause.
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
    // One last try; an error that the caller has already received is not thrown again.
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
