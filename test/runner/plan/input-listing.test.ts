import { describe, expect, test } from "vitest";
import type { InputDefinition } from "../../../src/contracts/modes.js";
import { byId, fileMode, files, inputMode, outputMode, plan, softShard } from "./test-plan.js";

const same = { inputPath: "/d", outputPath: "/d" };
const appended = outputMode((key) => `${key}.gz`);
const walked = (...names: string[]) =>
  fileMode(files(...names.map((name) => [".", name] as const)), { readsInputRoot: true });

describe("outputs beside inputs", () => {
  test("an output of a file that is listed is no input, in whatever order they come", async () => {
    const mode = walked("a.gz.gz", "a.gz", "a", "b.gz");
    const planned = await plan({ modes: { inputMode: mode, outputMode: appended }, root: same });
    expect(planned.keys, "b.gz is nobody's output").toEqual(["a", "b.gz"]);
    expect(planned.warned).toEqual(['2 files are outputs of this task and passed over as input: "a.gz.gz" and others']);
  });

  test("an output of an item that was done is no input, when its file is gone too", async () => {
    const request = { modes: { inputMode: walked("a.gz", "b.gz"), outputMode: appended }, root: same };
    expect((await plan({ ...request, ledger: { a: { status: "done" }, b: { status: "failed" } } })).keys).toEqual([
      "b.gz",
    ]);
  });

  test("what an earlier run made under other names is no input either", async () => {
    const modes = { inputMode: walked("a", "a.br", "a.gz", "b.br"), outputMode: appended };
    const earlierOutput = outputMode((key) => `${key}.br`);
    expect((await plan({ modes, root: same, earlierOutput })).keys, "b.br is nobody's output").toEqual(["a", "b.br"]);
  });

  test("an output elsewhere in the tree is known as well", async () => {
    const mode = fileMode(files([".", "a.flat"], ["x", "a"]), { readsInputRoot: true });
    const flat = outputMode((key) => `${key.split("/").at(-1)}.flat`);
    expect((await plan({ modes: { inputMode: mode, outputMode: flat }, root: same })).keys).toEqual(["x/a"]);
  });

  test("an item is not its own output: it is refused, and not left out without a word", async () => {
    const request = { modes: { inputMode: walked("a.up", "b"), outputMode: outputMode((key) => key) }, root: same };
    const { keys, refused } = await plan(request);
    expect([keys, refused.map(({ key }) => key)]).toEqual([[], ["a.up", "b"]]);
  });

  test("soft shards count without outputs, so that they are the same when some are made", async () => {
    const keys = async (shard: number, ...names: string[]) =>
      (await plan({ modes: { inputMode: walked(...names), outputMode: appended, ...softShard(shard, 2) }, root: same }))
        .keys;
    expect(await keys(0, "a", "b", "c")).toEqual(["a", "c"]);
    expect(await keys(1, "a", "a.gz", "b", "c", "c.gz")).toEqual(["b"]);
  });

  test("in an input root below the output root they are told apart by their places", async () => {
    const root = { inputPath: "/d/in", outputPath: "/d" };
    const mode = fileMode(files([".", "a.gz"], ["in", "a"]), { readsInputRoot: true });
    // in/a below /d/in has the output /d/in/a.gz.
    expect((await plan({ modes: { inputMode: mode, outputMode: appended }, root })).keys).toEqual(["in/a"]);
  });

  test("where roots are apart, the same names are inputs", async () => {
    const root = { inputPath: "/in", outputPath: "/out" };
    const planned = await plan({ modes: { inputMode: walked("a", "a.gz"), outputMode: appended }, root });
    expect([planned.keys, planned.warned]).toEqual([["a", "a.gz"], []]);
  });

  test("a list is read once: its lines count from their place on, and what was done before counts from the first", async () => {
    let reads = 0;
    const list = (env: unknown) => {
      reads += env === undefined ? 0 : 1;
      return [files([".", "z.gz"], [".", "a"], [".", "a.gz"], [".", "z"])];
    };
    const mode = fileMode([], { list: (_fields, env) => list(env), uniqueKeys: false });
    const planned = await plan({
      modes: { inputMode: mode, outputMode: appended },
      root: same,
      ledger: { z: { status: "done" } },
    });
    expect([planned.keys, planned.skipped, reads]).toEqual([["a"], ["z: in the ledger"], 1]);
  });
});

describe("what is passed over", () => {
  const listing = (list: InputDefinition["list"], more: Parameters<typeof plan>[0] = {}) =>
    plan({ ...more, modes: { inputMode: fileMode([], { list, readsInputRoot: true }), ...more.modes } });

  test("is counted and named once, at the end, with what to do", async () => {
    const { keys, warned } = await listing(function* (_fields, { walk }) {
      walk.onPassedOver("l1", "a symbolic link to a directory");
      yield files([".", "a"]);
      walk.onPassedOver("x/l2\n", "a symbolic link to a directory");
      walk.onPassedOver(".h", "hidden");
      walk.onPassedOver("gone\u0007", "a symbolic link to nothing");
    });
    expect(keys).toEqual(["a"]);
    expect(warned).toEqual([
      expect.stringMatching(/^2 symbolic links to directories are not followed: "l1" and others\. Run again /),
      '1 symbolic link leads to nothing and is passed over: "gone\\u0007". Mend or remove it.',
    ]);
  });

  test.each(["EACCES", "EIO", "ELOOP", "ENAMETOOLONG", "ENOENT"])(
    "a directory that cannot be listed (%s) fails as itself, and the rest is planned",
    async (code) => {
      const { keys, refused, listed } = await listing(function* (_fields, { walk }) {
        yield files([".", "a"]);
        walk.onUnreadable("x/locked", Object.assign(new Error(`${code}: no`), { code }));
        yield files(["z", "b"]);
      });
      expect([keys, listed]).toEqual([["a", "z/b"], 3]);
      expect(refused).toMatchObject([
        {
          key: "x/locked/",
          item: { input: { rel_dir: "x", file_name: "locked", root: 0 } },
          error: { code: "unreadable", permanent: true },
        },
      ]);
      expect(refused[0]?.error.message).toContain("/in/x/locked");
    },
  );

  test("it fails only where it may have items that are selected", async () => {
    const lock: InputDefinition["list"] = (_fields, { walk }) => {
      walk.onUnreadable("locked", new Error("no"));
      return [];
    };
    const refused = async (settings: object) => (await listing(lock, { settings })).refused.length;
    expect(await refused({ only: ["a/**"] })).toBe(0);
    expect(await refused({ only: ["*/x.txt"] })).toBe(1);
    expect(await refused({ keys: ["locked/a"] })).toBe(1);
    expect(await refused({ keys: ["other/a"] })).toBe(0);
    expect(await refused({ shard: { index: 1, of: 2 } })).toBe(1);
  });

  test("what could not run before and is not listed any more is cleared, once all is listed", async () => {
    const refusedBefore = ["locked/", "still/", "a#2"];
    const list: InputDefinition["list"] = (_fields, { walk }) => {
      walk.onUnreadable("still", new Error("no"));
      return [files([".", "a"], [".", "b"])];
    };
    expect((await listing(list, { refusedBefore })).cleared).toEqual(["locked/", "a#2"]);
    expect((await listing(list, { refusedBefore, settings: { limit: 1 } })).cleared).toEqual([]);
  });
});

describe("items listed twice", () => {
  test("the same item again is a repeat: skipped, counted, named once", async () => {
    const list = [{ id: "a", x: 1 }, { id: "b" }, { x: 1, id: "a" }, { id: "a", x: 1 }];
    const planned = await plan({ list, instance: byId });
    expect(planned).toMatchObject({ keys: ["a", "b"], refused: [], listed: 4 });
    expect(planned.skipped).toEqual(["a: listed before", "a: listed before"]);
    expect(planned.warned).toEqual(['2 items are repeats of items listed before, which run once: "a" and others']);
  });

  test("another item with the same key fails, and so do not its repeats", async () => {
    const list = [{ id: "a" }, { id: "a", x: 1 }, { id: "a", x: 1 }, { id: "a", x: 2 }];
    const planned = await plan({ list, instance: byId });
    expect(planned.refused.map(({ key, error }) => `${key} ${error.code}`)).toEqual([
      "a#2 duplicate-key",
      "a#3 duplicate-key",
    ]);
    expect([planned.keys, planned.skipped]).toEqual([["a"], ["a: listed before"]]);
  });

  test("files of a list: one path is one file; two paths with one key are a mistake", async () => {
    const [a, b] = files([".", "a"], [".", "b"]);
    const other = { input: { ...(a!.input as object), path: "/a" } };
    const mode = fileMode([a!, b!, a!, other], { uniqueKeys: false });
    const planned = await plan({ modes: { inputMode: mode } });
    expect(planned).toMatchObject({ keys: ["a", "b"], skipped: ["a: listed before"], refused: [{ key: "a#2" }] });
  });

  test("a repeat outside the selection is not counted; in its own soft shard it is", async () => {
    const list = [{ id: "a" }, { id: "a" }, { id: "b" }];
    const modes = { inputMode: inputMode(list, { keyField: () => "id" }) };
    expect((await plan({ modes, settings: { only: ["b"] } })).skipped).toEqual([]);
    expect((await plan({ modes: { ...modes, ...softShard(1, 3) } })).skipped).toEqual(["a: listed before"]);
    expect((await plan({ modes: { ...modes, ...softShard(2, 3) } })).skipped).toEqual([]);
  });
});
