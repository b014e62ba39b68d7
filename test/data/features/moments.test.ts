import { expect, test } from "vitest";
import { timestampText, toTimeOfDay, toTimestamp, unitsOf } from "../../../src/data/features/moments.js";

test("moments are rounded down, also before 1970", () => {
  expect(toTimestamp("1969-12-31T23:59:59.9999999Z", "us")).toBe(-1n);
  expect(toTimestamp("1970-01-01T00:00:00.0000019Z", "us")).toBe(1n);
  expect(unitsOf(new Date(-500), "s")).toBe(-1n);
  expect(unitsOf(new Date(1500), "s")).toBe(1n);
  expect(unitsOf(new Date(-2000), "s")).toBe(-2n);
});

test("text of a time is what was written", () => {
  for (let count = 0; count < 1_000_000; count += 7)
    expect(toTimeOfDay(`00:00:00.${String(count).padStart(6, "0")}`, "us")).toBe(count);
});

test("text of a timestamp has as many digits as its unit, and a zone where its column has one", () => {
  for (const [unit, text] of [
    ["s", "1969-12-31T23:59:58"],
    ["ms", "1969-12-31T23:59:58.500"],
    ["us", "1969-12-31T23:59:58.500000"],
    ["ns", "1969-12-31T23:59:58.500000000"],
  ] as const) {
    const units = unitsOf(new Date(-1500), unit);
    expect(timestampText(new Date(-1500), unit, undefined)).toBe(text);
    expect(timestampText(units, unit, undefined)).toBe(text);
    expect(timestampText(units, unit, "Asia/Tokyo")).toBe(`${text}Z`);
    expect(unitsOf(toTimestamp(text, unit)!, unit)).toBe(units);
  }
  expect(timestampText(2n ** 62n, "us", undefined)).toMatch(/^\+148108-.*\.387904$/);
  expect(timestampText(2n ** 62n, "ms", undefined)).toBeUndefined();
});
