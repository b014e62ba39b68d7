import { KagurazakaError } from "./errors.js";
import { isPlainObject, shapeOf } from "./record-shape.js";

/**
 * Canonical JSON: keys sorted by UTF-16 unit, no white space, numbers as ECMAScript prints them (RFC 8785, but for lone
 * surrogates, which are escaped rather than refused). Equal records have equal text, so keys are hashes of it. The same text
 * is sent to workers.
 *
 * A record whose fields are in order is only checked and left to `JSON.stringify`, which is native and returns a flat string;
 * others are encoded here. Neither tracks the path: when a value is refused, a third, slow walk finds it.
 */
const MAX_DEPTH = 200;
const NEEDS_ESCAPE = /[\u0000-\u001f"\\\ud800-\udfff]/;

/** Whether JSON would give a number back. */
const fitsNumber = (value: bigint): boolean => Number.isSafeInteger(Number(value));

class Refused extends Error {}
const refused = new Refused("refused");

/** Whether `JSON.stringify` returns the canonical text. Throws `refused`, so it visits all fields even when the answer is no. */
function isInOrder(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case "string":
    case "boolean":
      return true;
    case "number":
      if (!Number.isFinite(value)) throw refused;
      return true;
    case "bigint":
      if (fitsNumber(value)) throw refused;
      return false;
    case "object": {
      if (value === null) return true;
      if (depth >= MAX_DEPTH) throw refused;
      let inOrder = true;
      if (Array.isArray(value)) {
        for (let i = 0; i < value.length; i++) if (!isInOrder(value[i], depth + 1)) inOrder = false;
        return inOrder;
      }
      if (!isPlainObject(value)) throw refused;
      const shape = shapeOf(value, depth);
      for (let i = 0; i < shape.keys.length; i++) {
        const field = (value as Record<string, unknown>)[shape.keys[i]!];
        if (field !== undefined && !isInOrder(field, depth + 1)) inOrder = false;
      }
      return inOrder && shape.inOrder;
    }
    default:
      throw refused;
  }
}

/** Requires that `isInOrder` has accepted the value. */
function encode(value: unknown, depth: number): string {
  if (typeof value === "string") return NEEDS_ESCAPE.test(value) ? JSON.stringify(value) : '"' + value + '"';
  if (typeof value !== "object" || value === null) return "" + value;
  if (Array.isArray(value)) return "[" + value.map((element) => encode(element, depth + 1)).join(",") + "]";
  const { sorted, heads } = shapeOf(value, depth);
  let text = "";
  for (let i = 0; i < sorted.length; i++) {
    const field = (value as Record<string, unknown>)[sorted[i]!];
    if (field !== undefined) text += (text === "" ? "{" : ",") + heads[i]! + encode(field, depth + 1);
  }
  return text === "" ? "{}" : text + "}";
}

/**
 * Canonical JSON text of a value. Object fields that are `undefined` are left out. Values that JSON would silently drop or
 * change are refused: functions, symbols, NaN and infinities, `undefined` in arrays, instances of classes, circular
 * references, more than 200 levels. A `bigint` stands for an integer beyond 2^53, as `parseJson` returns it; a smaller one would come
 * back as a number. `-0` is written as `0`, and symbol keys are ignored, as in JSON.
 * @throws KagurazakaError `not-json` with the dotted path of the refused value
 */
export function encodeItem(value: unknown): string {
  try {
    return isInOrder(value, 0) ? JSON.stringify(value) : encode(value, 0);
  } catch (error) {
    // Where the caller's stack is deep already, a circular reference may overflow it before 200 levels are counted.
    if (error === refused || error instanceof RangeError) throw explain(value);
    throw error;
  }
}

function explain(value: unknown): KagurazakaError {
  const [path, what, hint] = findCulprit(value, "", new Set()) ?? ["", "no JSON value", "Pass plain data."];
  return new KagurazakaError("not-json", `${path === "" ? "the value" : path} is ${what}, which JSON cannot carry`, {
    hint,
  });
}

type Culprit = [path: string, what: string, hint: string];

function findCulprit(value: unknown, path: string, above: Set<unknown>): Culprit | undefined {
  const refusal = describeScalar(value);
  if (refusal !== undefined) return [path, ...refusal];
  if (typeof value !== "object" || value === null) return undefined;
  if (above.has(value)) return [path, "a circular reference", "Refer to the other record by an id."];
  if (above.size >= MAX_DEPTH)
    return [path, `more than ${MAX_DEPTH} levels deep`, "Flatten the record, or write it to a file and pass the path."];
  above.add(value);
  const found = Array.isArray(value) ? findInArray(value, path, above) : findInObject(value, path, above);
  above.delete(value);
  return found;
}

function findInArray(array: readonly unknown[], path: string, above: Set<unknown>): Culprit | undefined {
  for (let i = 0; i < array.length; i++) {
    if (array[i] === undefined)
      return [`${path}[${i}]`, "undefined in an array", "Use null, or leave the element out."];
    const found = findCulprit(array[i], `${path}[${i}]`, above);
    if (found) return found;
  }
  return undefined;
}

function findInObject(object: object, path: string, above: Set<unknown>): Culprit | undefined {
  if (!isPlainObject(object)) return [path, ...describeInstance(object)];
  for (const [key, field] of Object.entries(object)) {
    if (field === undefined) continue;
    const step = /^[\w$-]+$/.test(key) ? (path === "" ? key : `.${key}`) : `[${JSON.stringify(key)}]`;
    const found = findCulprit(field, path + step, above);
    if (found) return found;
  }
  return undefined;
}

function describeScalar(value: unknown): [what: string, hint: string] | undefined {
  switch (typeof value) {
    case "undefined":
      return ["undefined", "Use null, or leave it out."];
    case "function":
      return ["a function", "Pass the data it needs; the worker has the code."];
    case "symbol":
      return ["a symbol", "Use text."];
    case "bigint":
      return fitsNumber(value)
        ? ["a BigInt that a number can hold", "Pass Number(n): a BigInt is for integers beyond 2^53."]
        : undefined;
    case "number":
      return Number.isFinite(value) ? undefined : [String(value), "Use null or text for it."];
    default:
      return undefined;
  }
}

function describeInstance(object: object): [what: string, hint: string] {
  const name =
    typeof object.constructor === "function" && object.constructor.name !== "" ? object.constructor.name : "a class";
  if (object instanceof Date) return ["a Date", "Pass date.toISOString()."];
  if (object instanceof Map) return ["a Map", "Pass Object.fromEntries(map) or [...map]."];
  if (object instanceof Set) return ["a Set", "Pass [...set]."];
  if (ArrayBuffer.isView(object) || object instanceof ArrayBuffer)
    return [`binary data (${name})`, "Write it to a file and pass the path, or pass base64 text."];
  return [`an instance of ${name}`, "Pass a plain object with the fields you need: { ...value }."];
}
