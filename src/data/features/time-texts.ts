import type { Row } from "../batch/batch.js";
import { dtypeParts } from "./dtypes.js";
import { type Feature, type Features, isA, isList, type Struct, splitNullable } from "./feature.js";
import { dateText, timestampText } from "./moments.js";
import { NotText } from "./not-text.js";

type Convert = (value: unknown) => unknown;

/**
 * Rows with dates and timestamps as text, at any depth: all of a column in one form, whether a row has a Date or a bigint.
 * Undefined where the features have none. The row itself is not changed.
 */
export function timesAsText(features: Features): ((row: Row) => Row) | undefined {
  const converts = fieldsOf(features, "");
  if (converts.length === 0) return undefined;
  return (row) => withTexts(row, converts);
}

/** ISO 8601, to the last digit of the unit. @throws NotText for what no ISO text can say */
export function timeConverter(feature: Feature, column: string): Convert | undefined {
  const { core } = splitNullable(feature);
  const parts = isA(core, "Value") ? dtypeParts(core.dtype) : undefined;
  if (parts?.kind === "date") return (value) => (isMoment(value) ? dateText(value) : value);
  if (parts?.kind !== "timestamp") return undefined;
  return (value) => {
    if (typeof value !== "bigint" && !isMoment(value)) return value;
    const text = timestampText(value, parts.unit, parts.zone);
    if (text !== undefined) return text;
    throw new NotText("a time beyond the years that ISO 8601 can say: write null, or choose parquet or arrow", column);
  };
}

/** An invalid Date is left to the writer, which refuses it. */
const isMoment = (value: unknown): value is Date => value instanceof Date && !Number.isNaN(value.getTime());

function convertOf(feature: Feature, column: string): Convert | undefined {
  const { core } = splitNullable(feature);
  if (isA(core, "Value")) return timeConverter(core, column);
  if (isA(core, "ClassLabel") || isA(core, "Json")) return undefined;
  if (isList(core)) return eachOf(convertOf(core.feature, `${column}[]`));
  if (isA(core, "Map")) return eachOf(convertOf({ key: core.key, value: core.value }, column));
  const fields = fieldsOf(core as Struct, column);
  if (fields.length === 0) return undefined;
  return (value) => (typeof value === "object" && value !== null ? withTexts(value as Row, fields) : value);
}

const eachOf = (convert: Convert | undefined): Convert | undefined =>
  convert && ((value) => (Array.isArray(value) ? value.map(convert) : value));

type Field = readonly [name: string, convert: Convert];

const fieldsOf = (struct: Struct, column: string): Field[] =>
  Object.entries(struct).flatMap(([name, feature]): Field[] => {
    const convert = convertOf(feature, column === "" ? name : `${column}.${name}`);
    return convert ? [[name, convert]] : [];
  });

function withTexts(row: Row, fields: readonly Field[]): Row {
  const copy = { ...row };
  for (const [name, convert] of fields) if (Object.hasOwn(row, name)) copy[name] = convert(row[name]);
  return copy;
}
