import { describe, it } from "vitest";
import { dtypeParts } from "../../../src/data/features/dtypes.js";
import { type Feature, isA, splitNullable, Value } from "../../../src/data/features/feature.js";
import { formatNames, loadFormat } from "../../../src/data/formats/registry.js";
import { type FormatSample, type FormatSuite, testFormat } from "../../../src/testing.js";
import toy from "../../support/toy-format.js";

/** A cell of CSV is one value. */
function isCell(feature: Feature): boolean {
  const { core } = splitNullable(feature);
  if (isA(core, "Json") || isA(core, "ClassLabel")) return true;
  if (!isA(core, "Value")) return false;
  const { kind } = dtypeParts(core.dtype);
  return kind !== "binary";
}

const lines: FormatSample = {
  features: { text: Value("string") },
  rowOf: (index) => ({ text: `line ${index}, ${"é😀".repeat(index % 50)}` }),
};

/** What formats need to be told; all others hold every feature. */
const suites: Readonly<Record<string, Partial<FormatSuite>>> = {
  csv: { canHold: isCell, unrecognised: "its first bytes may be any text" },
  tsv: { canHold: isCell, unrecognised: "its first bytes may be any text" },
  txt: { samples: [lines], unrecognised: "its first bytes may be any text" },
};

const all = await Promise.all(formatNames().map(loadFormat));

describe("formats", () => {
  for (const format of all) testFormat(format, { it, ...suites[format.name] });
});

describe("a format of another package", () => {
  testFormat(toy, { it });
});
