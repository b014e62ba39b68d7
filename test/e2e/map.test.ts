import { appendFileSync, existsSync, readFileSync, statSync, utimesSync } from "node:fs";
import { gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { features } from "../../src/data/features/feature.js";
import { writeRows } from "../../src/data/writer/open-writer.js";
import { counts, createPlace, type Ended, type Place } from "./kagurazaka.js";

/** `@map`: rows in, rows out. */
const code = `
import { defineMap } from "kagurazaka/data";
export const clean = (row) => (row.text.length < 3 ? null : { ...row, text: row.text.trim() });
export const twice = (row) => [row, { ...row, again: true }];
export const slow = async (row, ctx) => { await new Promise((r) => setTimeout(r, row.id % 3)); return row; };
export async function* split(row) { for (const word of row.text.split(" ")) yield { id: row.id, word }; }
export const broken = (row) => { if (row.id % 4 === 1) throw new Error("no good"); return row; };
export const where = (row, { source, shard, split, row: at, random }) => ({ source, shard, split, row: at });
export const dice = (row, ctx) => ({ ...row, random: ctx.random() });
export const notRows = () => "text";
export const nan = (row) => ({ ...row, x: row.id === 2 ? NaN : 1 });
export const five = 5;
export const sums = defineMap({ batchSize: 4, map: ({ length, columns }) => ({ length: [length], first: [columns.id[0]] }) });
`;
const rows = (count: number, from = 0): string =>
  Array.from({ length: count }, (_, i) => `${JSON.stringify({ id: from + i, text: ` text ${from + i} ` })}\n`).join("");
const place = (files: Readonly<Record<string, string | Uint8Array>> = {}): Place =>
  createPlace({ "f.mjs": code, "in/a.jsonl": rows(10), ...files });
const map = (at: Place, name: string, ...flags: string[]): Promise<Ended> =>
  at.run(["@map", `f.mjs#${name}`, "--in", "in", "--out", "out", "--json", "--num_process", "2", ...flags]);
const out = (at: Place, name = "train-00000-of-00001.jsonl"): unknown[] =>
  at
    .read(`out/${name}`)
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));

describe.concurrent("rows in, rows out", () => {
  test("a row, several, none, promises, generators; the order of rows is kept", async () => {
    const at = place();
    at.write({ "in/a.jsonl": `{"id":0,"text":"a"}\n${rows(5, 1)}` });
    for (const [name, expected] of [
      ["clean", [1, 2, 3, 4, 5]],
      ["twice", [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]],
      ["slow", [0, 1, 2, 3, 4, 5]],
      ["split", [0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5]],
    ] as const) {
      const ended = await map(at, name, "--out", name);
      expect(ended.code, ended.stderr).toBe(0);
      const written = at.read(`${name}/train-00000-of-00001.jsonl`).trim().split("\n");
      expect(
        written.map((line) => JSON.parse(line).id),
        name,
      ).toEqual(expected);
    }
  });

  test("a function over batches gets columns, of its size or that of the flag", async () => {
    const at = place();
    const lengths = async (name: string, ...flags: string[]): Promise<unknown[]> => {
      const ended = await map(at, "sums", "--out", name, ...flags);
      expect(ended.code, ended.stderr).toBe(0);
      expect(ended.json.amounts).toMatchObject({ rows_in: 10 });
      const lines = at.read(`${name}/train-00000-of-00001.jsonl`).trim().split("\n");
      return lines.map((line) => Object.values(JSON.parse(line)));
    };
    expect(await lengths("fours")).toEqual([
      [4, 0],
      [4, 4],
      [2, 8],
    ]);
    expect(await lengths("sevens", "--batch-size", "7")).toEqual([
      [7, 0],
      [3, 7],
    ]);
    const rows = await map(at, "clean", "--batch-size", "7");
    expect([rows.code, rows.stderr]).toEqual([2, expect.stringContaining("over rows, not over batches")]);
  });

  test("the report counts rows and bytes; manifest, card and facts agree with it", async () => {
    const at = place({ "in/b.jsonl": rows(30, 10) });
    const { code: exit, json, stderr } = await map(at, "clean", "--slice-bytes", "300");
    expect(exit, stderr).toBe(0);
    const amounts = json.amounts as Record<string, number>;
    expect(amounts).toMatchObject({ rows_in: 40, rows_out: 40, bytes_in: Buffer.byteLength(rows(40)) });
    const manifest = JSON.parse(at.read("out/_manifest.json"));
    expect(manifest).toMatchObject({ rows: 40, rowsIn: 40, complete: true, bytes: amounts.bytes_out });
    expect(manifest.parts.map((part: { rows: number }) => part.rows).reduce((a: number, b: number) => a + b)).toBe(40);
    expect(at.read("out/README.md")).toContain('path: "train-*.jsonl"');
    expect(stderr).toMatch(/rows in +40/);
  });

  test("other slices than before are refused, with the way out; the same ones are skipped", async () => {
    const at = place();
    expect((await map(at, "clean", "--slice-bytes", "100")).code).toBe(0);
    expect((await map(at, "clean", "--slice-bytes", "100")).json.counts).toMatchObject({ done: 0, skipped: 3 });
    const { code: exit, stderr } = await map(at, "clean", "--slice-bytes", "50");
    expect(exit).toBe(2);
    expect(stderr).toMatch(
      /\[other-slices\] .*out holds parts of 3 other slices \(now there would be 5\): they were cut by 100 bytes, now by 50 bytes/,
    );
    expect(stderr).toMatch(/choose another --out/);
  });

  test("bad rows fail their slice, or are kept aside with reasons, or are counted", async () => {
    const at = place();
    at.write({ "in/a.jsonl": `${rows(6)}not json\n[1]\n${rows(2, 6)}`, "in/b.jsonl": rows(3, 20) });
    const failed = await map(at, "broken");
    expect(failed.code).toBe(3);
    expect(failed.json.counts).toMatchObject({ done: 0, failed: 2 });
    expect(failed.stderr).toMatch(/in\/[ab]\.jsonl:2: no good/);
    const rejected = await map(at, "broken", "--on-error", "reject", "--out", "rejected");
    expect(rejected.code, rejected.stderr).toBe(0);
    const aside = at
      .read("rejected/_rejected/train-00000-of-00002.jsonl")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(aside.map(({ reason, where }) => `${reason} ${where.split("/").at(-1)}`)).toEqual([
      "unreadable a.jsonl:7",
      "unreadable a.jsonl:8",
      "threw a.jsonl:2",
      "threw a.jsonl:6",
    ]);
    expect(aside[0]).toMatchObject({ message: expect.stringContaining("not JSON"), row: "not json" });
    expect(aside[2]).toMatchObject({ message: "no good", row: { id: 1 } });
    const dropped = await map(at, "broken", "--on-error", "null", "--out", "dropped");
    expect(dropped.code).toBe(0);
    expect(JSON.parse(at.read("dropped/_manifest.json")).rejected).toEqual({ threw: 3, unreadable: 2 });
    expect(existsSync(at.path("dropped/_rejected"))).toBe(false);
  });

  test("what the format cannot say costs its row", async () => {
    const at = place();
    const failed = await map(at, "nan");
    expect([failed.code, failed.stderr]).toEqual([
      3,
      expect.stringMatching(/a\.jsonl:3: column x is NaN, which JSON cannot represent/),
    ]);
    expect((await map(at, "nan", "--on-error", "null")).code).toBe(0);
    expect(out(at).map((row) => (row as { id: number }).id)).toEqual([0, 1, 3, 4, 5, 6, 7, 8, 9]);
  });

  test("packed files in, packed files out; the plan says what is one slice", async () => {
    const at = place();
    at.write({ "in/a.jsonl": "", "in/z.jsonl.gz": gzipSync(rows(5000)) });
    const { code: exit, stderr } = await at.run([
      "@map",
      "f.mjs#clean",
      "--in",
      "in/*.gz",
      "--out",
      "out",
      "--slice-bytes",
      "1KB",
    ]);
    expect(exit, stderr).toBe(0);
    expect(stderr).toMatch(/1 file is one slice each: a gzip-compressed file cannot be opened in its middle/);
    const text = gunzipSync(readFileSync(at.path("out/train-00000-of-00001.jsonl.gz"))).toString();
    expect(text.trim().split("\n")).toHaveLength(5000);
  });

  test("a function is told where its row stands; random numbers are the same for any number of workers", async () => {
    const at = place({ "in/sub/b.jsonl": rows(50) });
    await map(at, "dice", "--slice-bytes", "200");
    await map(at, "dice", "--slice-bytes", "200", "--num_process", "1", "--out", "again");
    const parts = Object.entries(at.files("out")).filter(([name]) => name.startsWith("train-"));
    expect(parts.length).toBeGreaterThan(4);
    for (const [name, text] of parts) expect(at.files("again")[name], name).toBe(text);
    await map(at, "where", "--out", "where");
    expect(JSON.parse(at.read("where/train-00000-of-00002.jsonl").split("\n")[0]!)).toEqual({
      source: "in",
      shard: "a.jsonl",
      split: "train",
      row: 1,
    });
  });

  test("mistakes are found before anything is written", async () => {
    const at = place();
    for (const [words, says] of [
      [["@map", "--in", "in", "--out", "out"], /@map needs FILE#EXPORT/],
      [["@map", "f.mjs#claen", "--in", "in", "--out", "out"], /f\.mjs exports no "claen"\. Did you mean "clean"\?/],
      [["@map", "f.mjs#five", "--in", "in", "--out", "out"], /five is not a function over rows, but number/],
      [["@map", "f.mjs", "--in", "in", "--out", "out"], /f\.mjs has 11 exports: say which, as in f\.mjs#broken/],
      [["@map", "nowhere.mjs#clean", "--in", "in", "--out", "out"], /nowhere\.mjs/],
      [["@map", "f.mjs#clean", "--in", "im", "--out", "out"], /im/],
      [
        ["@map", "f.mjs#clean", "--in", "in", "--out", "out", "--columns", "txet"],
        /no column "txet"\. Did you mean "text"\?/,
      ],
      [
        ["@map", "f.mjs#clean", "--in", "in", "--out", "out", "--format", "jsnol"],
        /no format "jsnol"\. Did you mean "jsonl"\?/,
      ],
      [["@map", "f.mjs#clean", "--in", "in", "--out", "out", "--compression", "zip"], /cannot be compressed by zip/],
      [["@exec", "f.mjs#clean", "--in", "in", "--", "true"], /@exec takes no "f\.mjs#clean"/],
    ] as const) {
      const { code: exit, stderr } = await at.run(words);
      expect([exit, stderr], words.join(" ")).toEqual([2, expect.stringMatching(says)]);
    }
    expect(existsSync(at.path("out"))).toBe(false);
  });

  test("a result that is not a row says what to return", async () => {
    const { code: exit, stderr } = await map(place(), "notRows");
    expect([exit, stderr]).toEqual([
      3,
      expect.stringMatching(/the function returned "text" for a row: return an object/),
    ]);
  });

  test("a dry run writes nothing; explain knows the item", async () => {
    const at = place();
    const dry = await map(at, "clean", "--dry-run");
    expect([dry.code, dry.json]).toEqual([0, expect.objectContaining({ total: 1, run: 1 })]);
    expect(existsSync(at.path("out"))).toBe(false);
    await map(at, "clean");
    const { stdout } = await at.run(["explain", "in/a.jsonl@0", "@map", "f.mjs#clean", "--in", "in", "--out", "out"]);
    expect(stdout).toMatch(/would not run|is skipped|finished/);
  });

  test("a file that was replaced by one of equal size is no finished one", async () => {
    const at = place({ "in/b.jsonl": rows(3, 20) });
    expect((await map(at, "clean")).code).toBe(0);
    const { atime, mtime } = statSync(at.path("in/b.jsonl"));
    const touch = (time: Date): void => utimesSync(at.path("in/b.jsonl"), atime, time);
    at.write({ "in/b.jsonl": rows(3, 30) });
    touch(new Date(mtime.getTime() + 2000));
    const { code: exit, stderr } = await map(at, "clean");
    expect([exit, stderr]).toEqual([
      2,
      expect.stringMatching(/\[other-slices\] .*in\/b\.jsonl is another file than the one that .*out holds parts of/),
    ]);
    const [, seconds] = /touch -d @([\d.]+) .*in\/b\.jsonl/.exec(stderr) ?? [];
    touch(new Date(Math.round(Number(seconds) * 1000)));
    expect((await map(at, "clean")).json.counts).toMatchObject({ done: 0, skipped: 2 });
    const { versions, ...old } = JSON.parse(at.read("out/_plan.json"));
    expect(Object.keys(versions)).toEqual(["a.jsonl", "b.jsonl"]);
    at.write({ "out/_plan.json": JSON.stringify(old) });
    touch(new Date(0));
    expect((await map(at, "clean")).json.counts, "a plan of before").toMatchObject({ done: 0, skipped: 2 });
  });

  test("files of one name in two folders are mapped each into its own part", async () => {
    const at = place({ "x/data.jsonl": rows(2), "y/data.jsonl": rows(3, 10) });
    const words = ["@map", "f.mjs#clean", "--in", "x/data.jsonl", "--in", "y/data.jsonl", "--out", "out", "--json"];
    const { code: exit, json, stderr } = await at.run(words);
    expect(exit, stderr).toBe(0);
    expect(json.counts).toMatchObject({ done: 2, failed: 0 });
    const ids = (part: string): number[] => out(at, part).map((row) => (row as { id: number }).id);
    expect(ids("train-00000-of-00002.jsonl")).toEqual([0, 1]);
    expect(ids("train-00001-of-00002.jsonl")).toEqual([10, 11, 12]);
  });

  test("a file that has changed since the plan fails its slices", async () => {
    const at = place();
    await map(at, "clean", "--limit", "0");
    appendFileSync(at.path("in/a.jsonl"), rows(1, 99));
    const { code: exit, stderr } = await map(at, "clean");
    expect([exit, stderr]).toEqual([2, expect.stringMatching(/the input or the output format is another than before/)]);
    expect(counts({ done: 1 }).done).toBe(1);
  });
});

describe.concurrent("where the results go", () => {
  test("may lie below the input: the results are no input of the next run", async () => {
    const at = place();
    const flags = ["--out", "in/out", "--slice-rows", "4"];
    const first = await map(at, "clean", ...flags);
    expect(first.json.counts, first.stderr).toMatchObject({ done: 3 });
    const second = await map(at, "clean", ...flags);
    expect(second.code, second.stderr).toBe(0);
    expect(second.json.counts).toMatchObject({ done: 0, skipped: 3 });
  });

  test("is not the folder of the input", async () => {
    const at = place();
    const ended = await map(at, "clean", "--out", "in");
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain("in lies in");
    expect(ended.stderr).toContain("Choose another --out.");
  });

  test("times of parquet are ISO texts in JSON lines, all of a column in one form", async () => {
    const at = place({ "t.mjs": "export const same = (row) => row;" });
    const rows = [new Date(0), 1577836800000001n].map((t, id) => ({ id, t }));
    await writeRows(`${at.dir}/in/t.parquet`, rows, { features: features({ id: "int64", t: "timestamp[us]" }) });
    const ended = await at.run(["@map", "t.mjs#same", "--in", "in/t.parquet", "--out", "o", "--format", "jsonl"]);
    expect(ended.code, ended.stderr).toBe(0);
    expect(at.read("o/train-00000-of-00001.jsonl")).toBe(
      '{"id":0,"t":"1970-01-01T00:00:00.000000"}\n{"id":1,"t":"2020-01-01T00:00:00.000001"}\n',
    );
  });
});
