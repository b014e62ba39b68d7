/**
 * Tables of a flatbuffer, as the messages of Arrow are (flatbuffers.dev, "Internals"). Every access is checked against the bytes:
 * a damaged flatbuffer throws, and never costs more than its bytes allow. Offsets point forwards only, so there are no cycles.
 */
export class FlatTable {
  readonly #bytes: Buffer;
  readonly #at: number;
  readonly #vtable: number;
  readonly #vtableBytes: number;

  /** @throws RangeError for an offset outside of the bytes */
  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.#at = at;
    this.#vtable = at - bytes.readInt32LE(at);
    this.#vtableBytes = bytes.readUInt16LE(this.#vtable);
    // The library reads these 16 bits with a sign, and half an entry as one: neither may be, or it would see what is not checked here.
    const isOdd = this.#vtableBytes % 2 === 1 || this.#vtableBytes > 0x7fff;
    if (isOdd || this.#vtableBytes < 4 || this.#vtable + this.#vtableBytes > bytes.length) throw damaged();
  }

  static root(bytes: Buffer): FlatTable {
    return new FlatTable(bytes, bytes.readUInt32LE(0));
  }

  /** Of a field, by its number in the schema of the table; undefined where it has its default. */
  #field(slot: number): number | undefined {
    const entry = 4 + 2 * slot;
    if (entry + 2 > this.#vtableBytes) return undefined;
    const offset = this.#bytes.readUInt16LE(this.#vtable + entry);
    if (offset > 0x7fff) throw damaged();
    return offset === 0 ? undefined : this.#at + offset;
  }

  byte(slot: number, otherwise = 0): number {
    const at = this.#field(slot);
    return at === undefined ? otherwise : this.#bytes.readUInt8(at);
  }

  short(slot: number, otherwise = 0): number {
    const at = this.#field(slot);
    return at === undefined ? otherwise : this.#bytes.readInt16LE(at);
  }

  int(slot: number, otherwise = 0): number {
    const at = this.#field(slot);
    return at === undefined ? otherwise : this.#bytes.readInt32LE(at);
  }

  long(slot: number): number {
    const at = this.#field(slot);
    return at === undefined ? 0 : longAt(this.#bytes, at);
  }

  table(slot: number): FlatTable | undefined {
    const at = this.#field(slot);
    return at === undefined ? undefined : new FlatTable(this.#bytes, at + this.#bytes.readUInt32LE(at));
  }

  text(slot: number): string | undefined {
    const at = this.#field(slot);
    if (at === undefined) return undefined;
    const { begin, count } = this.#vector(at, 1);
    return this.#bytes.toString("utf8", begin, begin + count);
  }

  tables(slot: number): FlatTable[] {
    const at = this.#field(slot);
    if (at === undefined) return [];
    const { begin, count } = this.#vector(at, 4);
    return Array.from({ length: count }, (_, i) => {
      const entry = begin + 4 * i;
      return new FlatTable(this.#bytes, entry + this.#bytes.readUInt32LE(entry));
    });
  }

  /** Structs, each of so many bytes: what is read of the first byte of each. */
  structs<T>(slot: number, width: number, read: (bytes: Buffer, at: number) => T): T[] {
    const at = this.#field(slot);
    if (at === undefined) return [];
    const { begin, count } = this.#vector(at, width);
    return Array.from({ length: count }, (_, i) => read(this.#bytes, begin + width * i));
  }

  #vector(at: number, width: number): { begin: number; count: number } {
    const begin = at + this.#bytes.readUInt32LE(at) + 4;
    const count = this.#bytes.readUInt32LE(begin - 4);
    if (begin + count * width > this.#bytes.length) throw damaged();
    return { begin, count };
  }
}

/** @throws RangeError beyond 2^53 */
export function longAt(bytes: Buffer, at: number): number {
  const value = bytes.readInt32LE(at + 4) * 2 ** 32 + bytes.readUInt32LE(at);
  if (!Number.isSafeInteger(value)) throw damaged();
  return value;
}

const damaged = (): RangeError => new RangeError("its metadata are damaged");

/** What to say of an error: those of Node's buffers tell of offsets that nobody knows. */
export function reasonOf(error: unknown): string {
  const { code, message } = error as { code?: unknown; message: string };
  return typeof code === "string" && code.startsWith("ERR_") ? damaged().message : message;
}
