import { expect, test } from "vitest";
import { failureClassOf } from "../../src/base/errors.js";

const classOf = (message: string): string => failureClassOf({ name: "Error", message });

test("a failure's class leaves out what differs from item to item", () => {
  expect(classOf("ENOENT: no such file, open '/data/a/17.txt'\nmore")).toBe("Error: ENOENT: no such file, open '…'");
  expect(classOf("17 of /data/x.bin are bad")).toBe("Error: # of <path> are bad");
  expect(failureClassOf({ name: "Error", code: "E9", message: "late" })).toBe("E9: late");
});

test("a long message costs no more than its beginning", () => {
  for (const unit of ["a", "'a", "a/", "`", "\\", ".", "1"]) {
    const message = unit.repeat(4_000_000 / unit.length);
    const started = process.cpuUsage();
    expect(classOf(message).length).toBeLessThan(250);
    // Without the bound: hours.
    expect(process.cpuUsage(started).user).toBeLessThan(5e6);
  }
});
