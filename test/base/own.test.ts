import { expect, test } from "vitest";
import { own } from "../../src/base/own.js";

test("a field is its record's own, whatever its name", () => {
  for (const name of Object.getOwnPropertyNames(Object.prototype).filter((one) => one !== "__proto__")) {
    expect(own<unknown>({}, name)).toBeUndefined();
    expect(own<unknown>({ [name]: 5 }, name)).toBe(5);
  }
  expect(own<unknown>({ a: null }, "a")).toBeNull();
});
