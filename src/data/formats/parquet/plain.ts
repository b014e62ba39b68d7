import type { SchemaElement } from "hyparquet";

/** Stored values without nulls: numbers in typed arrays, booleans, bytes. INT96 is 12 bytes. */
export type Dense =
  | Int32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | readonly boolean[]
  | readonly Uint8Array[];

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

function readByteArrays(bytes: Uint8Array, from: number, count: number): Uint8Array[] {
  const values = new Array<Uint8Array>(count);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = from;
  for (let i = 0; i < count; i++) {
    need(bytes, at, 4);
    const length = view.getUint32(at, true);
    need(bytes, at + 4, length);
    values[i] = bytes.subarray(at + 4, at + 4 + length);
    at += 4 + length;
  }
  return values;
}

function readFixed(bytes: Uint8Array, from: number, count: number, length: number): Uint8Array[] {
  need(bytes, from, count * length);
  return Array.from({ length: count }, (_, i) => bytes.subarray(from + i * length, from + (i + 1) * length));
}

function need(bytes: Uint8Array, from: number, length: number): void {
  if (from + length > bytes.length) throw new RangeError("a page ends in the middle of its values");
}

/** The values of a dictionary at some indices. @throws RangeError for an index that it does not have */
export function pickDense(dictionary: Dense, indices: Int32Array): Dense {
  const { length } = dictionary;
  if (ArrayBuffer.isView(dictionary)) {
    const picked = new (dictionary.constructor as new (length: number) => Int32Array)(indices.length);
    const numbers = dictionary as Int32Array;
    for (let i = 0; i < indices.length; i++) {
      const index = indices[i]!;
      if (index >= length || index < 0) throw new RangeError("an index is not in its dictionary");
      picked[i] = numbers[index]!;
    }
    return picked;
  }
  const picked = new Array(indices.length);
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i]!;
    if (index >= length || index < 0) throw new RangeError("an index is not in its dictionary");
    picked[i] = dictionary[index];
  }
  return picked;
}

export function joinDense(parts: readonly Dense[]): Dense {
  const [first] = parts;
  if (first === undefined) return [];
  if (!ArrayBuffer.isView(first))
    return ([] as unknown[]).concat(...(parts as readonly (readonly unknown[])[])) as Dense;
  const joined = new (first.constructor as new (length: number) => Int32Array)(
    parts.reduce((sum, { length }) => sum + length, 0),
  );
  let at = 0;
  for (const part of parts) {
    joined.set(part as Int32Array, at);
    at += part.length;
  }
  return joined;
}
