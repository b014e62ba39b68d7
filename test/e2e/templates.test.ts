import { mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { counts, createPlace, type Place, taskFile } from "./kagurazaka.js";

/** Modes as a user puts them together on the command line, over real files. */
const inline = ["--backbone", "inline", "--json"];
const tree = {
  "in/a.txt": "a",
  "in/b.TXT": "B",
  "in/sub/c.txt": "c",
  "in/sub/deep/d.md": "d",
  "in/.hidden/e.txt": "e",
  "in/sub.d/f g.txt": "f",
};

const fill = (place: Place, ...mixin: string[]) =>
  place.run([
    taskFile("files.ts"),
    "Fill",
    ...inline,
    "--mixin",
    "hard_shard_mode.input_path=in",
    "hard_shard_mode.output_path=out",
    ...mixin,
  ]);

describe.concurrent("input modes", () => {
  const modes: readonly (readonly [string, string[]])[] = [
    ["input_mode.exts=[.txt]", ["a.txt", "sub.d/f g.txt", "sub/c.txt"]],
    [
      "input_mode={use: InputByExts, exts: [.txt, .md], ignoreCase: true}",
      ["a.txt", "b.TXT", "sub.d/f g.txt", "sub/c.txt", "sub/deep/d.md"],
    ],
    [
      "input_mode={use: InputByExts, exts: [.txt], hidden: true}",
      [".hidden/e.txt", "a.txt", "sub.d/f g.txt", "sub/c.txt"],
    ],
    ['input_mode={use: InputByGlob, glob_pattern: "**/*.txt"}', ["a.txt", "sub.d/f g.txt", "sub/c.txt"]],
    ['input_mode={use: InputByGlob, glob_pattern: "sub/**"}', ["sub/c.txt", "sub/deep/d.md"]],
    ["input_mode={use: InputBySubDirectory, sub_directory_level: 0}", ["in"]],
    ["input_mode={use: InputBySubDirectory, sub_directory_level: 1}", ["sub", "sub.d"]],
    ["input_mode={use: InputBySubDirectory, sub_directory_level: 2}", ["sub/deep"]],
  ];
  for (const [mixin, expected] of modes) {
    test(`${mixin} finds ${expected.length}, whose outputs mirror the tree`, async () => {
      const place = createPlace(tree);
      const { json, stderr } = await fill(place, mixin);
      expect(json.counts, stderr).toEqual(counts({ done: expected.length }));
      expect(Object.keys(place.files("out")).sort()).toEqual(expected.map((name) => `${name}.out`).sort());
      expect((await fill(place, mixin)).json.counts).toEqual(counts({ skipped: expected.length }));
    });
  }

  test("an output root inside the input root is no input; links to files are, links to directories are not", async () => {
    const place = createPlace(tree);
    symlinkSync(place.path("in/a.txt"), place.path("in/link.txt"));
    symlinkSync(place.path("in/sub"), place.path("in/round"));
    const args = [
      taskFile("files.ts"),
      "Fill",
      ...inline,
      "--mixin",
      "hard_shard_mode.input_path=in",
      "hard_shard_mode.output_path=in/out",
      "output_mode.ext=.txt",
    ];
    expect((await place.run(args)).json.counts).toEqual(counts({ done: 4 }));
    expect((await place.run(args)).json.counts).toEqual(counts({ skipped: 4 }));
  });

  for (const zipped of [false, true]) {
    test(`records of a JSONL file${zipped ? ".gz" : ""}, with the field that names them`, async () => {
      const lines = '{"id":"one","text":"1"}\n\n{"id":"two","text":"2"}';
      const place = createPlace({ [zipped ? "list.jsonl.gz" : "list.jsonl"]: zipped ? gzipSync(lines) : lines });
      const mixin = zipped ? ["--mixin", "input_mode.jsonl_path=list.jsonl.gz"] : [];
      const { json } = await place.run([taskFile("records.ts"), "Write", ...inline, ...mixin]);
      expect(json.counts).toEqual(counts({ done: 2 }));
      expect(place.files("out")).toEqual({ "one.txt": "1", "two.txt": "2" });
    });
  }

  test("export-inputs and InputFromFileTripletJsonl are each other's reverse, .gz too", async () => {
    const place = createPlace(tree);
    const source = [
      taskFile("files.ts"),
      "Fill",
      "--mixin",
      "hard_shard_mode.input_path=in",
      "hard_shard_mode.output_path=out",
    ];
    for (const file of ["list.jsonl", "list.jsonl.gz"]) {
      const { code, stderr } = await place.run(["export-inputs", file, ...source]);
      expect([code, stderr]).toEqual([0, `3 items written to ${file}\n`]);
    }
    const direct = await place.run([...source, ...inline]);
    const made = place.files("out");
    expect(direct.json.counts).toEqual(counts({ done: 3 }));
    rmSync(place.path("out"), { recursive: true });
    const listed = await fill(place, "input_mode={use: InputFromFileTripletJsonl, jsonl_path: list.jsonl.gz}");
    expect(listed.json.counts).toEqual(counts({ done: 3 }));
    expect(place.files("out")).toEqual(made);
  });
});

describe.concurrent("output modes", () => {
  const modes: readonly (readonly [string, Record<string, string>])[] = [
    ["output_mode={use: OutputByApendingExt, ext: .json}", { "a.txt.json": "output", "sub/c.txt.json": "output" }],
    ["output_mode={use: OutputByAppendingExt, ext: .json}", { "a.txt.json": "output", "sub/c.txt.json": "output" }],
    ["output_mode={use: OutputByReplacingExt, ext: .json}", { "a.json": "output", "sub/c.json": "output" }],
    [
      'output_mode={use: OutputByTemplate, pattern: "{rel_dir}/{stem}-{ext}.x"}',
      { "a-.txt.x": "output", "sub/c-.txt.x": "output" },
    ],
    [
      "output_mode={use: OutputByFilenameSubfoldering, file_to_write: {raw_text: r.txt, meta: m.json}}",
      {
        "a.txt/r.txt": "output_raw_text",
        "a.txt/m.json": "output_meta",
        "sub/c.txt/r.txt": "output_raw_text",
        "sub/c.txt/m.json": "output_meta",
      },
    ],
  ];
  for (const [mixin, expected] of modes) {
    test(mixin, async () => {
      const place = createPlace({ "in/a.txt": "a", "in/sub/c.txt": "c" });
      const { json, stderr } = await fill(place, mixin);
      expect(json.counts, stderr).toEqual(counts({ done: 2 }));
      const fields = Object.fromEntries(
        Object.entries(place.files("out")).map(([name, text]) => [name, text.split(" ")[0]]),
      );
      expect(fields).toEqual(expected);
      expect((await fill(place, mixin)).json.counts).toEqual(counts({ skipped: 2 }));
    });
  }

  test("an output that was deleted is made again, one that is too small too; FinishCheckByLedger does not look", async () => {
    const place = createPlace({ "in/a.txt": "a", "in/b.txt": "b" });
    await fill(place);
    rmSync(place.path("out/a.txt.out"));
    writeFileSync(place.path("out/b.txt.out"), "");
    expect((await fill(place, "finish_check_mode={use: FinishCheckByLedger}")).json.counts).toEqual(
      counts({ skipped: 2 }),
    );
    expect((await fill(place, "finish_check_mode.min_bytes=1")).json.counts).toEqual(counts({ done: 2 }));
  });

  test("a directory with one of its files missing is not finished, unless only the other one counts", async () => {
    const place = createPlace({ "in/a.txt": "a" });
    const mixin = "output_mode={use: OutputByFilenameSubfoldering, file_to_write: {text: t.txt, meta: m.json}}";
    await fill(place, mixin);
    rmSync(place.path("out/a.txt/t.txt"));
    expect((await fill(place, mixin, "finish_check_mode.output_field_suffix=meta")).json.counts).toEqual(
      counts({ skipped: 1 }),
    );
    expect((await fill(place, mixin)).json.counts).toEqual(counts({ done: 1 }));
    expect(Object.keys(place.files("out"))).toEqual(["a.txt/m.json", "a.txt/t.txt"]);
  });

  test("what others left in an output directory stays", async () => {
    const place = createPlace({ "in/a.txt": "a", "out/a.txt/mine.txt": "mine" });
    await fill(place, "output_mode={use: OutputByFilenameSubfoldering, file_to_write: {text: t.txt}}");
    expect(place.files("out")).toMatchObject({ "a.txt/mine.txt": "mine", "a.txt/t.txt": "output_text of ./a.txt" });
  });

  test("without an output mode the ledger decides, wherever it is kept", async () => {
    const place = createPlace({ "in/a.txt": "a" });
    const args = [
      taskFile("files.ts"),
      "Look",
      ...inline,
      "--mixin",
      "hard_shard_mode.input_path=in",
      "hard_shard_mode.output_path=null",
    ];
    const { json, stderr } = await place.run(args);
    expect(json, stderr).toMatchObject({ counts: counts({ done: 1 }), outputRoot: null });
    expect(stderr).toContain("a.txt | . a.txt");
    expect((await place.run(args)).json.counts).toEqual(counts({ skipped: 1 }));
    utimesSync(place.path("in/a.txt"), 0, 0);
    expect(place.everything().filter((name) => !name.startsWith(".kagurazaka"))).toEqual(["in", "in/a.txt"]);
  });
});

describe.concurrent("shards", () => {
  const many = Object.fromEntries(
    Array.from({ length: 24 }, (_, i) => [`in/f${String(i).padStart(2, "0")}.txt`, String(i)]),
  );

  test("soft shards in several runs are disjoint and complete", async () => {
    const place = createPlace(many);
    const parts = [
      "{shard_idx: 0, shard_num: 3}",
      "{shard_idx: [1, 2], shard_num: 3, subshard: {shard_idx: 0, shard_num: 2}}",
      "{shard_idx: [1, 2], shard_num: 3, subshard: {shard_idx: 1, shard_num: 2}}",
    ];
    const done: number[] = [];
    for (const part of parts) {
      const { json, stderr } = await fill(place, `soft_shard=${part}`);
      expect(json.counts, stderr).toEqual(counts({ done: 8 }));
      done.push(Object.keys(place.files("out")).length);
    }
    expect(done).toEqual([8, 16, 24]);
    expect((await fill(place)).json.counts).toEqual(counts({ skipped: 24 }));
  });

  test("soft_shard: null takes all of them", async () => {
    const place = createPlace(many);
    expect((await fill(place, "soft_shard=null")).json.counts).toEqual(counts({ done: 24 }));
  });

  test("HardShardModeV1 takes the directories of one shard; its number stays text", async () => {
    const place = createPlace({ "data/007/texts/a.txt": "a", "data/7/texts/b.txt": "b" });
    const mixin = (shard: string): string =>
      `hard_shard_mode={use: HardShardModeV1, base_input_path: data, base_output_path: made, input_name: texts, output_name: loud, shard_idx: ${shard}}`;
    const run = (shard: string) => place.run([taskFile("files.ts"), "Shout", ...inline, "--mixin", mixin(shard)]);
    const { json } = await run('"007"');
    expect(json).toMatchObject({ counts: counts({ done: 1 }), outputRoot: place.path("made/007/loud") });
    await run("7");
    expect(place.files("made")).toEqual({ "007/loud/a.txt.up": "A", "7/loud/b.txt.up": "B" });
    await run("007");
    expect(place.files("made")).toEqual({ "007/loud/a.txt.up": "A", "7/loud/b.txt.up": "B" });
  });

  test("a configuration file, a mixin file and a mixin win over one another in this order", async () => {
    const place = createPlace({
      "in/a.txt": "a",
      "base.yaml":
        'suffix: .from-base\ntask:\n  retries: 0\nbackbone:\n  backbone: inline\nmixin:\n  hard_shard_mode: {input_path: nowhere, output_path: out}\n  output_mode: {ext: "${suffix}"}\n',
      "site.yaml": "hard_shard_mode: {inputPath: in}\noutput-mode: {ext: .from-site}\n",
    });
    const run = (...more: string[]) =>
      place.run([taskFile("files.ts"), "Fill", "--json", "--cfg", "base.yaml", ...more]);
    expect((await run("--mixin", "hard_shard_mode.input_path=in")).json).toMatchObject({
      backbone: "inline",
      counts: counts({ done: 1 }),
    });
    await run("--mixin-cfg", "site.yaml");
    await run("--mixin-cfg", "site.yaml", "--mixin", "output_mode.ext=.from-flag", "--backbone", "mp");
    expect(Object.keys(place.files("out"))).toEqual(["a.txt.from-base", "a.txt.from-flag", "a.txt.from-site"]);
  });
});

describe("an output root that cannot be written", () => {
  test("is told before anything runs (read-only directory)", async ({ skip }) => {
    const { spawnSync } = await import("node:child_process");
    const place = createPlace({ "in/a.txt": "a" });
    mkdirSync(place.path("frozen"));
    const root = process.getuid?.() === 0;
    const frozen = root
      ? spawnSync("mount", ["-t", "tmpfs", "-o", "ro", "tmpfs", place.path("frozen")])
      : spawnSync("chmod", ["555", place.path("frozen")]);
    skip(frozen.status !== 0, "permissions do not bind root, and nothing can be mounted here");
    try {
      const { code, stderr } = await place.run([
        taskFile("files.ts"),
        "Shout",
        "--mixin",
        "hard_shard_mode.input_path=in",
        "hard_shard_mode.output_path=frozen/out",
      ]);
      expect(stderr).toMatch(
        /error \[output-root\] cannot write to .*frozen\/out: .*frozen: (?:read-only file system|permission denied)/,
      );
      expect(code).toBe(2);
    } finally {
      if (root) spawnSync("umount", [place.path("frozen")]);
    }
  });
});
