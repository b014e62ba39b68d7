import { encodeItem } from "./canonical-json.js";

/**
 * JSON in which integers keep their value: one that a number cannot hold is a `bigint`. `JSON.parse` makes another number of
 * it. Decimals are doubles, as everywhere.
 */

/** An integer of fewer digits is below 2^53. */
const MIN_DIGITS = 16;
/** Far above 64 bits. Bounds the time that turning digits into a number takes. */
const MAX_DIGITS = 400;
/** Code that walks a value calls itself for each level. */
export const MAX_JSON_DEPTH = 1000;
const INTEGER = /(?<![\d.eE+-])-?(\d{16,})(?:\.0*)?(?:[eE][+-]?0+)?(?![\d.eE])/g;

/**
 * @throws SyntaxError for a text that is not JSON; RangeError for an integer of more than 400 digits, one that would be rounded,
 * and more than 1000 levels
 */
export function parseJson(text: string): unknown {
  const value = parsePlainJson(text);
  if (!mayHaveLargeIntegers(text)) return value;
  const quoted = quoteLargeIntegers(text);
  return quoted === text ? value : withIntegers(value, JSON.parse(quoted));
}

/** As `parseJson`, for a text without large integers: `JSON.parse` takes any number of levels, which nothing else can walk. */
export function parsePlainJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  if (mayBeDeep(text)) assertDepth(value, 0);
  return value;
}

/** Whether there are so many brackets at all. */
function mayBeDeep(text: string): boolean {
  if (text.length <= 2 * MAX_JSON_DEPTH) return false;
  let opened = 0;
  for (const bracket of ["{", "["])
    for (let at = text.indexOf(bracket); at >= 0; at = text.indexOf(bracket, at + 1))
      if (++opened > MAX_JSON_DEPTH) return true;
  return false;
}

function assertDepth(value: unknown, depth: number): void {
  if (typeof value !== "object" || value === null) return;
  if (depth === MAX_JSON_DEPTH) throw new RangeError(`nested deeper than ${MAX_JSON_DEPTH} levels`);
  if (Array.isArray(value)) for (const one of value) assertDepth(one, depth + 1);
  else for (const name in value) assertDepth((value as Record<string, unknown>)[name], depth + 1);
}

/**
 * As `JSON.stringify`, and integers that a number cannot hold are written as they are.
 * @throws KagurazakaError `not-json` for what neither can write
 */
export function stringifyJson(value: object): string;
export function stringifyJson(value: unknown): string | undefined;
export function stringifyJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return encodeItem(value);
  }
}

/** Whether 16 digits follow one another somewhere. Looks at every 16th character, so it costs little beside the parsing. */
export function mayHaveLargeIntegers(text: string): boolean {
  for (let at = MIN_DIGITS - 1; at < text.length; at += MIN_DIGITS) {
    if (!isDigit(text.charCodeAt(at))) continue;
    let from = at;
    let to = at + 1;
    while (from > 0 && isDigit(text.charCodeAt(from - 1))) from--;
    while (to - from < MIN_DIGITS && isDigit(text.charCodeAt(to))) to++;
    if (to - from >= MIN_DIGITS) return true;
  }
  return false;
}

const isDigit = (code: number): boolean => code >= 48 && code <= 57;

/** The same JSON with large integers as texts. */
function quoteLargeIntegers(text: string): string {
  let quoted = "";
  for (let at = 0; at < text.length; ) {
    const quote = text.indexOf('"', at);
    const start = quote < 0 ? text.length : quote;
    quoted += text.slice(at, start).replace(INTEGER, quoteIfLarge);
    at = quote < 0 ? start : endOfString(text, start);
    quoted += text.slice(start, at);
  }
  return quoted;
}

/** @throws RangeError where neither a number nor a `bigint` is what was meant: 9007199254740993.0 */
function quoteIfLarge(number: string, digits: string): string {
  if (Number.isSafeInteger(Number(number))) return number;
  if (digits.length > MAX_DIGITS)
    throw new RangeError(`an integer of ${digits.length} digits; ${MAX_DIGITS} are the most`);
  if (number.endsWith(digits)) return `"${number}"`;
  if (BigInt(digits) === BigInt(Math.abs(Number(number)))) return number;
  throw new RangeError(`${number} is beyond 2^53 and would be rounded; write it without a fraction, or as text`);
}

/** The index behind the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); ; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === 92) backslashes++;
    if (backslashes % 2 === 0) return end + 1;
  }
}

/** `value` with the integers that are texts in `quoted` instead, which has the same shape. */
function withIntegers(value: unknown, quoted: unknown): unknown {
  if (typeof value === "number") return typeof quoted === "string" ? BigInt(quoted) : value;
  if (typeof value !== "object" || value === null) return value;
  const [fields, others] = [value, quoted] as Record<string, unknown>[];
  for (const name of Object.keys(value)) fields![name] = withIntegers(fields![name], others![name]);
  return value;
}
