import { nearestName } from "../../base/nearest.js";

type IntType = "int8" | "int16" | "int32" | "int64" | "uint8" | "uint16" | "uint32" | "uint64";
type FloatType = "float16" | "float32" | "float64";
export type NumberType = IntType | FloatType;
export type TimeUnit = "s" | "ms" | "us" | "ns";

/** The names of types as Hugging Face and Arrow write them: `timestamp[us, tz=UTC]`, `decimal128(10, 2)`. */
export type DType =
  | NumberType
  | "bool"
  | "string"
  | "large_string"
  | "binary"
  | "large_binary"
  | "null"
  | "date32"
  | "date64"
  | `decimal128(${number}, ${number})`
  | `decimal256(${number}, ${number})`
  | `time32[${"s" | "ms"}]`
  | `time64[${"us" | "ns"}]`
  | `timestamp[${string}]`
  | `duration[${TimeUnit}]`;

/** A dtype, taken apart. */
export type DTypeParts =
  | { readonly kind: "int"; readonly bits: 8 | 16 | 32 | 64; readonly signed: boolean }
  | { readonly kind: "float"; readonly bits: 16 | 32 | 64 }
  | { readonly kind: "decimal"; readonly bits: 128 | 256; readonly precision: number; readonly scale: number }
  | { readonly kind: "bool" | "null" }
  | { readonly kind: "string" | "binary"; readonly large: boolean }
  | { readonly kind: "date"; readonly unit: "day" | "ms" }
  | { readonly kind: "time"; readonly unit: TimeUnit }
  | { readonly kind: "timestamp"; readonly unit: TimeUnit; readonly zone: string | undefined }
  | { readonly kind: "duration"; readonly unit: TimeUnit };

const plain: Readonly<Record<string, DTypeParts>> = {
  bool: { kind: "bool" },
  null: { kind: "null" },
  string: { kind: "string", large: false },
  large_string: { kind: "string", large: true },
  binary: { kind: "binary", large: false },
  large_binary: { kind: "binary", large: true },
  date32: { kind: "date", unit: "day" },
  date64: { kind: "date", unit: "ms" },
  float16: { kind: "float", bits: 16 },
  float32: { kind: "float", bits: 32 },
  float64: { kind: "float", bits: 64 },
  ...Object.fromEntries(
    ([8, 16, 32, 64] as const).flatMap((bits) => [
      [`int${bits}`, { kind: "int", bits, signed: true }],
      [`uint${bits}`, { kind: "int", bits, signed: false }],
    ]),
  ),
};

/** Other spellings, as pyarrow and NumPy print them. */
const aliases: Readonly<Record<string, DType>> = {
  boolean: "bool",
  bool_: "bool",
  halffloat: "float16",
  float: "float32",
  double: "float64",
  utf8: "string",
  large_utf8: "large_string",
  string_view: "string",
  binary_view: "binary",
  str: "string",
  int: "int64",
};

const examples = [
  ...Object.keys(plain),
  "timestamp[us]",
  "timestamp[us, tz=UTC]",
  "time32[s]",
  "time64[us]",
  "duration[ns]",
  "decimal128(10, 2)",
];
const known = new Map<string, DTypeParts | undefined>(Object.entries(plain));

/** The dtype under its own name: `double` is `float64`; undefined for what is none. */
export function dtypeNamed(text: string): DType | undefined {
  const name = Object.hasOwn(aliases, text) ? aliases[text]! : text;
  const parts = partsOrUndefined(name);
  return parts && dtypeOf(parts);
}

/** @throws RangeError for a text that names no dtype */
export function dtypeParts(dtype: string): DTypeParts {
  const parts = partsOrUndefined(dtype);
  if (parts) return parts;
  const near = nearestName(dtype, examples);
  throw new RangeError(`there is no dtype "${dtype}"${near === undefined ? "" : `; did you mean "${near}"?`}`);
}

function partsOrUndefined(dtype: string): DTypeParts | undefined {
  if (!known.has(dtype) && known.size < 10_000) known.set(dtype, parse(dtype));
  return known.get(dtype);
}

const TIMESTAMP = /^timestamp\[(s|ms|us|ns)(?:, ?tz=([^\]]{1,100}))?\]$/;
const UNIT = /^(time32|time64|duration)\[(s|ms|us|ns)\]$/;
const DECIMAL = /^decimal(128|256)\((\d{1,2}), ?(-?\d{1,2})\)$/;

function parse(dtype: string): DTypeParts | undefined {
  const timestamp = TIMESTAMP.exec(dtype);
  if (timestamp) return { kind: "timestamp", unit: timestamp[1] as TimeUnit, zone: timestamp[2] };
  const unit = UNIT.exec(dtype);
  if (unit) return unitParts(unit[1]!, unit[2] as TimeUnit);
  const decimal = DECIMAL.exec(dtype);
  if (!decimal) return undefined;
  const [bits, precision, scale] = [Number(decimal[1]) as 128 | 256, Number(decimal[2]), Number(decimal[3])];
  const most = bits === 128 ? 38 : 76;
  return precision < 1 || precision > most || scale > precision
    ? undefined
    : { kind: "decimal", bits, precision, scale };
}

function unitParts(name: string, unit: TimeUnit): DTypeParts | undefined {
  if (name === "duration") return { kind: "duration", unit };
  return (name === "time32") === (unit === "s" || unit === "ms") ? { kind: "time", unit } : undefined;
}

/** The inverse of `dtypeParts`. */
export function dtypeOf(parts: DTypeParts): DType {
  switch (parts.kind) {
    case "int":
      return `${parts.signed ? "" : "u"}int${parts.bits}`;
    case "float":
      return `float${parts.bits}`;
    case "decimal":
      return `decimal${parts.bits}(${parts.precision}, ${parts.scale})`;
    case "string":
    case "binary":
      return parts.large ? `large_${parts.kind}` : parts.kind;
    case "date":
      return parts.unit === "day" ? "date32" : "date64";
    case "time":
      return parts.unit === "s" || parts.unit === "ms"
        ? `time32[${parts.unit}]`
        : `time64[${parts.unit as "us" | "ns"}]`;
    case "timestamp":
      return parts.zone === undefined ? `timestamp[${parts.unit}]` : `timestamp[${parts.unit}, tz=${parts.zone}]`;
    case "duration":
      return `duration[${parts.unit}]`;
    default:
      return parts.kind;
  }
}

/** How many of a unit make a second. */
export const unitsPerSecond: Readonly<Record<TimeUnit, number>> = { s: 1, ms: 1e3, us: 1e6, ns: 1e9 };
