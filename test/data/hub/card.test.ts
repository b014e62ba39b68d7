import { describe, expect, test } from "vitest";
import { parseCard } from "../../../src/data/hub/card.js";
import { chooseConfig } from "../../../src/data/hub/configs.js";

const card = (yaml: string, body = "# Title\ntext") => parseCard(`---\n${yaml}\n---\n${body}`, "README.md");
const names = ["README.md", "a.csv", "de/train.csv", "de/test.csv", "en/x-train.csv", "extra/b.csv"];

describe("data_files", () => {
  test.each([
    ["a pattern", "data_files: '*.csv'", { train: ["a.csv"] }],
    ["a list", "data_files: [a.csv, 'extra/*']", { train: ["a.csv", "extra/b.csv"] }],
    [
      "a mapping",
      "data_files: {train: de/train.csv, test: ['de/te*']}",
      { train: ["de/train.csv"], test: ["de/test.csv"] },
    ],
    ["a list by split", "data_files: [{split: dev, path: ['**/b.csv']}]", { dev: ["extra/b.csv"] }],
    ["nothing but a folder", "data_dir: ./de/", { train: ["de/train.csv"], test: ["de/test.csv"] }],
    ["a split without files", "data_files: {train: a.csv, test: 'nope*'}", { train: ["a.csv"] }],
  ])("is %s", (_, config, splits) => {
    const found = chooseConfig(names, card(`configs: [{config_name: c, ${config}}]`), undefined, "x");
    expect([found.config, Object.fromEntries(found.splits)]).toEqual(["c", splits]);
  });

  test.each([
    [
      "a file that is missing",
      "data_files: b.csv",
      /names the file b\.csv, which is not there\. Did you mean "a\.csv"\?/,
    ],
    ["a file elsewhere", "data_files: ../b.csv", /is outside of it/],
    ["a URL", "data_files: https://x.org/a.csv", /is outside of it/],
    ["a number", "data_files: 3", /has 3 for a path/],
    ["a split twice", "data_files: [{split: a, path: x}, {split: a, path: y}]", /"a" twice/],
    ["a bad split", "data_files: {my-split: x}", /"my-split" is not the name of a split/],
    ["a mixture", "data_files: [x, {split: a, path: y}]", /among entries/],
  ])("is not %s", (_, config, message) => {
    const choose = () => chooseConfig(names, card(`configs: [{config_name: c, ${config}}]`), undefined, "x");
    expect(choose).toThrow(message);
  });
});

describe("the config", () => {
  const several = (rest = "") =>
    card(`configs:\n- {config_name: de, data_dir: de}\n- {config_name: en, data_dir: en${rest}}`);

  test("is the one that is named, the default, or the only one", () => {
    expect(chooseConfig(names, several(), "de", "x").config).toBe("de");
    expect(chooseConfig(names, several(", default: true"), undefined, "x").config).toBe("en");
    expect(
      chooseConfig(names, card("configs: [{config_name: a}, {config_name: default}]"), undefined, "x").config,
    ).toBe("default");
    expect(chooseConfig(names, undefined, undefined, "x")).toMatchObject({ config: "default", configs: ["default"] });
    expect(chooseConfig(names, card("dataset_info: {config_name: plain}"), "plain", "x").config).toBe("plain");
  });

  test.each([
    [undefined, /several configs, and none is the default/],
    ["dee", /no config "dee"\. Did you mean "de"\?/],
  ])("%s is an error that lists them", (config, message) => {
    expect(() => chooseConfig(names, several(), config, "x")).toThrow(
      expect.objectContaining({
        code: "source",
        message: expect.stringMatching(message),
        hint: expect.stringContaining("de, en"),
      }),
    );
  });

  test("of a dataset without configs is an error too", () => {
    expect(() => chooseConfig(names, undefined, "de", "x")).toThrow(/no config "de"/);
  });
});

test("dataset_info has features in the JSON form, and counts", () => {
  // `Features._from_yaml_list(…).to_dict()` of datasets 5.0.1 says the same.
  const yaml = `
license: [mit, other]
tags: text
dataset_info:
- config_name: a
  features:
  - name: text
    dtype: string
  - {name: label, dtype: {class_label: {names: {'1': pos, '0': neg}}}}
  - {name: ids, sequence: int32}
  - {name: pair, list: [{name: x, dtype: int64}], length: 2}
  - {name: meta, struct: [{name: t, dtype: 'timestamp[us]'}]}
  - {name: both, sequence: [{name: y, dtype: float32}]}
  - {name: image, dtype: image}
  - {name: grid, dtype: {array2_d: {shape: [2, 3], dtype: int8}}}
  splits: [{name: train, num_bytes: 120, num_examples: 3}, {name: test}]`;
  const found = card(yaml);
  expect(found).toMatchObject({ license: ["mit", "other"], tags: ["text"], body: "# Title\ntext", configs: [] });
  expect(found.infos[0]).toEqual({
    config: "a",
    features: {
      text: { dtype: "string", _type: "Value" },
      label: { names: ["neg", "pos"], _type: "ClassLabel" },
      ids: { feature: { dtype: "int32", _type: "Value" }, _type: "List" },
      pair: { feature: { x: { dtype: "int64", _type: "Value" } }, length: 2, _type: "List" },
      meta: { t: { dtype: "timestamp[us]", _type: "Value" } },
      both: { y: { feature: { dtype: "float32", _type: "Value" }, _type: "List" } },
      image: { _type: "Image" },
      grid: { shape: [2, 3], dtype: "int8", _type: "Array2D" },
    },
    splits: [
      { name: "train", rows: 3, bytes: 120 },
      { name: "test", rows: undefined, bytes: undefined },
    ],
  });
});

describe("a card", () => {
  test("may have no YAML", () => {
    for (const text of ["", "# Title", "---\nno: end", "---\n---\n"])
      expect(parseCard(text, "x")).toMatchObject({ configs: [], infos: [] });
  });

  test.each([
    ["broken YAML", "a: [1,\nb: 2", /README\.md:\d: the YAML is broken/],
    ["a key twice", "a: 1\na: 2", /README\.md:3: the YAML is broken/],
    ["a list at its top", "- 1", /not a mapping/],
    ["no name of a config", "configs: [{data_files: x}]", /no config_name/],
    ["a config twice", "configs: [{config_name: a}, {config_name: a}]", /"a" twice/],
    ["configs that are none", "configs: 3", /configs is not a list/],
    ["features that are none", "dataset_info: {features: 3}", /invalid dataset_info/],
    [
      "labels with a gap",
      "dataset_info: {features: [{name: a, dtype: {class_label: {names: {'0': x, '2': y}}}}]}",
      /no name for 1/,
    ],
    ["a column __proto__", "dataset_info: {features: [{name: __proto__, dtype: string}]}", /__proto__/],
  ])("with %s is an error that names it", (_, yaml, message) => {
    expect(() => card(yaml)).toThrow(
      expect.objectContaining({ code: "bad-data", message: expect.stringMatching(message) }),
    );
  });
});
