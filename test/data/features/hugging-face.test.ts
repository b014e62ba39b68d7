import { describe, expect, expectTypeOf, test } from "vitest";
import { type FeatureOf, features, featureText, Json, type ValueOf } from "../../../src/data/features/feature.js";
import { fromHuggingFace, toHuggingFace } from "../../../src/data/features/hugging-face.js";

/** As Python's datasets 5.0.1 writes `Features.to_dict()`. */
const written = {
  a: { dtype: "int32", _type: "Value" },
  l: { names: ["x", "y"], _type: "ClassLabel" },
  t: { feature: { dtype: "int32", _type: "Value" }, _type: "List" },
  f: { feature: { dtype: "float32", _type: "Value" }, length: 2, _type: "List" },
  s: { u: { dtype: "string", _type: "Value" } },
  j: { _type: "Json" },
  ts: { dtype: "timestamp[us, tz=UTC]", _type: "Value" },
  ls: { feature: { q: { dtype: "string", _type: "Value" } }, _type: "List" },
  ll: { feature: { dtype: "int8", _type: "Value" }, _type: "LargeList" },
};

describe("the JSON of Hugging Face", () => {
  test("is read and written", () => expect(toHuggingFace(fromHuggingFace(written))).toEqual(written));

  test("is that of our constructors", () => {
    expect(toHuggingFace(features({ a: "int32", t: ["int32"], s: { u: "string" } }))).toEqual({
      a: written.a,
      t: written.t,
      s: written.s,
    });
  });

  test("the name json is any value", () => {
    expect(fromHuggingFace({ a: "json", b: ["Json"] })).toEqual(features({ a: Json(), b: [Json()] }));
    expect(features({ a: "json", b: ["json"] })).toEqual(features({ a: Json(), b: [Json()] }));
    expectTypeOf<ValueOf<FeatureOf<"json">>>().toEqualTypeOf<unknown>();
  });

  test("older and other forms", () => {
    const read = fromHuggingFace({
      old: { feature: { dtype: "int32", _type: "Value" }, length: -1, _type: "Sequence" },
      structs: { feature: { a: { dtype: "int8", _type: "Value" } }, _type: "Sequence" },
      brackets: [{ dtype: "string", _type: "Value" }],
      short: "double",
      grid: { shape: [null, 3], dtype: "float32", _type: "Array2D" },
      image: { _type: "Image" },
      labels: { names: { "0": "neg", "1": "pos" }, _type: "ClassLabel" },
      own: { feature: { dtype: "int8", _type: "Value" }, _type: "Nullable" },
    });
    expect(Object.fromEntries(Object.entries(read).map(([name, one]) => [name, featureText(one)]))).toEqual({
      old: "list<int32>",
      structs: "{a: list<int8>}",
      brackets: "list<string>",
      short: "float64",
      grid: "list<list<float32>[3]>",
      image: "{bytes: binary?, path: string?}",
      labels: "label(neg, pos)",
      own: "int8?",
    });
  });

  test("everything may be null where Python wrote it", () => {
    expect(featureText(fromHuggingFace({ s: { u: "string" }, t: ["int8"] }, { nullable: true }))).toBe(
      "{s: {u: string?}?, t: list<int8?>?}",
    );
  });

  test.each([
    [{ x: { _type: "Vlaue", dtype: "int8" } }, 'x: there is no feature type "Vlaue". Did you mean "Value"?'],
    [{ s: { x: "strnig" } }, 's.x: there is no dtype "strnig". Did you mean "string"?'],
    [{ x: 5 }, "x: 5 is not a feature"],
    [{ x: { _type: "Array2D", dtype: "int8" } }, "x: an Array2D needs a shape of 2 lengths, like [null, 3]"],
    [{ x: { _type: "Array3D", dtype: "int8", shape: [1, 2] } }, "x: an Array3D needs a shape of 3 lengths"],
    [{ x: { _type: "Translation" } }, 'x: a Translation needs languages, like ["de", "en"]'],
    [{ x: { _type: "Translation", languages: ["__proto__"] } }, 'no column can be named "__proto__"'],
    [{ x: { _type: "Vidio" } }, 'Did you mean "Video"?'],
    [{ x: { _type: "Pfd" } }, 'Did you mean "Pdf"?'],
    [{ x: { _type: "map" } }, 'Did you mean "Map"?'],
    [[], "features are a JSON object of columns"],
    [{ x: { _type: "ClassLabel" } }, "x: a ClassLabel needs names"],
    [JSON.parse('{"__proto__": "int8"}'), 'no column can be named "__proto__"'],
  ])("%j is refused", (json, says) => expect(() => fromHuggingFace(json)).toThrow(says as string));
});
