import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { replaceFile } from "../../base/whole-file.js";
import { type Feature, type Features, isA, isList, type Struct, splitNullable } from "../features/feature.js";
import { fitsHuggingFace } from "../features/hugging-face.js";
import { CARD_FILE } from "./layout.js";
import type { Manifest } from "./manifest.js";

const MARK = "<!-- written by kagurazaka -->";

/** A dataset card: with it Python's `load_dataset(folder)` finds the parts of each split. A card of someone else is kept. */
export function writeCard(
  folder: string,
  extension: string,
  { splits }: Manifest,
  features: Features | undefined,
): void {
  const path = join(folder, CARD_FILE);
  if (existsSync(path) && !readFileSync(path, "utf8").includes(MARK)) return;
  const names = Object.keys(splits);
  const files = names.flatMap((split) => [
    `  - split: ${split}`,
    `    path: ${JSON.stringify(`${split}-*${extension}`)}`,
  ]);
  const config = names.length === 0 ? [] : ["configs:", "- config_name: default", "  data_files:", ...files];
  const info = features && Object.values(features).every(fitsHuggingFace) ? infoLines(features, splits) : [];
  const rows = names.map((split) => `| ${split} | ${splits[split]!.rows} | ${splits[split]!.parts} |`);
  const table = ["| split | rows | files |", "|---|---|---|", ...rows];
  const text = ["---", ...config, ...info, "---", MARK, "", ...table, ""].join("\n");
  replaceFile(path, text, { temporary: `${path}.${process.pid}.tmp` });
}

function infoLines(features: Features, splits: Manifest["splits"]): string[] {
  const counts = Object.entries(splits).flatMap(([name, { rows }]) => [
    `  - name: ${name}`,
    `    num_examples: ${rows}`,
  ]);
  return [
    "dataset_info:",
    "  features:",
    ...featureLines(features, "  "),
    ...(counts.length > 0 ? ["  splits:", ...counts] : []),
  ];
}

/** As a card has features: a list of fields with a name each. */
function featureLines(struct: Struct, indent: string): string[] {
  return Object.entries(struct).flatMap(([name, feature]) => {
    const [first, ...more] = typeLines(feature, `${indent}  `);
    return [`${indent}- name: ${JSON.stringify(name)}`, first!, ...more];
  });
}

function typeLines(feature: Feature, indent: string): string[] {
  const { core } = splitNullable(feature);
  if (isA(core, "Value")) return [`${indent}dtype: ${JSON.stringify(core.dtype)}`];
  if (isA(core, "Json")) return [`${indent}dtype: json`];
  if (isA(core, "ClassLabel")) {
    const names = core.names.map((label, id) => `${indent}      '${id}': ${JSON.stringify(label)}`);
    return [`${indent}dtype:`, `${indent}  class_label:`, `${indent}    names:`, ...names];
  }
  if (isList(core)) return listLines(core, indent);
  return [`${indent}struct:`, ...featureLines(core as Struct, indent)];
}

function listLines(
  { feature, length, _type }: { feature: Feature; length: number; _type: string },
  indent: string,
): string[] {
  const key = _type === "LargeList" ? "large_list" : "list";
  const { core } = splitNullable(feature);
  if (length < 0 && isA(core, "Value")) return [`${indent}${key}: ${JSON.stringify(core.dtype)}`];
  const isStruct = typeof (core as { _type?: unknown })._type !== "string";
  if (length < 0 && isStruct) return [`${indent}${key}:`, ...featureLines(core as Struct, indent)];
  const lengthLine = length < 0 ? [] : [`${indent}  length: ${length}`];
  return [`${indent}${key}:`, ...typeLines(feature, `${indent}  `), ...lengthLine];
}
