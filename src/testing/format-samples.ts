import { compactNumbers, listOfNumbers, plainInteger, type Row } from "../data/batch/batch.js";
import { type DType, type DTypeParts, dtypeParts, unitsPerSecond } from "../data/features/dtypes.js";
import {
  ClassLabel,
  type Feature,
  isA,
  isList,
  Json,
  List,
  MapOf,
  Nullable,
  type Struct,
  splitNullable,
  Value,
} from "../data/features/feature.js";
import { decimalText, timestampOf } from "../data/features/moments.js";

type Random = () => number;

const dtypes: readonly DType[] = [
  "bool",
  ...([8, 16, 32, 64] as const).flatMap((bits): DType[] => [`int${bits}`, `uint${bits}`]),
  "float16",
  "float32",
  "float64",
  "string",
  "large_string",
  "binary",
  "large_binary",
  "date32",
  "date64",
  "time32[s]",
  "time32[ms]",
  "time64[us]",
  "time64[ns]",
  ...(["s", "ms", "us", "ns"] as const).flatMap((unit): DType[] => [
    `timestamp[${unit}]`,
    `timestamp[${unit}, tz=UTC]`,
    `duration[${unit}]`,
  ]),
  "timestamp[us, tz=Asia/Tokyo]",
  "decimal128(5, 2)",
  "decimal128(38, 10)",
  "decimal128(12, 0)",
  "decimal256(76, 20)",
];

const nested: readonly Feature[] = [
  ClassLabel(["no", "yes", "é"]),
  Json(),
  List("string"),
  List("bool"),
  ...(["int8", "uint16", "int32", "int64", "uint64", "float16", "float32", "float64"] as const).map((dtype) =>
    List(dtype),
  ),
  List("timestamp[us]"),
  List(Nullable("int32")),
  List(Nullable("string")),
  List("int32", { length: 3 }),
  List("int64", { large: true }),
  List(List("float32")),
  List(List(Nullable("string"))),
  List(Json()),
  List({ a: "int32", b: Nullable("string") }),
  MapOf("string", "int64"),
  MapOf("string", Nullable(List("int8"))),
  { a: Value("int64"), b: Nullable("string") },
  { deep: { deeper: { x: Value("bool") }, list: List("string") } },
];

/** What a format may be able to hold: every dtype, every kind of nesting, each also with nulls. */
export const candidates: readonly Feature[] = [
  ...[...dtypes.map((dtype) => Value(dtype)), ...nested].flatMap((feature) => [feature, Nullable(feature)]),
  Value("null"),
];

const texts = [
  "",
  "a",
  "é😀いろは",
  'quote " and , comma',
  "line\nbreak\r\nand\ttab",
  " spaces ",
  "null",
  "1",
  "x".repeat(300),
  "\\",
];

/** A value as rows have it, `ValueOf`. Edges come up often. */
function valueFor(feature: Feature, random: Random): unknown {
  const { core, nullable } = splitNullable(feature);
  if (nullable && random() < 0.3) return null;
  if (isA(core, "Value")) return scalarFor(dtypeParts(core.dtype), random);
  if (isA(core, "ClassLabel")) return below(core.names.length, random);
  if (isA(core, "Json"))
    return pick([{ a: [1, null, "é"], b: { c: true } }, [1.5, "x"], "text", 7, false, {}, []], random);
  if (isList(core)) return listFor(core, random);
  if (isA(core, "Map"))
    return Array.from({ length: below(3, random) }, (_, i) => ({
      key: `k${i}`,
      value: valueFor(core.value, random),
    }));
  return rowFor(core as Struct, random);
}

export function rowFor(features: Struct, random: Random): Row {
  return Object.fromEntries(Object.entries(features).map(([name, feature]) => [name, valueFor(feature, random)]));
}

function listFor(list: List, random: Random): unknown {
  const length = list.length >= 0 ? list.length : below(5, random);
  const values = Array.from({ length }, () => valueFor(list.feature, random));
  const parts = listOfNumbers(list);
  return parts ? compactNumbers(values, parts) : values;
}

function scalarFor(parts: DTypeParts, random: Random): unknown {
  switch (parts.kind) {
    case "bool":
      return random() < 0.5;
    case "int":
      return intFor(parts.bits, parts.signed, random);
    case "float":
      return floatFor(parts.bits, random);
    case "string":
      return pick(texts, random) + (random() < 0.5 ? "" : String(below(1e6, random)));
    case "binary":
      return Uint8Array.from({ length: below(6, random) }, () => below(256, random));
    case "date":
      return new Date(86_400_000 * (below(60_000, random) - 10_000));
    case "time":
      return below(86_400 * unitsPerSecond[parts.unit], random);
    case "timestamp":
      return timestampOf(
        BigInt(below(2e9, random) - 5e8) * BigInt(unitsPerSecond[parts.unit]) + fraction(parts.unit, random),
        parts.unit,
      );
    case "duration":
      return plainInteger(BigInt.asIntN(64, BigInt(below(2 ** 52, random)) << BigInt(below(10, random))));
    case "decimal":
      return decimalFor(parts.precision, parts.scale, random);
    default:
      return null;
  }
}

/** Below a second, to the last digit of the unit, or to a millisecond: both are held differently. */
function fraction(unit: keyof typeof unitsPerSecond, random: Random): bigint {
  const units = unitsPerSecond[unit];
  const count = below(units, random);
  return BigInt(units > 1000 && random() < 0.5 ? count - (count % (units / 1000)) : count);
}

function intFor(bits: number, signed: boolean, random: Random): number | bigint {
  const [least, most] = signed
    ? [-(2n ** BigInt(bits - 1)), 2n ** BigInt(bits - 1) - 1n]
    : [0n, 2n ** BigInt(bits) - 1n];
  const inner = least + (BigInt(below(2 ** 32, random)) * (most - least)) / 2n ** 32n;
  return plainInteger(pick([least, most, 0n, 1n, inner, inner, BigInt(below(100, random))], random));
}

function floatFor(bits: number, random: Random): number {
  // Of 11 bits: exact in every size.
  const small = (below(2048, random) - 1024) / 8 || 0;
  if (bits === 16) return small;
  const large = pick([1e30, -1.5e-30, 0.1, Math.PI * 1e6, random()], random);
  return random() < 0.3 ? small : bits === 32 ? Math.fround(large) : large;
}

function decimalFor(precision: number, scale: number, random: Random): string {
  const digits = 1 + below(precision, random);
  const text = Array.from({ length: digits }, () => below(10, random)).join("");
  const count = BigInt(text) * (random() < 0.5 ? -1n : 1n);
  return decimalText(count, scale);
}

export const below = (most: number, random: Random): number => Math.floor(random() * most);

const pick = <T>(of: readonly T[], random: Random): T => of[below(of.length, random)]!;
