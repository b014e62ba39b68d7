import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { createRandom } from "../../../src/base/random.js";
import type { Row } from "../../../src/data/batch/batch.js";
import {
  type Feature,
  type Features,
  featureText,
  List,
  MapOf,
  Nullable,
  type Struct,
  splitNullable,
} from "../../../src/data/features/feature.js";
import { loadFormat } from "../../../src/data/formats/registry.js";
import { openShard } from "../../../src/data/shard/shard.js";
import { plain } from "../../../src/testing/format-assertions.js";
import { candidates, rowFor } from "../../../src/testing/format-samples.js";
import { rowsIn } from "./golden.js";

const directory = mkdtempSync(join(tmpdir(), "kagurazaka-random-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const leaf = fc.constantFrom(...candidates.filter((feature) => featureText(feature) !== "null"));
const nullable = (feature: Feature): Feature => (splitNullable(feature).nullable ? feature : Nullable(feature));

/** Any dtype, in lists, structs and maps of any depth, null or not at each. */
const { feature } = fc.letrec<{ feature: Feature }>((tie) => ({
  feature: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    leaf,
    tie("feature").map((inner) => List(inner)),
    fc.tuple(tie("feature"), fc.integer({ min: 0, max: 3 })).map(([inner, length]) => List(inner, { length })),
    fc
      .dictionary(fc.constantFrom("a", "b", "c d", "é", "list", "element", "key"), tie("feature"), {
        minKeys: 1,
        maxKeys: 3,
      })
      .map((fields): Struct => ({ ...fields })),
    tie("feature").map((value) => MapOf("string", value)),
    tie("feature").map(nullable),
  ),
}));

const table = fc.record({
  features: fc
    .dictionary(fc.constantFrom("id", "text", "a.b", "ü", "x"), feature, { minKeys: 1, maxKeys: 4 })
    .map((f): Features => ({ ...f })),
  count: fc.integer({ min: 0, max: 40 }),
  seed: fc.integer({ min: 0, max: 1e6 }),
  groupRows: fc.integer({ min: 1, max: 50 }),
  batchRows: fc.integer({ min: 1, max: 50 }),
  cut: fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })),
});

describe.each(["parquet", "arrow"])("%s", (name) => {
  test("gives back rows of any features, whole and in part", async () => {
    const format = await loadFormat(name);
    let made = 0;
    await fc.assert(
      fc.asyncProperty(table, async ({ features, count, seed, groupRows, batchRows, cut }) => {
        const rows = Array.from({ length: count }, (_, i): Row => rowFor(features, createRandom(`${seed} ${i}`)));
        const path = join(directory, `${made++}${format.extensions[0]}`);
        const compression = format.codecs[made % format.codecs.length]!;
        {
          await using writer = await format.create({ path, features, compression, options: {}, groupRows });
          for (let at = 0; at < count; at += batchRows) await writer.writeRows(rows.slice(at, at + batchRows));
          await writer.finish();
        }
        await using shard = await openShard({ path, format, packing: "none", options: {} });
        expect(shard.reader.features).toEqual(features);
        expect(plain(await rowsIn(shard))).toEqual(plain(rows));
        const [from, to] = cut.map((share) => Math.round(share * count)).sort((a, b) => a - b);
        expect(plain(await rowsIn(shard, { from, to, batchRows }))).toEqual(plain(rows.slice(from, to)));
        rmSync(path);
      }),
      { numRuns: 80, seed: 20261130 },
    );
  }, 60_000);
});
