import { describe, expect, test } from "vitest";
import { dtypeNamed, dtypeOf, dtypeParts } from "../../../src/data/features/dtypes.js";

describe("the names of dtypes", () => {
  test.each([
    "bool",
    "null",
    "string",
    "large_string",
    "binary",
    "large_binary",
    "date32",
    "date64",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "float16",
    "float32",
    "float64",
    "time32[s]",
    "time32[ms]",
    "time64[us]",
    "time64[ns]",
    "duration[s]",
    "duration[ns]",
    "timestamp[s]",
    "timestamp[ns]",
    "timestamp[us, tz=Europe/Berlin]",
    "decimal128(10, 2)",
    "decimal256(76, 0)",
  ])("%s is taken apart and put together again", (name) => {
    expect(dtypeOf(dtypeParts(name))).toBe(name);
  });

  test.each([
    ["double", "float64"],
    ["float", "float32"],
    ["halffloat", "float16"],
    ["boolean", "bool"],
    ["string_view", "string"],
    ["timestamp[us,tz=UTC]", "timestamp[us, tz=UTC]"],
  ])("%s is another spelling of %s", (written, name) => {
    expect(dtypeNamed(written)).toBe(name);
  });

  test.each([
    "int7",
    "toString",
    "time32[us]",
    "time64[s]",
    "timestamp[h]",
    "decimal128(39, 2)",
    "decimal128(2, 3)",
    "",
  ])("%j is none", (name) => {
    expect(dtypeNamed(name)).toBeUndefined();
    expect(() => dtypeParts(name)).toThrow(RangeError);
  });

  test("a misspelt one is told the nearest", () => {
    expect(() => dtypeParts("strnig")).toThrow('there is no dtype "strnig"; did you mean "string"?');
  });
});
