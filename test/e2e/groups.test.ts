import { rmSync, utimesSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { counts, createPlace, type Place, taskFile } from "./kagurazaka.js";

const inline = ["--backbone", "inline", "--json"];
const join = [taskFile("lists.ts"), "Join", ...inline];
const pairs = { "in/a.v1.jpg": "A", "in/a.v1.txt": "a", "in/sub/b.png": "B", "in/sub/b.txt": "b" };

describe.concurrent("groups", () => {
  test("files of one stem are one item, named by it; the same command skips what is finished", async () => {
    const place = createPlace({ ...pairs, "in/other.md": "" });
    const { json, stderr } = await place.run(join);
    expect(json.counts, stderr).toEqual(counts({ done: 2 }));
    expect(place.files("out")).toEqual({ "a.v1.json": "A a . a.v1.jpg", "sub/b.json": "B b sub b.png" });
    expect(stderr).toContain("fields input_caption input_image output");
    expect(stderr).not.toContain("warning");
    expect((await place.run(join)).json.counts).toEqual(counts({ skipped: 2 }));
    rmSync(place.path("out/sub/b.json"));
    expect((await place.run([...join, "--only", "sub/b"])).json.counts).toEqual(counts({ done: 1 }));
  });

  const outputs: readonly (readonly [string, string])[] = [
    ["{use: OutputByReplacingExt, ext: .x}", "a.v1.x"],
    ['{use: OutputByTemplate, pattern: "{rel_dir}/{stem}{ext}-{file_name}"}', "a.v1-a.v1"],
  ];
  for (const [mode, expected] of outputs) {
    test(`${mode} takes no extension off a stem`, async () => {
      const place = createPlace({ "in/a.v1.jpg": "A", "in/a.v1.txt": "a" });
      const { json, stderr } = await place.run([...join, "--mixin", `output_mode=${mode}`]);
      expect(json.counts, stderr).toEqual(counts({ done: 1 }));
      expect(Object.keys(place.files("out"))).toEqual([expected]);
    });
  }

  test("files without partners are counted and the first few named, in --dry-run too", async () => {
    const alone = { "in/c.jpg": "", "in/d.txt": "", "in/sub/e.png": "", "in/sub/f.png": "" };
    const place = createPlace({ ...pairs, ...alone });
    const warning =
      "4 files have no partner: c.jpg (no caption), d.txt (no image), sub/e.png (no caption), …, passed over";
    const dry = await place.run([...join, "--dry-run"]);
    expect([dry.stderr.includes(warning), dry.json.warnings]).toEqual([true, [warning]]);
    const run = await place.run(join);
    expect([run.code, run.json.counts]).toEqual([0, counts({ done: 2 })]);
    expect(run.stderr.split(warning).length).toBe(2);
    const quiet = await place.run([...join, "--mixin", "input_mode.unmatched=ignore"]);
    expect([quiet.code, quiet.stderr.includes("partner")]).toEqual([0, false]);
    const strict = await place.run([...join, "--mixin", "input_mode.unmatched=fail"]);
    expect([strict.code, strict.json.counts]).toEqual([1, counts({ skipped: 2 })]);
    expect(strict.stderr).toContain("4 files have no partner");
  });

  test("two files for one id fail as that item alone, and run once one of them is gone", async () => {
    const place = createPlace({ ...pairs, "in/sub/b.jpg": "second" });
    const { code, json, stderr } = await place.run(join);
    expect([code, json.counts]).toEqual([3, counts({ done: 1, failed: 1 })]);
    expect(stderr).toContain('"sub/b" has 2 files for image: b.jpg, b.png');
    rmSync(place.path("in/sub/b.jpg"));
    expect((await place.run(join)).json.counts).toEqual(counts({ done: 1, skipped: 1 }));
  });

  test("an output never replaces a file that was joined", async () => {
    const place = createPlace(pairs);
    const args = [...join, "--mixin", "hard_shard_mode.output_path=in", "output_mode.ext=.txt"];
    const { json, stderr } = await place.run(args);
    expect(json.counts, stderr).toEqual(counts({ failed: 2 }));
    expect(stderr).toContain("would replace its input");
    expect(place.read("in/sub/b.txt")).toBe("b");
  });

  test("from configuration, with the longest ending first and any case", async () => {
    const place = createPlace({ "in/x.JSON": "1", "in/x.meta.json": "2", "in/x.TXT": "3" });
    const mode = "{use: InputByGroups, files_to_join: {image: [.json], caption: [.meta.json]}, ignore_case: true}";
    const { json, stderr } = await place.run([...join, "--mixin", `input_mode=${mode}`]);
    expect(json.counts, stderr).toEqual(counts({ done: 1 }));
    expect(place.files("out")).toEqual({ "x.json": "1 2 . x.JSON" });
  });

  test("--retry-failed takes a group from the ledger", async () => {
    const place = createPlace({ ...pairs, "in/sub/b.txt": "bad" });
    const args = [...join, "--retries", "0"];
    expect((await place.run(args)).json.counts).toEqual(counts({ done: 1, failed: 1 }));
    place.write({ "in/sub/b.txt": "good" });
    expect((await place.run([...args, "--retry-failed"])).json.counts).toEqual(counts({ done: 1 }));
    expect(place.read("out/sub/b.json")).toBe("B good sub b.png");
  });

  test("export-inputs refuses groups of files, and writes none", async () => {
    const place = createPlace(pairs);
    const { code, stderr } = await place.run(["export-inputs", "list.jsonl", taskFile("lists.ts"), "Join"]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("the items of InputByGroups cannot be exported")]);
    expect(place.everything(".")).not.toContain("list.jsonl");
  });

  const mistakes: readonly (readonly [string, RegExp])[] = [
    ["{image: [.jpg], caption: [.jpg]}", /has the ending "\.jpg" for image and for caption/],
    ["{a-b: [.jpg]}", /has the id "a-b"/],
    ["[.jpg]", /is no mapping/],
    ["{image: []}", /has no ending for image/],
  ];
  for (const [filesToJoin, message] of mistakes) {
    test(`files_to_join: ${filesToJoin} is refused before anything is written`, async () => {
      const place = createPlace(pairs);
      const mode = `input_mode={use: InputByGroups, files_to_join: ${filesToJoin}}`;
      const { code, stderr } = await place.run([...join, "--mixin", mode]);
      expect(stderr).toMatch(message);
      expect([code, place.everything("out")]).toEqual([2, []]);
    });
  }
});

describe.concurrent("newer_than_input", () => {
  const newer = ["--mixin", "finish_check_mode.newer_than_input=true"];
  const touch = (place: Place, name: string, seconds: number) => utimesSync(place.path(name), seconds, seconds);

  test("an item runs again when one of its files was changed after its output was made", async () => {
    const place = createPlace(pairs);
    const args = [...join, ...newer];
    expect((await place.run(args)).json.counts).toEqual(counts({ done: 2 }));
    expect((await place.run(args)).json.counts).toEqual(counts({ skipped: 2 }));
    touch(place, "in/sub/b.txt", Date.now() / 1000 + 100);
    expect((await place.run(join)).json.counts).toEqual(counts({ skipped: 2 }));
    expect((await place.run(["explain", "sub/b", ...args.filter((word) => word !== "--json")])).stdout).toContain(
      "the output is older",
    );
    expect((await place.run(args)).json.counts).toEqual(counts({ done: 1, skipped: 1 }));
  });

  test("the same time counts as fresh, a nanosecond's share later does not", async () => {
    const place = createPlace({ "in/a.txt": "a" });
    const args = [taskFile("files.ts"), "Shout", ...inline, ...newer];
    const all = [...args, "hard_shard_mode.input_path=in", "hard_shard_mode.output_path=out"];
    expect((await place.run(all)).json.counts).toEqual(counts({ done: 1 }));
    touch(place, "out/a.txt.up", 1_000_000_000);
    touch(place, "in/a.txt", 1_000_000_000);
    expect((await place.run(all)).json.counts).toEqual(counts({ skipped: 1 }));
    // Finer than a millisecond, as far as a double can say.
    touch(place, "in/a.txt", 1_000_000_000.000_01);
    expect((await place.run(all)).json.counts).toEqual(counts({ done: 1 }));
  });

  test("files named by a list are compared too; one that is gone fails where it is seen", async () => {
    const place = createPlace({ "in/a.txt": "a", "elsewhere/e.txt": "e" });
    const args = [taskFile("lists.ts"), "Shout", ...inline, "--retries", "0", ...newer];
    const list = `a.txt\n${place.path("elsewhere/e.txt")}\n`;
    expect((await place.pipe(args, list).ended).json.counts).toEqual(counts({ done: 2 }));
    touch(place, "elsewhere/e.txt", Date.now() / 1000 + 100);
    expect((await place.pipe(args, list).ended).json.counts).toEqual(counts({ done: 1, skipped: 1 }));
    rmSync(place.path("in/a.txt"));
    const gone = await place.pipe(args, "a.txt\n").ended;
    expect([gone.code, gone.json.counts]).toEqual([3, counts({ failed: 1 })]);
  });

  test("records have no files to compare: said before anything runs", async () => {
    const place = createPlace({ "table.csv": "id,text\na,1\n" });
    const { code, stderr } = await place.run([taskFile("lists.ts"), "Row", ...inline, ...newer]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("the items are records")]);
    expect(place.everything()).toEqual(["table.csv"]);
  });
});
