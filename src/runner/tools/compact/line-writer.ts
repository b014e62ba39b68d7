import { withChecksum } from "../../../base/checksum.js";
import { writeFully } from "../../../base/disk.js";
import { copyOf, type LedgerHeader } from "../../ledger/lines.js";

const BUFFER_BYTES = 256 * 1024;

/** Lines as bytes, copied into one buffer and from there into a file. */
export class LineWriter {
  lines = 0;
  bytes = 0;
  readonly #fd: number;
  readonly #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  #size = 0;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** A header as it stands in a segment: with a copy, where its lines have checksums. */
  writeHeader({ c, ...header }: LedgerHeader): void {
    if (c === undefined) return this.#writeText(JSON.stringify(header));
    this.#writeText(withChecksum(JSON.stringify(header)));
    this.gap();
    this.#writeText(withChecksum(JSON.stringify(copyOf(header))));
  }

  /** An empty line, which is not counted. */
  gap(): void {
    this.#writeText("");
    this.lines--;
  }

  #writeText(line: string): void {
    const bytes = Buffer.from(line);
    this.write(bytes, 0, bytes.length);
  }

  /** `bytes[start, end)`, which hold no newline. */
  write(bytes: Uint8Array, start: number, end: number): void {
    const size = end - start + 1;
    this.lines++;
    this.bytes += size;
    if (this.#size + size > BUFFER_BYTES) this.flush();
    if (size > BUFFER_BYTES) {
      const line = Buffer.concat([bytes.subarray(start, end), Buffer.of(0x0a)]);
      writeFully(this.#fd, line, line.length);
      return;
    }
    this.#buffer.set(bytes.subarray(start, end), this.#size);
    this.#size += size;
    this.#buffer[this.#size - 1] = 0x0a;
  }

  flush(): void {
    writeFully(this.#fd, this.#buffer, this.#size);
    this.#size = 0;
  }
}
