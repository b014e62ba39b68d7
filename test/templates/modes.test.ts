import { writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { FinishRule, Item, ListEnv, ModeDefinition, OutputEntry } from "../../src/kit.js";
import * as templates from "../../templates/index.js";
import { createDirectory, createTree } from "../data/tree.js";

/** A mode's declared defaults under what was said, as configuration fills them in. */
function fieldsOf(definition: ModeDefinition, said: Record<string, unknown>): Record<string, unknown> {
  const defaults = Object.entries(definition.fields).flatMap(([name, spec]) =>
    "default" in spec ? [[name, spec.default]] : [],
  );
  return { ...Object.fromEntries(defaults), ...said };
}

interface Listing {
  readonly root?: string;
  readonly leaveOut?: string[];
}

type InputFactory =
  | typeof templates.InputByExts
  | typeof templates.InputByGlob
  | typeof templates.InputFromWhateverJsonl;

function listEnv({ inputRoot = "/", root = 0, leaveOut = [] }: Partial<ListEnv>): ListEnv {
  const { signal } = new AbortController();
  const walk = { root: inputRoot, leaveOut, signal, onPassedOver: () => {}, onUnreadable: () => {} };
  return { inputRoot, root, leaveOut, signal, walk, isOutput: () => false, warn: () => {} };
}

async function list(
  { definition }: { definition: InputFactory["definition"] | ModeDefinition },
  said: Record<string, unknown>,
  { root = "/", leaveOut = [] }: Listing = {},
): Promise<Item[]> {
  if (definition.kind !== "input") throw new Error("not an input mode");
  const items: Item[] = [];
  const env = listEnv({ inputRoot: root, root: 3, leaveOut });
  for await (const batch of definition.list(fieldsOf(definition, said), env)) items.push(...batch);
  return items;
}

const file = (rel_dir: string, file_name: string) => ({ input: { root: 3, rel_dir, file_name } });

describe("hard shards", () => {
  const { NoHardShard, HardShardModeV1 } = templates;
  const v1 = (shardIdx: unknown) =>
    HardShardModeV1.definition.roots({
      baseInputPath: "/in",
      baseOutputPath: "out",
      inputName: "img",
      outputName: "txt",
      shardIdx,
    });

  test("NoHardShard gives its paths, absolute", () => {
    const { definition } = NoHardShard;
    expect(definition.roots({ inputPath: "/a", outputPath: "b" })).toEqual([
      { inputPath: "/a", outputPath: resolve("b") },
    ]);
    expect(definition.roots(fieldsOf(definition, { inputPath: "/a" }))).toEqual([
      { inputPath: "/a", outputPath: null },
    ]);
  });

  test("HardShardModeV1 takes several: lists and ranges, with as many digits as were written", () => {
    const shards = (...shardIdx: string[]): string[] => v1(shardIdx).map(({ inputPath }) => inputPath.split("/")[2]!);
    expect(shards("0", "3")).toEqual(["0", "3"]);
    expect(shards("8-11")).toEqual(["8", "9", "10", "11"]);
    expect(shards("08-11", "x")).toEqual(["08", "09", "10", "11", "x"]);
    expect(shards("0,2")).toEqual(["0", "2"]);
  });

  test("HardShardModeV1 puts the shard between base and name, as text", () => {
    expect(v1(["007"])).toEqual([{ inputPath: "/in/007/img", outputPath: resolve("out/007/txt") }]);
  });

  test.each(["9-0", "0-5000", "", "..", "a/b", "1,1", "0-3,2", "0-999999999"])(
    "HardShardModeV1 refuses shard_idx %j",
    (shardIdx) => {
      expect(() => v1([shardIdx])).toThrow(expect.objectContaining({ code: "bad-value" }));
    },
  );

  test("HardShardModeV1 refuses more than 10,000 shards, however they are listed", () => {
    const lists = Array.from({ length: 11 }, (_, i) => `${i * 1000}-${i * 1000 + 999}`);
    expect(() => v1(lists)).toThrow(/more than 10000 shards/);
    expect(v1(lists.slice(1))).toHaveLength(10_000);
  });
});

describe("input modes that walk", () => {
  const { InputByExts, InputByGlob, InputBySubDirectory } = templates;
  const tree = { "b.txt": "", "a/c.TXT": "", "a/d.md": "", ".h/e.txt": "", "out/f.txt": "", ".kagurazaka/g.txt": "" };

  test("InputByExts", async () => {
    const root = createTree(tree);
    const leaveOut = [join(root, "out")];
    expect(await list(InputByExts, { exts: [".txt"] }, { root, leaveOut })).toEqual([file(".", "b.txt")]);
    expect(await list(InputByExts, { exts: [".txt"], ignoreCase: true }, { root, leaveOut })).toEqual([
      file(".", "b.txt"),
      file("a", "c.TXT"),
    ]);
    expect(await list(InputByExts, { exts: [".txt"], hidden: true }, { root, leaveOut })).toEqual([
      file(".", "b.txt"),
      file(".h", "e.txt"),
    ]);
    expect(await list(InputByExts, { exts: [".md", ".TXT"] }, { root })).toEqual([
      file("a", "c.TXT"),
      file("a", "d.md"),
    ]);
    expect((await list(InputByExts, { exts: [""] }, { root })).length).toBe(4);
  });

  test("InputByGlob, with a recursive **", async () => {
    const root = createTree(tree);
    const leaveOut = [join(root, "out")];
    expect(await list(InputByGlob, { globPattern: "**/*.{txt,md}" }, { root, leaveOut })).toEqual([
      file(".", "b.txt"),
      file("a", "d.md"),
    ]);
    expect(await list(InputByGlob, { globPattern: "**/*.txt", hidden: true }, { root, leaveOut })).toEqual([
      file(".", "b.txt"),
      file(".h", "e.txt"),
    ]);
  });

  test("InputBySubDirectory", async () => {
    const root = createTree({ "b/2/x/": "", "a/1/": "", "a/y.txt": "", ".h/3/": "" });
    expect(await list(InputBySubDirectory, { subDirectoryLevel: 0 }, { root })).toEqual([
      { input: { root: 3, rel_dir: ".", file_name: basename(root), path: root } },
    ]);
    expect(await list(InputBySubDirectory, { subDirectoryLevel: 1 }, { root })).toEqual([
      file(".", "a"),
      file(".", "b"),
    ]);
    expect(await list(InputBySubDirectory, { subDirectoryLevel: 2 }, { root })).toEqual([
      file("a", "1"),
      file("b", "2"),
    ]);
    expect(await list(InputBySubDirectory, { subDirectoryLevel: 2, hidden: true }, { root })).toEqual([
      file(".h", "3"),
      file("a", "1"),
      file("b", "2"),
    ]);
  });

  test("items stand in canonical order, so that encoding takes its fast path", async () => {
    const root = createTree({ "a.txt": "" });
    const [item] = await list(InputByExts, { exts: [".txt"] }, { root });
    expect(Object.keys(item!.input as object)).toEqual(["file_name", "rel_dir", "root"]);
  });
});

describe("input modes that read JSONL", () => {
  const { InputFromFileTripletJsonl, InputFromWhateverJsonl } = templates;
  const write = (name: string, content: string): string => {
    const path = join(createDirectory(), name);
    writeFileSync(path, name.endsWith(".gz") ? gzipSync(content) : content);
    return path;
  };

  test.each(["t.jsonl", "t.jsonl.gz"])(
    "triplets from %s keep their path, and relative ones are relative to the working directory",
    async (name) => {
      const jsonlPath = write(
        name,
        '{"input":{"path":"/data/a/x.txt","rel_dir":"a","file_name":"x.txt"}}\n{"input":{"path":"y.txt","rel_dir":"./b//c/","file_name":"y.txt"},"lang":"ja"}\n{"input":{"path":"/z","rel_dir":"./","file_name":"z"}}\n',
      );
      expect(await list(InputFromFileTripletJsonl, { jsonlPath })).toEqual([
        { input: { root: 3, path: "/data/a/x.txt", rel_dir: "a", file_name: "x.txt" } },
        { input: { root: 3, path: resolve("y.txt"), rel_dir: "b/c", file_name: "y.txt" }, lang: "ja" },
        { input: { root: 3, path: "/z", rel_dir: ".", file_name: "z" } },
      ]);
    },
  );

  test.each([
    '{"path":"/a"}',
    '{"input":{"path":"/a","rel_dir":"."}}',
    '{"input":{"path":"/a","rel_dir":".","file_name":7}}',
    "[1]",
    "null",
  ])("a triplet line of another form is named: %s", async (bad) => {
    const jsonlPath = write("t.jsonl", `\n{"input":{"path":"/a","rel_dir":".","file_name":"a"}}\n${bad}\n`);
    const seen: unknown[] = [];
    const definition = InputFromFileTripletJsonl.definition;
    const env = listEnv({ inputRoot: "/" });
    const reading = async () => {
      for await (const batch of definition.list({ jsonlPath }, env)) seen.push(...batch);
    };
    await expect(reading()).rejects.toMatchObject({ code: "generate-tasks", where: `${jsonlPath}:3` });
    expect(seen.length).toBe(1);
  });

  test("lists of paths leave out outputs and state, by relative and by absolute lines", async () => {
    const root = createTree({});
    const lines = [
      "a.txt",
      "out/b.txt",
      ".kagurazaka/x",
      "sub/.kagurazaka/x/c.txt",
      "x.kagurazaka/d.txt",
      join(root, "out/e.txt"),
      "/elsewhere/f.txt",
      "/elsewhere/.kagurazaka/g.txt",
      "/other-out/h.txt",
    ];
    const linesPath = write("paths", `${lines.join("\n")}\n`);
    const leaveOut = [join(root, "out"), "/other-out"];
    const items = await list(templates.InputByLines, { linesPath }, { root, leaveOut });
    expect(items.map(({ input }) => (input as { file_name: string }).file_name)).toEqual(["a.txt", "d.txt", "f.txt"]);
    // Where inputs and outputs share a root, a line may be either.
    const { length } = await list(templates.InputByLines, { linesPath }, { root, leaveOut: [root] });
    expect(length).toBe(6);
  });

  test("a directory of the list may end in a slash, whatever letter it begins with", async () => {
    const line = (rel_dir: string) => JSON.stringify({ input: { path: "/a", rel_dir, file_name: "a" } });
    const jsonlPath = write("t.jsonl", ["\n/", "x/", "."].map(line).join("\n"));
    const items = await list(InputFromFileTripletJsonl, { jsonlPath });
    expect(items.map(({ input }) => (input as { rel_dir: string }).rel_dir)).toEqual(["\n", "x", "."]);
  });

  test("whatever stands in a line is the item", async () => {
    const jsonlPath = write("w.jsonl", '{"id":1,"text":"a"}\n{"id":2}\n');
    expect(await list(InputFromWhateverJsonl, { jsonlPath })).toEqual([{ id: 1, text: "a" }, { id: 2 }]);
    await expect(list(InputFromWhateverJsonl, { jsonlPath: write("w.jsonl", '{"id":1}\n"text"\n') })).rejects.toThrow(
      /w\.jsonl:2: the line must be a JSON object/,
    );
    await expect(list(InputFromWhateverJsonl, { jsonlPath: "/nonexistent/w.jsonl" })).rejects.toMatchObject({
      code: "input-root",
    });
  });

  test("a key field is said or not", () => {
    const { definition } = InputFromWhateverJsonl;
    expect(definition.keyField!(fieldsOf(definition, { jsonlPath: "x", keyField: "id" }))).toBe("id");
    expect(definition.keyField!(fieldsOf(definition, { jsonlPath: "x" }))).toBeUndefined();
  });
});

describe("output modes", () => {
  const {
    OutputByApendingExt,
    OutputByAppendingExt,
    OutputByFilenameSubfoldering,
    OutputByReplacingExt,
    OutputByTemplate,
  } = templates;
  const inA = { key: "a/b/x.tar.gz", relDir: "a/b", fileName: "x.tar.gz" };
  const inRoot = { key: "x.txt", relDir: ".", fileName: "x.txt" };
  const paths = (entries: readonly OutputEntry[]) => entries.map(({ relPath }) => relPath);

  test("appending, by both names", () => {
    for (const { definition } of [OutputByApendingExt, OutputByAppendingExt]) {
      expect(definition.outputs({ ext: ".json" }, inA)).toEqual([
        { field: "output", relPath: "a/b/x.tar.gz.json", type: "file" },
      ]);
      expect(paths(definition.outputs({ ext: ".json" }, inRoot))).toEqual(["x.txt.json"]);
    }
  });

  test("replacing", () => {
    const { definition } = OutputByReplacingExt;
    expect(paths(definition.outputs({ ext: ".webp" }, inA))).toEqual(["a/b/x.tar.webp"]);
    expect(paths(definition.outputs({ ext: ".webp" }, { ...inRoot, fileName: ".rc" }))).toEqual([".rc.webp"]);
    expect(definition.unique).toBe(false);
  });

  test("by template", () => {
    const { definition } = OutputByTemplate;
    const name = (pattern: string, naming = inA) => paths(definition.outputs({ pattern }, naming))[0];
    expect(name("{rel_dir}/{stem}.webp")).toBe("a/b/x.tar.webp");
    expect(name("{rel_dir}/{stem}.webp", inRoot)).toBe("x.webp");
    expect(name("{key}.json", { key: "id-7", relDir: ".", fileName: "id-7" })).toBe("id-7.json");
    expect(name("all/{file_name}{ext}")).toBe("all/x.tar.gz.gz");
    expect(name("{rel_dir}/../{key}", { key: "k", relDir: "..", fileName: "k" })).toBe("../../k");
    const withExt = (ext: string | null) =>
      paths(definition.outputs({ pattern: "{rel_dir}/{stem}{ext}", ext }, inA))[0];
    expect([withExt(".webp"), withExt(""), withExt(null)]).toEqual(["a/b/x.tar.webp", "a/b/x.tar", "a/b/x.tar.gz"]);
    expect(() => name("{steam}.x")).toThrow(/\{steam\}.*Did you mean "stem"/);
    expect(() => name("{toString}")).toThrow(expect.objectContaining({ code: "bad-value" }));
  });

  test("a folder per input, the directory before its files", () => {
    expect(
      OutputByFilenameSubfoldering.definition.outputs({ fileToWrite: { raw_text: "raw.txt", meta: "meta.json" } }, inA),
    ).toEqual([
      { field: "output", relPath: "a/b/x.tar.gz", type: "directory" },
      { field: "output_raw_text", relPath: "a/b/x.tar.gz/raw.txt", type: "file" },
      { field: "output_meta", relPath: "a/b/x.tar.gz/meta.json", type: "file" },
    ]);
  });
});

describe("finish checks", () => {
  const {
    FinishCheckByOutputFileExistence: ByFile,
    FinishCheckByLedger,
    OutputByApendingExt,
    OutputByFilenameSubfoldering,
  } = templates;
  const naming = { key: "x", relDir: ".", fileName: "x" };
  const one = OutputByApendingExt.definition.outputs({ ext: ".j" }, naming);
  const folder = OutputByFilenameSubfoldering.definition.outputs({ fileToWrite: { a: "a.txt", b: "b.txt" } }, naming);
  const select = (outputs: readonly OutputEntry[], said: Record<string, unknown> = {}) => {
    const rule: FinishRule = ByFile.definition.rule(fieldsOf(ByFile.definition, said));
    if (rule.by !== "files") throw new Error("not by files");
    return rule.select(outputs).map(({ field }) => field);
  };

  test("by existence: the output, all files of a folder, or the one that is named", () => {
    expect(select(one)).toEqual(["output"]);
    expect(select(folder)).toEqual(["output_a", "output_b"]);
    expect(select(folder, { outputFieldSuffix: "b" })).toEqual(["output_b"]);
    expect(select(folder.slice(0, 1))).toEqual(["output"]);
    expect(ByFile.definition.rule(fieldsOf(ByFile.definition, { minBytes: 7 }))).toMatchObject({ minBytes: 7 });
  });

  test("an unknown suffix is an error with the nearest one", () => {
    expect(() => select(folder, { outputFieldSuffix: "c" })).toThrow(/no output_c/);
    expect(() => select(one, { outputFieldSuffix: "raw" })).toThrow(expect.objectContaining({ code: "bad-value" }));
  });

  test("by ledger", () => {
    expect(FinishCheckByLedger.definition.rule({})).toEqual({ by: "ledger" });
  });
});

test("a mode is data that merges, and remembers its definition", () => {
  const mode = templates.InputByExts({ exts: [".txt"] });
  expect(JSON.parse(JSON.stringify(mode))).toEqual({ use: "InputByExts", exts: [".txt"] });
  expect({ ...mode }).toEqual({ use: "InputByExts", exts: [".txt"] });
});

test("a group's own outputs are no files without partners", async () => {
  const root = createTree({ "a.jpg": "", "a.txt": "", "a.out.txt": "" });
  const { definition } = templates.InputByGroups;
  const fields = fieldsOf(definition, { filesToJoin: { image: ".jpg", text: ".txt" }, unmatched: "fail" });
  const keys = async (outputs: readonly string[]) => {
    const found: unknown[] = [];
    const env = { ...listEnv({ inputRoot: root }), isOutput: (path: string) => outputs.includes(path) };
    for await (const items of definition.list(fields, env))
      found.push(...items.map(({ input }) => (input as { stem: string }).stem));
    return found;
  };
  expect(await keys(["a.out.txt"])).toEqual(["a"]);
  await expect(keys([])).rejects.toMatchObject({ code: "generate-tasks" });
});
