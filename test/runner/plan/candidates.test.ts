import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { TaskInstance } from "../../../src/contracts/task.js";
import { ExistingFiles } from "../../../src/runner/plan/finished.js";
import { foldNames, unfoldNames } from "../../base/fold-names.js";
import { tempDir } from "../temp-dir.js";
import {
  byId,
  fileMode,
  files,
  ids,
  inputMode,
  keysFrom,
  outputMode,
  type Planned,
  plan,
  softShard,
} from "./test-plan.js";

describe("names", () => {
  test("of records are made of their content, whatever the order of their fields; a repeat is another item", async () => {
    const { keys } = await plan({ list: [{ a: 1, b: 2 }, { b: 2, a: 1 }, { a: 1 }, { a: 1, b: 2, c: undefined }] });
    const [first, second, third, fourth] = keys;
    expect(first).toMatch(/^[0-9a-f]{24}$/);
    expect([second, fourth]).toEqual([`${first}#2`, `${first}#3`]);
    expect(third).not.toBe(first);
  });

  test("are what keyOf returns", async () => {
    expect((await plan({ list: ids(3), instance: byId })).keys).toEqual(keysFrom(0, 1, 2));
  });

  test("are the values of the key field of an input mode, numbers too", async () => {
    const modes = { inputMode: inputMode([{ n: 7 }, { n: "x" }], { keyField: () => "n" }) };
    expect((await plan({ modes })).keys).toEqual(["7", "x"]);
  });

  test("of files are their paths below the input root", async () => {
    const modes = { inputMode: fileMode(files([".", "a.txt"], ["sub/deep", "b c.txt"])) };
    expect((await plan({ modes })).keys).toEqual(["a.txt", "sub/deep/b c.txt"]);
  });

  test("of items that an earlier run has named stay what they were; their files lie in the shard they are in now", async () => {
    const [item] = files(["d", "x"]);
    const { keys, json } = await plan({
      modes: { inputMode: fileMode([]), ...softShard(1, 2) },
      shard: 1,
      items: [[{ key: "d/x", item: item! }]],
    });
    expect([keys, json]).toEqual([["d/x"], ['{"input":{"file_name":"x","rel_dir":"d","root":1}}']]);
  });
});

describe("refused", () => {
  const refusal = ({ refused }: Planned) =>
    refused.map(({ key, error }) => ({ key, code: error.code, message: error.message }));

  test.each<[string, unknown, string]>([
    ["null", null, "item 1 is null, not an object"],
    ["a number", 5, "item 1 is a number, not an object"],
    ["an array", [1], "item 1 is an array, not an object"],
    ["undefined", undefined, "item 1 is undefined, not an object"],
  ])("is %s", async (_what, raw, message) => {
    for (const runsAll of [false, true]) {
      const planned = await plan({ list: [{ a: 1 }, raw, { a: 2 }], runsAll });
      expect(refusal(planned)).toEqual([{ key: "invalid:1", code: "not-json", message }]);
      expect(planned.keys).toHaveLength(2);
    }
  });

  test.each([
    ["a function", { f: () => {} }],
    ["a BigInt", { n: 1n }],
    ["NaN", { n: Number.NaN }],
    ["a Map", { m: new Map() }],
  ])("is a record with %s in it", async (_what, raw) => {
    expect(refusal(await plan({ list: [raw] }))).toMatchObject([{ key: "invalid:0", code: "not-json" }]);
  });

  test("is another item with a key that was given; the first one runs", async () => {
    const planned = await plan({ list: [{ id: "a" }, { id: "a", n: 1 }, { id: "a", n: 2 }], instance: byId });
    expect(planned.keys).toEqual(["a"]);
    expect(planned.refused.map(({ key, error }) => `${key} ${error.code} ${error.permanent}`)).toEqual([
      "a#2 duplicate-key true",
      "a#3 duplicate-key true",
    ]);
  });

  test.each<[string, Partial<TaskInstance>, string]>([
    ["gives no text", { keyOf: () => 5 as unknown as string }, "keyOf() returned 5, not a text"],
    ["gives an empty one", { keyOf: () => "" }, 'keyOf() returned "", not a text'],
    [
      "throws",
      {
        keyOf() {
          throw new RangeError("no id");
        },
      },
      "naming the item failed: no id",
    ],
  ])("is an item for which keyOf %s", async (_what, instance, message) => {
    expect(refusal(await plan({ list: [{}], instance }))).toEqual([{ key: "invalid:0", code: "item-failed", message }]);
  });

  test("is a record without the key field, or with one that is no text", async () => {
    const modes = { inputMode: inputMode([{ nmae: "x" }, { name: true }], { keyField: () => "name" }) };
    const planned = await plan({ modes });
    expect(planned.refused.map(({ error }) => error.message)).toEqual([
      'the key field "name" is missing, not a text or a number',
      'the key field "name" is a boolean, not a text or a number',
    ]);
    expect(planned.refused[0]!.error.hint).toBe('The item has: nmae. Did you mean "nmae"?');
  });

  test.each(["input", "output", "output_x", "result"])("is a record of a template with a field %s", async (field) => {
    const modes = { inputMode: inputMode([{ [field]: 1 }]) };
    expect(refusal(await plan({ modes }))).toMatchObject([{ code: "reserved-field" }]);
    expect((await plan({ list: [{ [field]: 1 }] })).refused).toEqual([]);
  });

  test.each([
    ["leaves the root", "..", "x"],
    ["is absolute", "/etc", "passwd"],
    ["lies in our own directory", ".kagurazaka", "x"],
    ["is too long", ".", "x".repeat(256)],
    ["has a zero byte", ".", "a\0b"],
  ])("is a file whose name %s", async (_what, relDir, fileName) => {
    const modes = { inputMode: fileMode(files([relDir, fileName])) };
    expect(refusal(await plan({ modes }))).toMatchObject([{ code: "unsafe-name" }]);
  });

  test("is an item whose output would leave the root, or that another one writes already", async () => {
    const unsafe = await plan({ list: ids(1), instance: byId, modes: { outputMode: outputMode(() => "../x") } });
    expect(refusal(unsafe)).toMatchObject([{ key: "k0", code: "unsafe-name" }]);
    const same = await plan({ list: ids(2), instance: byId, modes: { outputMode: outputMode(() => "x", false) } });
    expect([same.keys, refusal(same)]).toMatchObject([["k0"], [{ key: "k1", code: "duplicate-key" }]]);
  });

  describe("that the file system takes for one, where it does not tell case", () => {
    const list = ["A.txt", "a.txt", "b.txt", "\u00e9.txt", "e\u0301.txt"].map((file) => ({ id: file }));
    const modes = { outputMode: outputMode((key) => `${key}.out`) };

    test("are of the first item alone", async () => {
      const { keys, refused } = await plan({ list, instance: byId, modes, foldsOutputs: true });
      expect(keys).toEqual(["A.txt", "b.txt", "\u00e9.txt"]);
      expect(refused.map(({ key, error }) => [key, error.code])).toEqual([
        ["a.txt", "duplicate-key"],
        ["e\u0301.txt", "duplicate-key"],
      ]);
      expect((await plan({ list, instance: byId, modes })).keys).toHaveLength(5);
    });

    test("stay those of the item that has made them, whatever is listed before it", async () => {
      const ledger = { "a.txt": { status: "done" } } as const;
      const { keys, refused, skipped } = await plan({ list, instance: byId, modes, foldsOutputs: true, ledger });
      expect(refused.map(({ key }) => key)).toEqual(["e\u0301.txt"]);
      // A.txt fails where it is written: the file is there.
      expect([keys, skipped]).toEqual([["A.txt", "b.txt", "\u00e9.txt"], ["a.txt: in the ledger"]]);
    });

    test("are of one item also where soft shards and parts have one each", async () => {
      const soft = await Promise.all(
        [0, 1].map((part) =>
          plan({ list, instance: byId, modes: { ...modes, ...softShard(part, 2) }, foldsOutputs: true }),
        ),
      );
      expect(soft.flatMap(({ keys }) => keys).toSorted()).toEqual(["A.txt", "b.txt", "\u00e9.txt"]);
      const parts = await Promise.all(
        [0, 1, 2].map((index) =>
          plan({ list, instance: byId, modes, foldsOutputs: true, settings: { shard: { index, of: 3 } } }),
        ),
      );
      expect(parts.flatMap(({ keys }) => keys).toSorted()).toEqual(["A.txt", "b.txt", "\u00e9.txt"]);
    });
  });

  test("that are the item's own input, where both roots are one directory under two names", async () => {
    const dir = tempDir();
    mkdirSync(join(dir, "in"));
    symlinkSync("in", join(dir, "alias"));
    const refusedFor = async (outputPath: string) =>
      (
        await plan({
          root: { inputPath: join(dir, "in"), outputPath: join(dir, outputPath) },
          modes: {
            inputMode: fileMode(files([".", "a.md"], [".", "b.txt"])),
            outputMode: outputMode((key) => key.replace("txt", "md")),
          },
        })
      ).refused.map(({ key }) => key);
    expect(await refusedFor("alias")).toEqual(["a.md"]);
    expect(await refusedFor("elsewhere")).toEqual([]);
  });

  test("that are there in another case count as finished nowhere", () => {
    const dir = tempDir();
    for (const name of [".kagurazaka", "A.out", "e\u0301.out"]) writeFileSync(join(dir, name), "");
    foldNames();
    try {
      const existing = new ExistingFiles(dir);
      expect(["a.out", "A.out", "\u00e9.out"].map((name) => existing.has(name, 0))).toEqual([false, true, true]);
    } finally {
      unfoldNames();
    }
  });
});
