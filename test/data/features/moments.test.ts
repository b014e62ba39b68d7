import { expect, test } from "vitest";
import { toTimestamp, unitsOf } from "../../../src/data/features/moments.js";

test("moments are rounded down, also before 1970", () => {
  expect(toTimestamp("1969-12-31T23:59:59.9999999Z", "us")).toBe(-1n);
  expect(toTimestamp("1970-01-01T00:00:00.0000019Z", "us")).toBe(1n);
  expect(unitsOf(new Date(-500), "s")).toBe(-1n);
  expect(unitsOf(new Date(1500), "s")).toBe(1n);
  expect(unitsOf(new Date(-2000), "s")).toBe(-2n);
});
