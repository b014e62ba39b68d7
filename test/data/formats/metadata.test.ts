import { describe, expect, test } from "vitest";
import { ClassLabel, features, Json, List, MapOf, Nullable } from "../../../src/data/features/feature.js";
import { metadataOf, storedFeatures, withMetadata } from "../../../src/data/formats/arrow/metadata.js";

const label = ClassLabel(["no", "yes"]);

describe("the metadata of columns", () => {
  test("columns with labels or JSON are stored as ones that may be null, at every depth", () => {
    const all = features({ id: "int64", label, jsons: List(Json()), map: MapOf("string", label) });
    expect(storedFeatures(all)).toEqual({
      id: all.id,
      label: Nullable(label),
      jsons: Nullable(List(Nullable(Json()))),
      map: Nullable(MapOf("string", Nullable(label))),
    });
  });

  test("give back what storage does not say, also beside a map", () => {
    const all = features({ id: "int64", label, maybe: Nullable(label), map: MapOf("string", "int64") });
    const storage = {
      ...all,
      label: Nullable(features({ a: "int64" }).a),
      maybe: features({ a: Nullable("int64") }).a,
    };
    expect(withMetadata(storage, new Map(metadataOf(all)))).toEqual(all);
    expect(new Map(metadataOf(all)).has("huggingface")).toBe(false);
  });

  test.each([
    "no JSON",
    "null",
    '{"features":{"id":"abc"}}',
    '{"features":{"id":{"_type":"Value","dtype":"nonsense"}}}',
    JSON.stringify({ features: { id: label } }),
  ])("%s says nothing of a column of text", (text) => {
    const storage = features({ id: "string" });
    expect(withMetadata(storage, new Map([["kagurazaka", text]]))).toEqual(storage);
  });
});
