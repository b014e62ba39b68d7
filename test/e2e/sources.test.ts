import { describe, expect, test } from "vitest";
import { fakeHub } from "../data/hub/fake-hub.js";
import { createPlace } from "./kagurazaka.js";

/** What a word names: folders with splits and cards, datasets of a hub, mistakes. */
const train = '{"id":1}\n{"id":2}\n';
const test1 = '{"id":3}\n';
const dataset = {
  "d/data/train-00000-of-00001.jsonl": train,
  "d/data/test-00000-of-00001.jsonl": test1,
  "d/other.csv": "x,y\n1,2\n",
  "d/_rejected/train-00000-of-00001.jsonl": "{}\n",
};
const card =
  "---\nconfigs:\n- {config_name: a, data_files: a/*.jsonl}\n- {config_name: b, data_files: b/*.jsonl}\n---\n";

describe.concurrent("records of a folder", () => {
  test("are read by split; what is left out is said", async () => {
    const place = createPlace(dataset);
    const all = await place.run(["records", "count", "d", "--json"]);
    expect(all.json).toEqual({
      rows: 3,
      files: [
        { name: "data/train-00000-of-00001.jsonl", split: "train", rows: 2 },
        { name: "data/test-00000-of-00001.jsonl", split: "test", rows: 1 },
      ],
    });
    expect(all.stderr).toContain("not read, because no split or another format is theirs: other.csv");
    const one = await place.run(["records", "count", "d", "--split", "test", "--json"]);
    expect(one.json.rows).toBe(1);
    const near = await place.run(["records", "count", "d", "--split", "tset"]);
    expect([near.code, near.stderr]).toEqual([2, expect.stringContaining('Did you mean "test"?')]);
  });

  test("are read by the configs of its card", async () => {
    const place = createPlace({ "d/README.md": card, "d/a/1.jsonl": train, "d/b/1.jsonl": test1 });
    expect((await place.run(["records", "count", "d", "--config", "b", "--json"])).json.rows).toBe(1);
    const none = await place.run(["records", "count", "d"]);
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining("Choose one of its configs: a, b.")]);
  });

  test("that is not there: the nearest name", async () => {
    const place = createPlace(dataset);
    const near = await place.run(["records", "count", "d/data/trian-00000-of-00001.jsonl"]);
    expect([near.code, near.stderr]).toEqual([2, expect.stringContaining('"train-00000-of-00001.jsonl"')]);
  });
});

describe("a dataset of a hub", () => {
  test("is fetched, mapped, and read again when the hub is gone", async () => {
    const files = { "data/train-00000-of-00001.jsonl": train, "data/test-00000-of-00001.jsonl": test1 };
    const place = createPlace({ "f.mjs": "export const same = (row, { split }) => ({ ...row, split });\n" });
    const env = { HF_HOME: place.path("home"), HF_TOKEN: "hf_private" };
    {
      await using hub = await fakeHub(files);
      const online = { ...env, HF_ENDPOINT: hub.url };
      const mapped = await place.run(["@map", "f.mjs#same", "--in", "org/set", "--out", "out", "--json"], online);
      expect([mapped.code, mapped.stderr]).toEqual([0, expect.not.stringContaining("hf_private")]);
      expect(place.read("out/train-00000-of-00001.jsonl")).toBe('{"id":1,"split":"train"}\n{"id":2,"split":"train"}\n');
      expect(place.read("out/test-00000-of-00001.jsonl")).toBe('{"id":3,"split":"test"}\n');
      const none = await place.run(["records", "count", "org/sett"], online);
      expect([none.code, none.stderr]).toEqual([2, expect.stringContaining("there is no org/sett")]);
    }
    const offline = { ...env, HF_HUB_OFFLINE: "1" };
    expect((await place.run(["records", "count", "hf://datasets/org/set", "--json"], offline)).json.rows).toBe(3);
  });
});
