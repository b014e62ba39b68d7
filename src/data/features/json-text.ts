import { randomBytes } from "node:crypto";
import { MAX_JSON_DEPTH } from "../../base/exact-json.js";
import type { Features } from "./feature.js";
import { NotText } from "./not-text.js";
import { isPlain, objectFlaw, rowFlaw } from "./plain-data.js";
import { timesAsText } from "./time-texts.js";

/** Marks numbers in text, for those that JSON.stringify refuses or changes. No data can have it: it is new in each process. */
const MARK = randomBytes(9).toString("base64url");
const BRACE = 123;
const MARKED = new RegExp(`"${MARK}([^"]*)"`, "g");

/**
 * A row as JSON. Beyond JSON: `bigint` is an integer, a Date ISO 8601, bytes are base64, typed arrays lists; `undefined` fields are left
 * out. A number beyond 2^53 has an exponent: an integer there is a `bigint`, which `parseJson` makes of its digits.
 * @throws NotText for NaN, Infinity, what has no JSON at all (a Promise, a Map, an Error), and more than 1000 levels
 */
export function jsonText(row: object): string {
  const flaw = rowFlaw(row);
  if (flaw !== undefined) throw new NotText(`${flaw} is not a row`);
  const found = { marks: false };
  const text = written(plainOf(row, found, "", 0), found);
  if (text.charCodeAt(0) === BRACE) return text;
  throw new NotText(`its toJSON makes no object of a row, but ${text.slice(0, 60)}`);
}

/** As `jsonText`, with times in one form where the features tell them. */
export function jsonWriter(features: Features | undefined): (row: object) => string {
  const withTexts = features && timesAsText(features);
  return withTexts ? (row) => jsonText(withTexts(row)) : jsonText;
}

/** Any value as JSON, as it stands in a row. @param column for messages @throws NotText */
export function jsonValueText(value: unknown, column: string): string {
  const found = { marks: false };
  return written(plainJson(value, found, column), found);
}

/** Looks whether a value can be JSON; cheaper than making its text. @throws NotText */
export function assertJson(value: unknown, column: string): void {
  plainJson(value, { marks: false }, column);
}

interface Found {
  marks: boolean;
}

function written(plain: unknown, found: Found): string {
  const text = JSON.stringify(plain);
  return found.marks ? text.replace(MARKED, "$1") : text;
}

function plainJson(value: unknown, found: Found, column: string): unknown {
  const plain = plainValue(value, found, column, 0);
  if (plain === undefined) throw new NotText("undefined, which is not JSON", column);
  return plain;
}

function plainValue(value: unknown, found: Found, name: string, depth: number): unknown {
  switch (typeof value) {
    case "number":
      return value < 2 ** 53 && value > -(2 ** 53) ? value : plainNumber(value, found, name);
    case "bigint":
      found.marks = true;
      return `${MARK}${value}`;
    case "object":
      return value === null ? null : plainOf(value, found, name, depth);
    case "function":
    case "symbol":
      throw new NotText(`a ${typeof value}, which is not JSON`, name);
    default:
      return value;
  }
}

function plainNumber(value: number, found: Found, name: string): unknown {
  if (!Number.isFinite(value))
    throw new NotText(`${value}, which JSON cannot represent: write null, or choose parquet or arrow`, name);
  found.marks = true;
  return `${MARK}${value.toExponential()}`;
}

/** The object itself where all in it is JSON. */
function plainOf(value: object, found: Found, name: string, depth: number): unknown {
  if (depth === MAX_JSON_DEPTH) throw new NotText(`nested deeper than ${MAX_JSON_DEPTH} levels`, name);
  if (Array.isArray(value)) return plainArray(value, found, name, depth);
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.length).toString("base64");
  if (ArrayBuffer.isView(value) && !(value instanceof DataView))
    return Array.from(value as unknown as ArrayLike<unknown>, (one) => plainValue(one, found, name, depth));
  if (value instanceof Date) {
    if (!Number.isNaN(value.getTime())) return value.toISOString();
    throw new NotText("an invalid Date", name);
  }
  return plainObject(value, found, name, depth);
}

function plainArray(array: readonly unknown[], found: Found, name: string, depth: number): readonly unknown[] {
  let copy: unknown[] | undefined;
  for (let i = 0; i < array.length; i++) {
    const plain = plainValue(array[i], found, name, depth + 1);
    if (plain === array[i]) continue;
    copy ??= [...array];
    copy[i] = plain;
  }
  return copy ?? array;
}

function plainObject(object: object, found: Found, path: string, depth: number): unknown {
  let copy: Record<string, unknown> | undefined;
  const fields = object as Record<string, unknown>;
  if (typeof fields.toJSON === "function")
    return plainValue((fields as unknown as { toJSON(): unknown }).toJSON(), found, path, depth + 1);
  const isForeign = !isPlain(object);
  const flaw = isForeign ? objectFlaw(object) : undefined;
  if (flaw !== undefined) throw new NotText(flaw, path);
  for (const name in fields) {
    const value = fields[name];
    if (typeof value === "string" || typeof value === "boolean" || value === null) continue;
    if (isForeign && !Object.hasOwn(fields, name)) continue;
    const plain = plainValue(value, found, depth === 0 && path === "" ? name : path, depth + 1);
    if (plain === value) continue;
    copy ??= { ...fields };
    copy[name] = plain;
  }
  return copy ?? object;
}
