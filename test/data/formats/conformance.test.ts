import { describe, it } from "vitest";
import { formatNames, loadFormat } from "../../../src/data/formats/registry.js";
import { type FormatSuite, testFormat } from "../../../src/testing.js";
import toy from "../../support/toy-format.js";

/** What formats need to be told; all others hold every feature. */
const suites: Readonly<Record<string, Partial<FormatSuite>>> = {};

const all = await Promise.all(formatNames().map(loadFormat));

describe("formats", () => {
  for (const format of all) testFormat(format, { it, ...suites[format.name] });
});

describe("a format of another package", () => {
  testFormat(toy, { it });
});
