import type { DataType, Field, Schema } from "apache-arrow";
import { type DType, type DTypeParts, dtypeOf, dtypeParts, type TimeUnit } from "../../features/dtypes.js";
import {
  type Feature,
  type Features,
  isA,
  isList,
  Json,
  List,
  type MapFeature,
  Nullable,
  type Struct,
  splitNullable,
  Value,
} from "../../features/feature.js";
import { checkUnique } from "../unique-names.js";
import { checkSchema } from "./check-schema.js";
import { type ArrowEngine, loadArrow } from "./engine.js";
import { messageOf } from "./headers.js";
import { metadataOf, storedFeatures, withMetadata } from "./metadata.js";

const EXTENSION = "ARROW:extension:name";
const EXTENSION_METADATA = "ARROW:extension:metadata";
const JSON_EXTENSION = "arrow.json";
const units: readonly TimeUnit[] = ["s", "ms", "us", "ns"];

/** @throws Error for a type that no feature can be */
export function featuresOfSchema(arrow: ArrowEngine, schema: Schema): Features {
  checkUnique(schema.fields.map(({ name }) => name ?? ""));
  const own = Object.fromEntries(schema.fields.map((field) => [field.name ?? "", featureOfField(arrow, field)]));
  return withMetadata(own, schema.metadata);
}

function featureOfField(arrow: ArrowEngine, field: Field): Feature {
  if (field.name === "__proto__") throw new Error('no column can be named "__proto__", nor can a field of one');
  const isJson = field.metadata.get(EXTENSION) === JSON_EXTENSION;
  const core = isJson ? Json() : featureOfType(arrow, field.type, field.name);
  const isNull = isA(core, "Value") && core.dtype === "null";
  return field.nullable && !isNull ? Nullable(core) : core;
}

function featureOfType(arrow: ArrowEngine, type: DataType, name: string): Feature {
  const { DataType, Type } = arrow;
  if (DataType.isDictionary(type)) return featureOfType(arrow, type.dictionary, name);
  if (DataType.isStruct(type)) {
    checkUnique(
      type.children.map((child: Field) => child.name),
      `column ${name}`,
    );
    return Object.fromEntries(
      type.children.map((child: Field) => [child.name, featureOfField(arrow, child)]),
    ) as Struct;
  }
  if (DataType.isMap(type)) {
    const [key, value] = (type.children[0]!.type as DataType).children as Field[];
    return {
      key: featureOfField(arrow, key!),
      value: featureOfField(arrow, value!),
      _type: "Map",
    } satisfies MapFeature;
  }
  const isLarge = type.typeId === Type.LargeList;
  if (DataType.isList(type) || isLarge)
    return List(featureOfField(arrow, type.children[0] as Field), { large: isLarge });
  if (DataType.isFixedSizeList(type))
    return List(featureOfField(arrow, type.children[0] as Field), { length: type.listSize });
  const parts = partsOfType(arrow, type);
  if (parts) return Value(dtypeOf(parts));
  throw new Error(`column ${name} has the type ${String(type)}, which is not supported`);
}

function partsOfType({ DataType, Type }: ArrowEngine, type: DataType): DTypeParts | undefined {
  if (DataType.isInt(type)) return { kind: "int", bits: type.bitWidth as 8 | 16 | 32 | 64, signed: type.isSigned };
  if (DataType.isFloat(type)) return { kind: "float", bits: ([16, 32, 64] as const)[type.precision]! };
  if (DataType.isBool(type)) return { kind: "bool" };
  if (DataType.isNull(type)) return { kind: "null" };
  if (DataType.isDecimal(type))
    return { kind: "decimal", bits: type.bitWidth === 256 ? 256 : 128, precision: type.precision, scale: type.scale };
  if (DataType.isDate(type)) return { kind: "date", unit: type.unit === 0 ? "day" : "ms" };
  if (DataType.isTime(type)) return { kind: "time", unit: units[type.unit]! };
  if (DataType.isTimestamp(type))
    return { kind: "timestamp", unit: units[type.unit]!, zone: type.timezone ?? undefined };
  if (DataType.isDuration(type)) return { kind: "duration", unit: units[type.unit]! };
  switch (type.typeId) {
    case Type.Utf8:
    case Type.Utf8View:
      return { kind: "string", large: false };
    case Type.LargeUtf8:
      return { kind: "string", large: true };
    case Type.Binary:
    case Type.BinaryView:
    case Type.FixedSizeBinary:
      return { kind: "binary", large: false };
    case Type.LargeBinary:
      return { kind: "binary", large: true };
  }
  return undefined;
}

/** The schema that features are stored as, with the metadata that tell them. */
export function schemaOf(arrow: ArrowEngine, features: Features): Schema {
  const fields = Object.entries(storedFeatures(features)).map(([name, feature]) => fieldOf(arrow, name, feature));
  return new arrow.Schema(fields, new Map(metadataOf(features)));
}

function fieldOf(arrow: ArrowEngine, name: string, feature: Feature): Field {
  const { core, nullable } = splitNullable(feature);
  const metadata = isA(core, "Json")
    ? new Map([
        [EXTENSION, JSON_EXTENSION],
        [EXTENSION_METADATA, ""],
      ])
    : new Map<string, string>();
  const isNull = isA(core, "Value") && core.dtype === "null";
  return new arrow.Field(name, typeOf(arrow, core), nullable || isNull, metadata);
}

function typeOf(arrow: ArrowEngine, core: Feature): DataType {
  if (isA(core, "Value")) return typeOfDtype(arrow, core.dtype);
  if (isA(core, "ClassLabel")) return new arrow.Int64();
  if (isA(core, "Json")) return new arrow.Utf8();
  if (isList(core)) {
    const item = fieldOf(arrow, "item", core.feature);
    if (core.length >= 0) return new arrow.FixedSizeList(core.length, item);
    return core._type === "LargeList" ? new arrow.LargeList(item) : new arrow.List(item);
  }
  if (isA(core, "Map")) {
    const entries = new arrow.Struct([
      fieldOf(arrow, "key", splitNullable(core.key).core),
      fieldOf(arrow, "value", core.value),
    ]);
    return new arrow.Map_(new arrow.Field("entries", entries, false));
  }
  return new arrow.Struct(Object.entries(core as Struct).map(([name, field]) => fieldOf(arrow, name, field)));
}

function typeOfDtype(arrow: ArrowEngine, dtype: DType): DataType {
  const parts = dtypeParts(dtype);
  switch (parts.kind) {
    case "int":
      return new arrow[`${parts.signed ? "Int" : "Uint"}${parts.bits}`]();
    case "float":
      return new arrow[`Float${parts.bits}`]();
    case "bool":
      return new arrow.Bool();
    case "null":
      return new arrow.Null();
    case "string":
      return parts.large ? new arrow.LargeUtf8() : new arrow.Utf8();
    case "binary":
      return parts.large ? new arrow.LargeBinary() : new arrow.Binary();
    case "decimal":
      return new arrow.Decimal(parts.scale, parts.precision, parts.bits);
    case "date":
      return parts.unit === "day" ? new arrow.DateDay() : new arrow.DateMillisecond();
    case "time":
      return new arrow.Time(units.indexOf(parts.unit), parts.unit === "s" || parts.unit === "ms" ? 32 : 64);
    case "timestamp":
      return new arrow.Timestamp(units.indexOf(parts.unit), parts.zone ?? null);
    case "duration":
      return new arrow.Duration(units.indexOf(parts.unit));
  }
}

/** The value of `ARROW:schema` in Parquet: a message of Arrow's stream, in base64. */
export async function encodeSchemaMessage(features: Features): Promise<string> {
  const arrow = await loadArrow();
  const schema = schemaOf(arrow, features);
  const writer = new arrow.RecordBatchStreamWriter();
  writer.reset(undefined, schema);
  writer.finish();
  const bytes = Buffer.from(await writer.toUint8Array());
  return bytes.subarray(0, 8 + bytes.readInt32LE(4)).toString("base64");
}

/** @throws Error for what is no such message */
export async function decodeSchemaMessage(base64: string): Promise<Features> {
  const arrow = await loadArrow();
  const bytes = Buffer.from(base64, "base64");
  return featuresOfSchema(arrow, decodeSchema(arrow, bytes.subarray(bytes.readInt32LE(0) === -1 ? 8 : 4)));
}

/** @param metadata of the schema's message, behind its prefix. @throws Error for damage, and types that are not supported */
export function decodeSchema({ MessageReader }: ArrowEngine, metadata: Buffer): Schema {
  const { kind, header } = messageOf(metadata);
  if (kind !== "schema") throw new Error("it has no schema");
  checkSchema(header);
  const prefix = Buffer.alloc(8, 0xff);
  prefix.writeInt32LE(metadata.length, 4);
  return new MessageReader(Buffer.concat([prefix, metadata])).readSchema()!;
}
