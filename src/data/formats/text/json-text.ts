import { randomBytes } from "node:crypto";
import { NotText } from "./not-text.js";

/** Marks integers in text, where JSON.stringify takes no bigint. No data can have it: it is new in each process. */
const MARK = randomBytes(9).toString("base64url");
const MARKED = new RegExp(`"${MARK}(-?\\d+)"`, "g");

/**
 * A row as JSON. Beyond JSON: `bigint` is an integer, a Date ISO 8601, bytes are base64, typed arrays lists; `undefined` fields are left out.
 * @throws NotText for NaN, Infinity and what has no JSON at all
 */
export function jsonText(row: object): string {
  const found = { integers: false };
  const plain = plainObject(row, found);
  const text = JSON.stringify(plain);
  return found.integers ? text.replace(MARKED, "$1") : text;
}

interface Found {
  integers: boolean;
}

/** The object itself where all in it is JSON. */
function plainObject(object: object, found: Found): object {
  let copy: Record<string, unknown> | undefined;
  const fields = object as Record<string, unknown>;
  for (const name in fields) {
    const value = fields[name];
    if (typeof value === "string" || typeof value === "boolean" || value === null) continue;
    const plain = plainValue(value, found, name);
    if (plain === value) continue;
    copy ??= { ...fields };
    copy[name] = plain;
  }
  return copy ?? object;
}

function plainValue(value: unknown, found: Found, name: string): unknown {
  switch (typeof value) {
    case "number":
      if (Number.isFinite(value)) return value;
      throw new NotText(`column ${name} is ${value}, which JSON cannot say: write null, or choose parquet or arrow`);
    case "bigint":
      found.integers = true;
      return `${MARK}${value}`;
    case "object":
      return value === null ? null : plainOf(value, found, name);
    case "function":
    case "symbol":
      throw new NotText(`column ${name} is a ${typeof value}`);
    default:
      return value;
  }
}

function plainOf(value: object, found: Found, name: string): unknown {
  if (Array.isArray(value)) {
    let copy: unknown[] | undefined;
    for (let i = 0; i < value.length; i++) {
      const plain = plainValue(value[i], found, name);
      if (plain === value[i]) continue;
      copy ??= [...value];
      copy[i] = plain;
    }
    return copy ?? value;
  }
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.length).toString("base64");
  if (ArrayBuffer.isView(value))
    return Array.from(value as unknown as ArrayLike<unknown>, (one) => plainValue(one, found, name));
  if (value instanceof Date) {
    if (!Number.isNaN(value.getTime())) return value.toISOString();
    throw new NotText(`column ${name} is an invalid Date`);
  }
  if (value instanceof Map || value instanceof Set)
    throw new NotText(`column ${name} is a ${value.constructor.name}: make an array or an object of it`);
  return plainObject(value, found);
}
