import type { SchemaElement } from "hyparquet";

/** Byte arrays of a page, without an object for each. */
export class ByteArrays {
  readonly length: number;
  readonly #bytes: Buffer;
  /** Begin and end of each. */
  readonly #borders: Int32Array;

  constructor(bytes: Uint8Array, borders: Int32Array) {
    this.length = borders.length / 2;
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#borders = borders;
  }

  slice(from: number, to: number): ByteArrays {
    return new ByteArrays(this.#bytes, this.#borders.subarray(2 * from, 2 * to));
  }

  at(index: number): Buffer {
    return this.#bytes.subarray(this.#borders[2 * index], this.#borders[2 * index + 1]);
  }

  /** Not checked: damage becomes U+FFFD. */
  textAt(index: number): string {
    return this.#bytes.toString("utf8", this.#borders[2 * index], this.#borders[2 * index + 1]);
  }
}

/** Stored values without nulls: numbers in typed arrays, booleans, bytes. INT96 is 12 bytes. */
export type Dense = Int32Array | Float32Array | Float64Array | BigInt64Array | readonly boolean[] | ByteArrays;

/** Some of the values, where they can be without a copy. */
export function sliceDense(dense: Dense, from: number, to: number): Dense {
  if (from === 0 && to === dense.length) return dense;
  return ArrayBuffer.isView(dense) ? dense.subarray(from, to) : dense.slice(from, to);
}

type NumberType = "INT32" | "INT64" | "FLOAT" | "DOUBLE";
const arrays = { INT32: Int32Array, INT64: BigInt64Array, FLOAT: Float32Array, DOUBLE: Float64Array } as const;

/** @throws RangeError where the bytes end too early */
export function readPlain(bytes: Uint8Array, from: number, count: number, { type, type_length }: SchemaElement): Dense {
  switch (type) {
    case "BOOLEAN": {
      need(bytes, from, Math.ceil(count / 8));
      return Array.from({ length: count }, (_, i) => ((bytes[from + (i >> 3)]! >> (i & 7)) & 1) === 1);
    }
    case "BYTE_ARRAY":
      return readByteArrays(bytes, from, count);
    case "INT96":
      return readFixed(bytes, from, count, 12);
    case "FIXED_LEN_BYTE_ARRAY":
      return readFixed(bytes, from, count, type_length ?? 0);
    default: {
      const array = arrays[type as NumberType];
      const size = count * array.BYTES_PER_ELEMENT;
      need(bytes, from, size);
      // Copied: the page may lie at any byte, and its buffer be used again.
      return new array(bytes.slice(from, from + size).buffer);
    }
  }
}

function readByteArrays(bytes: Uint8Array, from: number, count: number): ByteArrays {
  const borders = new Int32Array(2 * count);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = from;
  for (let i = 0; i < count; i++) {
    need(bytes, at, 4);
    const length = view.getUint32(at, true);
    at += 4;
    need(bytes, at, length);
    borders[2 * i] = at;
    at += length;
    borders[2 * i + 1] = at;
  }
  return new ByteArrays(bytes, borders);
}

function readFixed(bytes: Uint8Array, from: number, count: number, length: number): ByteArrays {
  need(bytes, from, count * length);
  return new ByteArrays(
    bytes,
    Int32Array.from({ length: 2 * count }, (_, i) => from + ((i + 1) >> 1) * length),
  );
}

/** Of arrays that a decoder has made one by one. */
export function joinByteArrays(values: readonly Uint8Array[]): ByteArrays {
  const borders = new Int32Array(2 * values.length);
  let at = 0;
  for (const [i, value] of values.entries()) {
    borders[2 * i] = at;
    at += value.length;
    borders[2 * i + 1] = at;
  }
  return new ByteArrays(Buffer.concat(values), borders);
}

function need(bytes: Uint8Array, from: number, length: number): void {
  if (from + length > bytes.length) throw new RangeError("a page ends in the middle of its values");
}

/** The values of a dictionary at some indices. @throws RangeError for an index that it does not have */
export function pick(dictionary: ArrayLike<unknown>, indices: Int32Array): ArrayLike<unknown> {
  const { length } = dictionary;
  const picked = ArrayBuffer.isView(dictionary)
    ? new (dictionary.constructor as new (length: number) => unknown[])(indices.length)
    : new Array<unknown>(indices.length);
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i]!;
    if (index >= length || index < 0) throw new RangeError("an index is not in its dictionary");
    picked[i] = dictionary[index];
  }
  return picked;
}
