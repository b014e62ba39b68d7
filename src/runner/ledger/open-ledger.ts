import { closeSync, fdatasyncSync, fstatSync, ftruncateSync, openSync } from "node:fs";
import { dirname, join } from "node:path";
import { environmentError, syncData, syncPath, syncUpwards, writeFully } from "../../base/disk.js";
import { type ErrorRecord, failureClassOf } from "../../base/errors.js";
import { makeDirectory } from "../../base/make-directory.js";
import type { LedgerName } from "../../contracts/chunk.js";
import type { FailedKeys } from "./failures/failed-keys.js";
import { LineBuffer, roundMs } from "./line-buffer.js";
import type {
  CheckpointLine,
  DoneLine,
  EpochCompleteLine,
  EpochOpenLine,
  FailedLine,
  FilteredLine,
  LedgerHeader,
} from "./lines.js";

const BUFFER_BYTES = 64 * 1024;
const AUTO_FLUSH_BYTES = 256 * 1024;
const MAX_ITEM_BYTES = 64 * 1024;

export interface LedgerRequest {
  /** The ledger directory; made when the first line is. */
  readonly dir: string;
  readonly header: LedgerHeader;
  /** Every flush waits for the disk. */
  readonly durable: boolean;
  /** Called before each physical write; throws when this run may no longer write (the lease is lost). */
  readonly beforeWrite?: () => void;
  /** Kept in step with what is appended here: the `failed` of the loaded index. */
  readonly failed?: FailedKeys;
}

export interface Failure {
  readonly key: string;
  readonly attempts: number;
  /** Time inside `process`, of the last attempt. */
  readonly ms: number;
  readonly error: ErrorRecord;
  /** Kept up to 64 KB of JSON, so that `--retry-failed` need not list again. */
  readonly item?: unknown;
}

export interface Extra {
  /** Left out of the line where 1. */
  readonly attempts?: number;
  /** The key was done before in this epoch. */
  readonly again?: boolean;
}

/**
 * The ledger as the run's coordinator writes it. `append…` only buffers; nothing is recorded before `flush` (or the
 * automatic one above 256 KB) has returned. Errors of the disk are `environment` errors; what could not be written stays
 * in the buffer and goes out, from the very byte where it stopped, should a later flush succeed.
 */
export class Ledger implements AsyncDisposable {
  readonly file: string;
  readonly #request: LedgerRequest;
  readonly #buffer = new LineBuffer(BUFFER_BYTES);
  readonly #failed: FailedKeys | undefined;
  #fd: number | undefined;
  /** Bytes of the file that are known to be there. */
  #written = 0;
  #closed = false;
  /** The caller has had an error of a write already. */
  #troubled = false;

  constructor(request: LedgerRequest) {
    this.#request = request;
    this.#failed = request.failed;
    this.file = `${request.header.run}.jsonl`;
    // The header goes first, whatever the first line is; alone it is not written.
    this.#buffer.append(JSON.stringify(request.header));
    this.#headerBytes = this.#buffer.size;
  }

  readonly #headerBytes: number;

  get path(): string {
    return join(this.#request.dir, this.file);
  }

  /** Bytes appended and not yet written. */
  get pendingBytes(): number {
    return this.#hasLines ? this.#buffer.size : 0;
  }

  /** How far the segment reaches that the system has been given; 0 while there is no line in it. */
  get recordedBytes(): number {
    return this.#written > this.#headerBytes ? this.#written : 0;
  }

  get #hasLines(): boolean {
    return this.#written > 0 || this.#buffer.size > this.#headerBytes;
  }

  appendDone(key: string, ms: number, extra?: Extra): void {
    this.#failed?.forget(key);
    if (extra !== undefined || !this.#buffer.appendPlainDone(key, ms)) {
      const line: DoneLine = {
        k: key,
        s: "done",
        ms: roundMs(ms),
        ...attemptsOf(extra?.attempts),
        ...(extra?.again ? { again: 1 } : {}),
      };
      this.#buffer.append(JSON.stringify(line));
    }
    if (this.#buffer.size > AUTO_FLUSH_BYTES) this.flush();
  }

  /** The fast way for a key that stands somewhere as bytes: plain ASCII without quotes or backslashes. */
  appendDoneName(name: LedgerName, ms: number): void {
    this.#buffer.appendDoneBytes(name, ms);
    if (this.#buffer.size > AUTO_FLUSH_BYTES) this.flush();
  }

  appendFiltered(key: string, ms: number, reason: string, attempts = 1): void {
    this.#failed?.forget(key);
    this.#append({ k: key, s: "filtered", ms: roundMs(ms), reason, ...attemptsOf(attempts) } satisfies FilteredLine);
  }

  appendFailed(failure: Failure): void {
    const line: FailedLine = {
      k: failure.key,
      s: "failed",
      ms: roundMs(failure.ms),
      n: failure.attempts,
      class: failureClassOf(failure.error),
      error: failure.error,
    };
    const head = JSON.stringify(line).slice(0, -1);
    const offset = this.#written + this.#buffer.size;
    const before = this.#buffer.size;
    this.#buffer.append(`${head}${itemField(failure.item)}}`);
    this.#failed?.remember(failure.key, {
      file: this.file,
      run: this.#request.header.run,
      offset,
      length: this.#buffer.size - before - 1,
    });
    if (this.#buffer.size > AUTO_FLUSH_BYTES) this.flush();
  }

  appendEpochOpen(epoch: Omit<EpochOpenLine, "open">): void {
    const line: EpochOpenLine = {
      epoch: epoch.epoch,
      open: true,
      scope: epoch.scope,
      ...(epoch.partial ? { partial: true } : {}),
    };
    this.#append(line);
  }

  appendEpochComplete(epoch: Omit<EpochCompleteLine, "complete">): void {
    this.#append({ epoch: epoch.epoch, complete: true, scope: epoch.scope } satisfies EpochCompleteLine);
  }

  appendCheckpoint(mark: CheckpointLine): void {
    this.#append(mark);
  }

  #append(line: object): void {
    this.#buffer.append(JSON.stringify(line));
    if (this.#buffer.size > AUTO_FLUSH_BYTES) this.flush();
  }

  /** Makes the segment now, with its header, though nothing is recorded yet. */
  create(): void {
    this.#write();
  }

  /** Makes the segment, and waits until its beginning is on disk, where a later boot finds it whatever else is lost. */
  async begin(): Promise<void> {
    this.create();
    await this.syncToDisk();
    try {
      await syncUpwards(this.#request.dir);
    } catch (error) {
      throw environmentError("write the ledger", this.path, error);
    }
  }

  /** Waits, beside other work, until what was flushed is on disk. */
  async syncToDisk(): Promise<void> {
    if (this.#fd === undefined) return;
    try {
      await syncData(this.#fd);
    } catch (error) {
      throw environmentError("write the ledger", this.path, error);
    }
  }

  /** Writes what was appended, synchronously. Without lines it does nothing: a run that records nothing leaves no segment. */
  flush(): void {
    if (this.#hasLines && this.#buffer.size > 0) this.#write();
  }

  #write(): void {
    const { beforeWrite, durable } = this.#request;
    try {
      beforeWrite?.();
      this.#fd ??= this.#open();
      const fd = this.#fd;
      let wrote = 0;
      try {
        writeFully(fd, this.#buffer.bytes, this.#buffer.size, (size) => {
          wrote += size;
          this.#written += size;
        });
      } finally {
        this.#buffer.drop(wrote);
      }
      this.#buffer.shrink(BUFFER_BYTES);
      if (durable) fdatasyncSync(fd);
    } catch (error) {
      this.#troubled = true;
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

  /** A failed write may have left bytes it did not own up to; without them the next one continues at the right byte. */
  #cutBack(): void {
    if (this.#fd === undefined) return;
    try {
      if (fstatSync(this.#fd).size > this.#written) ftruncateSync(this.#fd, this.#written);
    } catch {
      // The disk is beyond help, and the first error says so already.
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    // One last try; an error that the caller knows already is not told twice.
    const wasTroubled = this.#troubled;
    try {
      this.flush();
    } catch (error) {
      if (!wasTroubled) throw error;
    } finally {
      if (this.#fd !== undefined) closeSync(this.#fd);
    }
  }
}

/** Opens the segment of one run; the file itself is made by the first line written. */
export function openLedger(request: LedgerRequest): Ledger {
  return new Ledger(request);
}

const attemptsOf = (attempts: number | undefined): { n?: number } =>
  attempts === undefined || attempts === 1 ? {} : { n: attempts };

function itemField(item: unknown): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(item);
  } catch {
    // Circular, or a BigInt: the failure matters more than the item.
  }
  if (json === undefined) return "";
  const bytes = Buffer.byteLength(json);
  return bytes <= MAX_ITEM_BYTES ? `,"item":${json}` : `,"itemBytes":${bytes}`;
}
