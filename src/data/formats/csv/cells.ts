import { parseJson } from "../../../base/exact-json.js";
import { plainInteger } from "../../batch/batch.js";
import type { CsvCell } from "../../csv/dialect.js";
import { BadValue, checkOf } from "../../features/check.js";
import { dtypeParts } from "../../features/dtypes.js";
import { type Feature, featureText, isA, isList, splitNullable } from "../../features/feature.js";

const INTEGER = /^[+-]?(?:0|[1-9]\d*)$/;
const NUMBER = /^[+-]?(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
const words: Readonly<Record<string, number>> = {
  nan: Number.NaN,
  inf: Number.POSITIVE_INFINITY,
  "-inf": Number.NEGATIVE_INFINITY,
};

/** What a field most likely is, where nothing says it. Leading zeros are no number: `007` is text. */
export function guessCell(text: CsvCell): unknown {
  if (text === null || text === "") return null;
  const first = text.charCodeAt(0);
  if (first <= 57 && NUMBER.test(text)) return guessNumber(text);
  const small = text.length <= 5 ? text.toLowerCase() : "";
  if (small === "true" || small === "false") return small === "true";
  return text;
}

function guessNumber(text: string): unknown {
  if (!INTEGER.test(text)) return Number(text);
  const number = Number(text);
  if (Number.isSafeInteger(number)) return number;
  const exact = BigInt(text);
  return BigInt.asIntN(64, exact) === exact || BigInt.asUintN(64, exact) === exact ? exact : text;
}

/**
 * Turns a field into the value of its column. An empty field is null where the column may be null; `""` is the empty text in a
 * column of texts. In the only column of a table it is null too: an empty line is not a row, so nothing else can say null there.
 * @throws BadValue
 */
export function cellReader(feature: Feature, column: string, { isOnly = false } = {}): (cell: CsvCell) => unknown {
  const { core, nullable } = splitNullable(feature);
  const check = checkOf(core);
  const read = coreReader(core);
  const isText = isA(core, "Value") && dtypeParts(core.dtype).kind === "string";
  const readOrThrow = (text: string): unknown => {
    try {
      return read(text);
    } catch (error) {
      throw new BadValue(column, (error as Error).message);
    }
  };
  const isQuotedText = isText && !isOnly;
  return (cell) => {
    if (nullable && (cell === null || (cell === "" && !isQuotedText))) return null;
    const text = cell ?? "";
    if (isText) return text;
    const value = readOrThrow(text);
    if (value === undefined)
      throw new BadValue(column, `${JSON.stringify(text.slice(0, 60))} is not ${featureText(core)}`);
    return check(value, column);
  };
}

/** Undefined for what cannot be such a value. */
function coreReader(core: Feature): (text: string) => unknown {
  if (isA(core, "Json")) return jsonOrUndefined;
  if (isA(core, "ClassLabel")) return (text) => (INTEGER.test(text) ? Number(text) : text);
  if (!isA(core, "Value")) return isList(core) ? jsonOrUndefined : () => undefined;
  const { kind } = dtypeParts(core.dtype);
  switch (kind) {
    case "int":
      return (text) => (INTEGER.test(text) ? integerOf(text) : undefined);
    case "float":
      return (text) => (NUMBER.test(text) ? Number(text) : words[text.toLowerCase()]);
    case "bool":
      return (text) => (/^(?:true|1)$/i.test(text) ? true : /^(?:false|0)$/i.test(text) ? false : undefined);
    case "null":
      return (text) => (text === "" ? null : undefined);
    case "time":
    case "duration":
      return (text) => (INTEGER.test(text) ? integerOf(text) : text);
    default:
      return (text) => text;
  }
}

/** Most have few digits, which need no BigInt. `-0` is 0. */
function integerOf(text: string): number | bigint {
  return text.length < 16 ? Number(text) + 0 : plainInteger(BigInt(text));
}

/** @throws RangeError where an integer would be rounded, and for too many levels */
function jsonOrUndefined(text: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    if (error instanceof RangeError) throw error;
    return undefined;
  }
}
