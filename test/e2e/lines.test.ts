import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { writeJsonl } from "../../src/data/lists/jsonl-writer.js";
import { counts, createPlace, taskFile } from "./kagurazaka.js";

const inline = ["--backbone", "inline", "--json"];
const shout = [taskFile("lists.ts"), "Shout", ...inline];
const say = [taskFile("lists.ts"), "Say", ...inline];
const tree = { "in/a.txt": "a", "in/sub/b c.txt": "b", "in/sub/odd\nname.txt": "c", "in/no.md": "d" };

describe.concurrent("paths on stdin", () => {
  test("find … -print0 | kagurazaka", async () => {
    const place = createPlace(tree);
    const found = execFileSync("find", [".", "-name", "*.txt", "-print0"], { cwd: place.path("in") });
    const args = [...shout, "--mixin", "input_mode.null_separated=true"];
    const first = await place.pipe(args, found).ended;
    expect(first.json.counts, first.stderr).toEqual(counts({ done: 3 }));
    expect(place.files("out")).toEqual({ "a.txt.up": "A", "sub/b c.txt.up": "B", "sub/odd\nname.txt.up": "C" });
    expect((await place.pipe(args, found).ended).json.counts).toEqual(counts({ skipped: 3 }));
  });

  test("find over absolute paths names files as relative ones do; files elsewhere keep their whole path", async () => {
    const place = createPlace({ ...tree, "elsewhere/e.txt": "e" });
    await place.pipe(shout, "a.txt\n").ended;
    const found = execFileSync("find", [place.path("in/a.txt"), place.path("elsewhere"), "-type", "f"]);
    const { json, stderr } = await place.pipe(shout, found).ended;
    expect(json.counts, stderr).toEqual(counts({ done: 1, skipped: 1 }));
    expect(place.files("out")).toEqual({ "a.txt.up": "A", [`${place.path("elsewhere/e.txt").slice(1)}.up`]: "E" });
  });

  test("a line that leads out of the root, or names nothing, fails alone", async () => {
    const place = createPlace({ ...tree, "x.txt": "x" });
    const { json, code } = await place.pipe(shout, "../x.txt\nsub/../../y.txt\n.\nmissing.txt\na.txt").ended;
    expect([json.counts, code]).toEqual([counts({ done: 1, failed: 4 }), 3]);
    const failed = place.read("out/.kagurazaka/Shout/failed.jsonl");
    expect(failed.match(/unsafe-name/g)?.length, failed).toBe(3);
    expect(place.files(".")["x.txt.up"]).toBeUndefined();
  });

  test("a list made from another directory is spotted", async () => {
    const place = createPlace(tree);
    const { stderr, json } = await place.pipe([...shout, "--dry-run"], "in/a.txt\n").ended;
    expect(stderr).toContain('it should be "a.txt"');
    expect(json.warnings).toEqual([expect.stringContaining('it should be "a.txt"')]);
  });

  test("what find sees of our own outputs is no input", async () => {
    const place = createPlace({ "in/a.txt": "a", "in/b.txt": "b" });
    const args = [...shout, "--mixin", "hard_shard_mode.output_path=in/out"];
    const find = () => execFileSync("find", [".", "-type", "f"], { cwd: place.path("in") });
    expect((await place.pipe(args, find()).ended).json.counts).toEqual(counts({ done: 2 }));
    const again = await place.pipe(args, find()).ended;
    expect(again.json.counts).toEqual(counts({ skipped: 2 }));
    expect(again.stderr).toMatch(/\d+ lines name files of the output root or of kagurazaka's own, passed over/);
  });

  test("an input root that is not there is said once, not once a line", async () => {
    const place = createPlace({});
    const { code, stderr } = await place.pipe(shout, "a.txt\nb.txt\n").ended;
    expect([code, stderr]).toEqual([2, expect.stringContaining("is not a directory")]);
  });
});

describe.concurrent("texts on stdin", () => {
  test("work begins while the list is still being written", async () => {
    const place = createPlace({});
    const running = place.pipe(say);
    running.child.stdin!.write("one\ntw");
    await running.says("said one");
    running.child.stdin!.end("o\n");
    expect((await running.ended).json.counts).toEqual(counts({ done: 2 }));
  });

  test("closed half way, what came is run and recorded; the whole list resumes", async () => {
    const place = createPlace({});
    const half = place.pipe(say);
    half.child.stdin!.write("one\r\n\ntwo\nthr");
    await half.says("said two");
    half.child.stdin!.destroy();
    expect((await half.ended).json.counts).toEqual(counts({ done: 3 }));
    const whole = await place.pipe(say, "one\ntwo\nthree\n").ended;
    expect(whole.json.counts).toEqual(counts({ done: 1, skipped: 2 }));
    expect(whole.stderr).toContain("said three");
  });

  test("a list that never ends can be left, and interrupted", async () => {
    const place = createPlace({});
    const endless = place.pipe([...say, "--limit", "2"]);
    endless.child.stdin!.write("one\ntwo\nthree\n");
    expect((await endless.ended).json.counts).toEqual(counts({ done: 2 }));
    const waiting = place.pipe(say);
    waiting.child.stdin!.write("four\n");
    await waiting.says("said four");
    waiting.child.kill("SIGINT");
    const { code, json } = await waiting.ended;
    expect([code, json.counts]).toEqual([130, counts({ done: 1 })]);
  });

  test("a line that comes twice runs once by its key, or is another item without one", async () => {
    const place = createPlace({});
    expect((await place.pipe(say, "x\nx\n").ended).json.counts).toEqual(counts({ done: 1, skipped: 1 }));
    const args = [...say, "--run-dir", "other", "--mixin", "input_mode.key_field=null"];
    expect((await place.pipe(args, "x\nx\n").ended).json.counts).toEqual(counts({ done: 2 }));
  });

  test("bytes that are not text end the listing at their line, after what came before", async () => {
    const place = createPlace({});
    const { code, json, stderr } = await place.pipe(say, Buffer.from([0x61, 10, 0xff, 10, 0x62, 10])).ended;
    expect([code, json.counts]).toEqual([1, counts({ done: 1 })]);
    expect(stderr).toContain("stdin:2: not valid UTF-8");
  });

  test("records on stdin, and in .zst files", async () => {
    const place = createPlace({});
    const tell = (path: string) => [
      taskFile("lists.ts"),
      "Tell",
      ...inline,
      "--mixin",
      `input_mode={use: InputFromWhateverJsonl, jsonl_path: "${path}", key_field: id}`,
    ];
    const piped = await place.pipe(tell("-"), '{"id":1}\n{"id":2}').ended;
    expect(piped.json.counts, piped.stderr).toEqual(counts({ done: 2 }));
    await writeJsonl(place.path("list.jsonl.zst"), [[{ id: 2 }, { id: 3 }]]);
    expect((await place.run(tell("list.jsonl.zst"))).json.counts).toEqual(counts({ done: 1, skipped: 1 }));
    const written = await place.run([
      "export-inputs",
      "out.jsonl.zst",
      ...tell("list.jsonl.zst").filter((word) => word !== "--json"),
    ]);
    expect([written.code, written.stderr]).toEqual([0, "2 items written to out.jsonl.zst\n"]);
    expect((await place.run(tell("out.jsonl.zst"))).json.counts).toEqual(counts({ skipped: 2 }));
  });
});

describe.concurrent("mistakes", () => {
  test("a name that leaves the input is an invalid key, when no mode names outputs", async () => {
    const place = createPlace({ "in/a.txt": "a", "up.txt": "../x.txt\na.txt\n" });
    const { code, stderr } = await place.run(["@exec", "--in", "in", "--files-from", "up.txt", "--", "cat", "{}"]);
    expect([code, stderr]).toEqual([3, expect.stringContaining('key "../x.txt" has the segment ".."')]);
    expect(stderr).not.toContain("output");
  });

  const cases: readonly (readonly [string, string[], RegExp])[] = [
    [
      "a list that is not there",
      ["input_mode.lines_path=lst.txt"],
      /list .*lst\.txt does not exist\. Did you mean "list\.txt"\?\n +at input_mode\.lines_path/,
    ],
    ["a directory", ["input_mode.lines_path=in"], /is a directory/],
    ["a key for paths", ["input_mode.key_field=line"], /files are named by their paths/],
    ["another field", ["input_mode.key_field=id"], /must be one of line/],
    ["text into files", ["input_mode.as=text"], /InputByLines yields records/],
  ];
  for (const [what, mixin, message] of cases) {
    test(what, async () => {
      const place = createPlace({ "in/a.txt": "a", "list.txt": "a.txt" });
      const { code, stderr } = await place.run([...shout, "--mixin", ...mixin]);
      expect(stderr).toMatch(message);
      expect([code, place.everything()]).toEqual([2, ["in", "in/a.txt", "list.txt"]]);
    });
  }
});
