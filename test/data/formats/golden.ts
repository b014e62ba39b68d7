import { readFileSync } from "node:fs";
import type { Row } from "../../../src/data/batch/batch.js";
import { dtypeParts, unitsPerSecond } from "../../../src/data/features/dtypes.js";
import {
  type Feature,
  featureText,
  isA,
  isList,
  type MapFeature,
  type Struct,
  splitNullable,
} from "../../../src/data/features/feature.js";
import { unitsOf } from "../../../src/data/features/moments.js";
import { loadFormat } from "../../../src/data/formats/registry.js";
import { openShard, type Shard } from "../../../src/data/shard/shard.js";

/** Files that Python wrote (`test/fixtures/records/make.py`), and what Python says is in them. */
export const fixture = (name: string): string => new URL(`../../fixtures/records/${name}`, import.meta.url).pathname;

interface Golden {
  readonly [column: string]: { readonly type: string; readonly values: readonly unknown[] };
}

export const golden = JSON.parse(readFileSync(fixture("values.json"), "utf8")) as Golden;

export const openFixture = async (name: string, format: string): Promise<Shard> =>
  openShard({ path: fixture(name), format: await loadFormat(format), packing: "none", options: {} });

export async function rowsIn(shard: Shard, request = {}): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const block of shard.rows(request)) rows.push(...block.rows);
  return rows;
}

/** A value of ours as make.py writes it. */
export function asGolden(value: unknown, feature: Feature): unknown {
  const { core } = splitNullable(feature);
  if (value === null) return null;
  if (isList(core)) return Array.from(value as ArrayLike<unknown>, (one) => asGolden(one, core.feature));
  if (isA(core, "Map")) {
    const { key, value: inner } = core as MapFeature;
    return (value as { key: unknown; value: unknown }[]).map((entry) => ({
      key: asGolden(entry.key, key),
      value: asGolden(entry.value, inner),
    }));
  }
  if (!isA(core, "Value"))
    return isA(core, "ClassLabel") || isA(core, "Json") ? value : structAsGolden(value as Row, core as Struct);
  const parts = dtypeParts(core.dtype);
  switch (parts.kind) {
    case "binary":
      return { base64: Buffer.from(value as Uint8Array).toString("base64") };
    case "float":
      return Number.isFinite(value)
        ? value
        : { float: Number.isNaN(value) ? "nan" : (value as number) > 0 ? "inf" : "-inf" };
    case "int":
      return Number.isSafeInteger(Number(value)) ? Number(value) : { int: String(value) };
    case "date":
      return { day: (value as Date).toISOString().slice(0, 10) };
    case "timestamp":
      return { units: String(unitsOf(value as Date | bigint, parts.unit)) };
    case "time":
    case "duration":
      return { units: String(value) };
    default:
      return value;
  }
}

const structAsGolden = (value: Row, struct: Struct): Row =>
  Object.fromEntries(Object.entries(struct).map(([name, feature]) => [name, asGolden(value[name], feature)]));

/** The features as Arrow's types are called, without nullability. */
export const typesOf = (features: Struct): Record<string, string> =>
  Object.fromEntries(
    Object.entries(features).map(([name, feature]) => [name, featureText(feature).replaceAll("?", "")]),
  );

/** Seconds have no fraction: a timestamp of -5 s is 5 s before 1970. */
export const perSecond = unitsPerSecond;
