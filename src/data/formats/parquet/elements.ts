import type { SchemaElement } from "hyparquet";
import { type DType, dtypeOf, dtypeParts, type TimeUnit } from "../../features/dtypes.js";
import { type Feature, Json, Value } from "../../features/feature.js";

const units: Readonly<Record<string, TimeUnit>> = { MILLIS: "ms", MICROS: "us", NANOS: "ns" };

/** The feature of a leaf by its logical type, else by its physical one. @throws Error for types that are not supported */
export function featureOfElement(element: SchemaElement): Feature {
  const { logical_type: logical, converted_type: converted } = element;
  if (logical?.type === "JSON" || converted === "JSON") return Json();
  return Value(dtypeOfElement(element, logical, converted));
}

function dtypeOfElement(
  element: SchemaElement,
  logical: SchemaElement["logical_type"],
  converted: string | undefined,
): DType {
  switch (logical?.type) {
    case "STRING":
    case "ENUM":
      return "string";
    case "DECIMAL":
      return decimal(logical.precision, logical.scale);
    case "DATE":
      return "date32";
    case "TIME":
      return logical.unit === "MILLIS" ? "time32[ms]" : `time64[${units[logical.unit] as "us" | "ns"}]`;
    case "TIMESTAMP":
      return dtypeOf({
        kind: "timestamp",
        unit: units[logical.unit]!,
        zone: logical.isAdjustedToUTC ? "UTC" : undefined,
      });
    case "INTEGER":
      return dtypeOf({ kind: "int", bits: logical.bitWidth as 8 | 16 | 32 | 64, signed: logical.isSigned });
    case "NULL":
      return "null";
    case "FLOAT16":
      return "float16";
  }
  return (converted !== undefined && convertedDtype(converted, element)) || physicalDtype(element);
}

const decimal = (precision: number, scale: number): DType =>
  dtypeOf({ kind: "decimal", bits: precision > 38 ? 256 : 128, precision, scale });

function convertedDtype(converted: string, { precision = 0, scale = 0 }: SchemaElement): DType | undefined {
  const int = /^(U?)INT_(\d+)$/.exec(converted);
  if (int) return dtypeOf({ kind: "int", bits: Number(int[2]) as 8 | 16 | 32 | 64, signed: int[1] === "" });
  switch (converted) {
    case "UTF8":
    case "ENUM":
      return "string";
    case "DECIMAL":
      return decimal(precision, scale);
    case "DATE":
      return "date32";
    case "TIME_MILLIS":
      return "time32[ms]";
    case "TIME_MICROS":
      return "time64[us]";
    case "TIMESTAMP_MILLIS":
      return "timestamp[ms, tz=UTC]";
    case "TIMESTAMP_MICROS":
      return "timestamp[us, tz=UTC]";
  }
  return undefined;
}

const physical: Readonly<Record<string, DType>> = {
  BOOLEAN: "bool",
  INT32: "int32",
  INT64: "int64",
  INT96: "timestamp[ns]",
  FLOAT: "float32",
  DOUBLE: "float64",
  BYTE_ARRAY: "binary",
  FIXED_LEN_BYTE_ARRAY: "binary",
};

const physicalDtype = ({ type }: SchemaElement): DType => physical[type ?? ""] ?? "binary";

/** A leaf for a dtype, as pyarrow writes it. */
export function elementOfDtype(dtype: DType): Omit<SchemaElement, "name" | "repetition_type"> {
  const parts = dtypeParts(dtype);
  switch (parts.kind) {
    case "bool":
      return { type: "BOOLEAN" };
    case "null":
      return { type: "INT32", logical_type: { type: "NULL" } };
    case "int": {
      const type = parts.bits === 64 ? "INT64" : "INT32";
      if (parts.signed && parts.bits >= 32) return { type };
      // No logical type beside it: hyparquet-writer gives its width 32 bits, where the format has 8, and others refuse the file.
      return { type, converted_type: `${parts.signed ? "" : "U"}INT_${parts.bits}` as SchemaElement["converted_type"] };
    }
    case "float":
      if (parts.bits === 16) return { type: "FIXED_LEN_BYTE_ARRAY", type_length: 2, logical_type: { type: "FLOAT16" } };
      return { type: parts.bits === 32 ? "FLOAT" : "DOUBLE" };
    case "string":
      return { type: "BYTE_ARRAY", converted_type: "UTF8", logical_type: { type: "STRING" } };
    case "binary":
      return { type: "BYTE_ARRAY" };
    case "date":
      return { type: "INT32", converted_type: "DATE", logical_type: { type: "DATE" } };
    case "decimal": {
      const { precision, scale } = parts;
      const common = {
        converted_type: "DECIMAL",
        precision,
        scale,
        logical_type: { type: "DECIMAL", precision, scale },
      } as const;
      return { type: "FIXED_LEN_BYTE_ARRAY", type_length: decimalBytes(precision), ...common };
    }
    case "time": {
      const unit = parts.unit === "ns" ? "NANOS" : parts.unit === "us" ? "MICROS" : "MILLIS";
      const converted =
        unit === "NANOS" ? {} : ({ converted_type: unit === "MILLIS" ? "TIME_MILLIS" : "TIME_MICROS" } as const);
      return {
        type: unit === "MILLIS" ? "INT32" : "INT64",
        ...converted,
        logical_type: { type: "TIME", isAdjustedToUTC: true, unit },
      };
    }
    case "timestamp": {
      const unit = parts.unit === "ns" ? "NANOS" : parts.unit === "us" ? "MICROS" : "MILLIS";
      return { type: "INT64", logical_type: { type: "TIMESTAMP", isAdjustedToUTC: parts.zone !== undefined, unit } };
    }
    case "duration":
      return { type: "INT64" };
  }
}

/** The fewest bytes that hold so many digits and a sign. */
function decimalBytes(precision: number): number {
  for (let bytes = 1; ; bytes++) if (2n ** BigInt(8 * bytes - 1) >= 10n ** BigInt(precision)) return bytes;
}
