import { mkdirSync, symlinkSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { counts, createPlace, type Place, taskFile } from "./kagurazaka.js";

/** Items that cannot run as they are: each fails alone, with a code, and all others are processed. */
const roots = ["--mixin", "hard_shard_mode.input_path=in", "hard_shard_mode.output_path=out"];
const quiet = ["--json", "--backbone", "inline", "--progress", "none"];
const jsonl = (...lines: unknown[]): string => lines.map((line) => `${JSON.stringify(line)}\n`).join("");

/** Key → code, as failed.jsonl has them. */
function failures(place: Place, task: string, state = `out/.kagurazaka/${task}`): Record<string, string> {
  const lines = place.read(`${state}/failed.jsonl`).trim().split("\n");
  return Object.fromEntries(
    lines.map((line) => {
      const failure = JSON.parse(line) as { key: string; class: string };
      return [failure.key, failure.class.split(":")[0]!];
    }),
  );
}

describe.concurrent("names that leave the output root", () => {
  const list = (relDir: string, fileName: string) => ({
    input: { path: "in/a.txt", rel_dir: relDir, file_name: fileName },
  });
  const names: readonly (readonly [string, string, string])[] = [
    ["a parent directory", "../../elsewhere", "a.txt"],
    ["a parent directory in the name", ".", "../a.txt"],
    ["a parent directory inside", "sub/../../..", "a.txt"],
    ["an absolute directory", "/tmp/kagurazaka-elsewhere", "a.txt"],
    ["an absolute name", ".", "/tmp/kagurazaka-elsewhere.txt"],
    ["a NUL byte", "su\0b", "a.txt"],
    ["a name of 300 bytes", ".", "n".repeat(300)],
    ["a name whose output is longer than 255 bytes", ".", "ä".repeat(127)],
    ["the name ..", ".", ".."],
  ];
  for (const [title, relDir, fileName] of names) {
    test(`${title} fails as unsafe-name before it runs; the others are processed`, async () => {
      const place = createPlace({
        "in/a.txt": "a",
        "list.jsonl": jsonl(list(".", "first.txt"), list(relDir, fileName), list("sub", "last.txt")),
      });
      const before = place.everything();
      const mixin = [...roots, "input_mode={use: InputFromFileTripletJsonl, jsonl_path: list.jsonl}"];
      const { code, json, stderr } = await place.run([taskFile("files.ts"), "Fill", ...mixin, ...quiet]);
      expect(json.counts, stderr).toEqual(counts({ done: 2, failed: 1 }));
      expect(code).toBe(3);
      expect(Object.values(failures(place, "Fill"))).toEqual(["unsafe-name"]);
      expect(Object.keys(place.files("out"))).toEqual(["first.txt.out", "sub/last.txt.out"]);
      const outside = place.everything().filter((name) => name !== "out" && !name.startsWith("out/"));
      expect(outside, "nothing outside the output root").toEqual(before);
      expect(stderr).toMatch(/unsafe-name/);
    });
  }

  test("a directory that is a link to somewhere else", async () => {
    const place = createPlace({ "in/a.txt": "a", "in/link/b.txt": "b", "elsewhere/keep": "" });
    mkdirSync(place.path("out"));
    symlinkSync(place.path("elsewhere"), place.path("out/link"));
    const { code, json } = await place.run([taskFile("files.ts"), "Fill", ...roots, ...quiet]);
    expect(code).toBe(3);
    expect(json.counts).toEqual(counts({ done: 1, failed: 1 }));
    expect(failures(place, "Fill")).toEqual({ "link/b.txt": "unsafe-name" });
    expect(Object.keys(place.files("elsewhere"))).toEqual(["keep"]);
  });

  test("a key of a record that is no file name", async () => {
    const place = createPlace({
      "list.jsonl": jsonl({ id: "a" }, { id: "../b" }, { id: "c/d" }, { id: 7 }, { text: "no id" }),
    });
    const { code, json } = await place.run([taskFile("records.ts"), "Write", ...quiet]);
    expect(code).toBe(3);
    expect(json.counts).toEqual(counts({ done: 3, failed: 2 }));
    expect(place.files("out")).toEqual({ "7.txt": "7", "a.txt": "a", "c/d.txt": "c/d" });
    expect(failures(place, "Write")).toMatchObject({ "../b": "unsafe-name" });
  });
});

describe.concurrent("items that cannot run", () => {
  test("a field that modes inject is refused, naming the field", async () => {
    const list = jsonl(
      { id: "a" },
      { id: "b", output: "x" },
      { id: "c", output_text: 1 },
      { id: "d", result: 1 },
      { id: "e", outputs: "fine" },
    );
    const place = createPlace({ "list.jsonl": list });
    const { code, json, stderr } = await place.run([taskFile("records.ts"), "Write", ...quiet]);
    expect(code).toBe(3);
    expect(json.counts).toEqual(counts({ done: 2, failed: 3 }));
    expect(failures(place, "Write")).toEqual({ b: "reserved-field", c: "reserved-field", d: "reserved-field" });
    expect(stderr).toMatch(/the item has a field "output"/);
  });

  test("a second item with the output of another is refused; the first one's output stays", async () => {
    const list = jsonl({ id: "a/b", text: "first" }, { id: "a_b", text: "other" }, { id: "a/b", text: "second" });
    const place = createPlace({ "list.jsonl": list });
    const { json } = await place.run([taskFile("records.ts"), "Write", ...quiet]);
    expect(json.counts).toEqual(counts({ done: 2, failed: 1 }));
    expect(place.files("out")).toEqual({ "a/b.txt": "first", "a_b.txt": "other" });
  });

  test("two files whose outputs have one name are told", async () => {
    const place = createPlace({ "in/a.txt": "txt", "in/a.md": "md", "in/b.md": "b" });
    const mixin = [...roots, "input_mode.exts=[.txt,.md]", "output_mode={use: OutputByReplacingExt, ext: .webp}"];
    const { code, json } = await place.run([taskFile("files.ts"), "Fill", ...mixin, ...quiet]);
    expect(code).toBe(3);
    expect(json.counts).toEqual(counts({ done: 2, failed: 1 }));
    expect(Object.values(failures(place, "Fill"))).toEqual(["duplicate-key"]);
    expect(Object.keys(place.files("out"))).toEqual(["a.webp", "b.webp"]);
  });

  test("another triplet with a name that was given is refused, the same one is passed over", async () => {
    const line = { input: { path: "in/a.txt", rel_dir: ".", file_name: "a.txt" } };
    const twin = { input: { path: "in/b.txt", rel_dir: "./", file_name: "a.txt" } };
    const place = createPlace({ "in/a.txt": "a", "in/b.txt": "b", "list.jsonl": jsonl(line, twin, line) });
    const { json } = await place.run([
      taskFile("files.ts"),
      "Shout",
      ...roots,
      "input_mode={use: InputFromFileTripletJsonl, jsonl_path: list.jsonl}",
      ...quiet,
    ]);
    expect(json.counts).toEqual(counts({ done: 1, skipped: 1, failed: 1 }));
    expect(place.files("out")).toEqual({ "a.txt.up": "A" });
  });

  for (const backbone of ["inline", "mp"]) {
    test(`an item that cannot travel fails alone (${backbone})`, async () => {
      const place = createPlace();
      const { code, json } = await place.run([
        taskFile("records.ts"),
        "Odd",
        "--json",
        "--backbone",
        backbone,
        "--max-failures",
        "none",
      ]);
      const failed = failures(place, "Odd", ".kagurazaka/Odd");
      expect(Object.keys(failed).sort()).toEqual([
        "bigint",
        "circle",
        "date",
        "function",
        "invalid:10",
        "invalid:8",
        "invalid:9",
        "map",
        "nan",
        "symbol",
      ]);
      expect([...new Set(Object.values(failed))]).toEqual(["not-json"]);
      expect(json.counts).toEqual(counts({ done: 2, failed: 10 }));
      expect(code).toBe(3);
    });
  }

  test("a key that was given twice fails as duplicate-key; one that is no text fails", async () => {
    const place = createPlace();
    const { json } = await place.run([taskFile("records.ts"), "Keys", ...quiet]);
    expect(json.counts).toEqual(counts({ done: 2, failed: 5 }));
    const failed = {
      "a#2": "duplicate-key",
      "a#3": "duplicate-key",
      "invalid:4": "item-failed",
      "invalid:5": "item-failed",
      "invalid:6": "item-failed",
    };
    expect(failures(place, "Keys", ".kagurazaka/Keys")).toEqual(failed);
    for (const args of [[], [], ["--retry-failed"]]) {
      const again = await place.run([taskFile("records.ts"), "Keys", ...quiet, ...args]);
      expect(again.json.counts, "the first of them stays done").toEqual(
        counts({ skipped: args.length === 0 ? 2 : 0, failed: 5 }),
      );
      expect(failures(place, "Keys", ".kagurazaka/Keys")).toEqual(failed);
    }
  });

  test("records without a key are named by content, repeats with #2", async () => {
    const place = createPlace();
    const { json } = await place.run([taskFile("records.ts"), "Content", ...quiet]);
    expect(json.counts).toEqual(counts({ done: 3 }));
    const ledger = place
      .everything(".kagurazaka/Content/ledger")
      .map((name) => place.read(`.kagurazaka/Content/ledger/${name}`))
      .join("");
    const keys = ledger.split("\n").flatMap((line) => /"k":"([^"]+)"/.exec(line)?.[1] ?? []);
    expect(keys).toHaveLength(3);
    expect(keys[1]).toBe(`${keys[0]}#2`);
    const again = await place.run([taskFile("records.ts"), "Content", ...quiet]);
    expect(again.json.counts).toEqual(counts({ skipped: 3 }));
  });

  test("a task that wrote no output fails and says what it should have written", async () => {
    const place = createPlace({ "in/a.txt": "a" });
    const { code, json, stderr } = await place.run([taskFile("files.ts"), "Forgets", ...roots, ...quiet]);
    expect(code).toBe(3);
    expect(json.counts).toEqual(counts({ failed: 1 }));
    expect(failures(place, "Forgets")).toEqual({ "a.txt": "no-output" });
    expect(stderr).toMatch(/without writing output \("a\.txt\.json"\)/);
    expect(stderr).toMatch(/→ Write output\.path, or return ctx\.filtered/);
    expect(stderr, "a bare stack").not.toMatch(/^ {4,}at /m);
    expect(place.files("out")).toEqual({});
  });

  test("a list that breaks off: what came before is finished and recorded, exit 1 with the reason", async () => {
    const place = createPlace();
    const first = await place.run([taskFile("records.ts"), "Breaks", ...quiet]);
    expect(first.json.counts).toEqual(counts({ done: 50 }));
    expect(first.code).toBe(1);
    expect(first.stderr).toMatch(/error \[generate-tasks\] listing the items failed: Error: the database went away/);
    expect(first.stderr).not.toMatch(/^ {4,}at /m);
    const second = await place.run([taskFile("records.ts"), "Breaks", ...quiet]);
    expect(second.json.counts).toEqual(counts({ skipped: 50 }));
    expect(second.code).toBe(1);
  });

  test("a line of a JSONL file that is no record ends the list and is named", async () => {
    const place = createPlace({ "list.jsonl": `{"id":"a"}\n[1]\n{"id":"b"}\n` });
    const { code, json, stderr } = await place.run([taskFile("records.ts"), "Write", ...quiet]);
    expect(json.counts).toEqual(counts({ done: 1 }));
    expect(code).toBe(1);
    expect(stderr).toMatch(/list\.jsonl:2/);
  });
});
