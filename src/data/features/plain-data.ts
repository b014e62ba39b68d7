/** What an object is named in a message: "a Date", "an ArrayBuffer". */
export function objectName(value: object): string {
  const { name } = (value.constructor ?? Object) as { name?: unknown };
  if (typeof name !== "string" || name === "" || name === "Object") return "an object";
  return `${/^[AEIO]/.test(name) ? "an" : "a"} ${name}`;
}

/** Made by braces, or without a prototype. */
export function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/**
 * Why an object has no fields that could be written, for one that is neither an array, bytes nor a Date: "a Promise: await it".
 * Undefined for a plain object, and for one of a class with fields of its own.
 */
export function objectFlaw(value: object): string | undefined {
  if (isPlain(value)) return undefined;
  const name = objectName(value);
  if (typeof (value as { then?: unknown }).then === "function") return `${name}: await it`;
  if (value instanceof Error) return `${name}: take what is meant of it, like its message`;
  if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) return `${name}: make a Uint8Array of it`;
  if (Symbol.iterator in value || Symbol.asyncIterator in value) return `${name}: make an array or an object of it`;
  // An empty object of another realm has a prototype of its own.
  if (Object.keys(value).length > 0 || Object.getPrototypeOf(Object.getPrototypeOf(value)) === null) return undefined;
  return `${name} without fields of its own: make an object of it`;
}

/** What a value is that is not a row: "null", "a Date". Undefined for a row. */
export function rowFlaw(row: unknown): string | undefined {
  if (typeof row !== "object" || row === null)
    return typeof row === "string" ? JSON.stringify(row.slice(0, 60)) : String(row);
  if (isPlain(row)) return undefined;
  if (Array.isArray(row)) return "an array";
  if (ArrayBuffer.isView(row) || row instanceof Date) return objectName(row);
  // Formats with a schema would write its fields, and JSON what it says.
  if (typeof (row as { toJSON?: unknown }).toJSON === "function") return `${objectName(row)} with toJSON`;
  return objectFlaw(row) === undefined ? undefined : objectName(row);
}
