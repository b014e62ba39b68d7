import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { counts, createPlace, taskFile } from "./kagurazaka.js";

/** The commands besides a run, and the ready-made tasks with the tools that judge them. */
const shout = [
  taskFile("files.ts"),
  "Shout",
  "--mixin",
  "hard_shard_mode.input_path=in",
  "hard_shard_mode.output_path=out",
];
const repository = new URL("../../", import.meta.url).pathname;

describe.concurrent("explain", () => {
  test("follows an item through the plan: would run, would be skipped, is left out, cannot run, is not listed", async () => {
    const place = createPlace({ "in/new.txt": "n", "in/old.txt": "o", "in/bad.txt": "bad", "in/link/x.txt": "x" });
    await place.run([...shout, "--backbone", "inline", "--only", "old.txt", "--only", "bad.txt", "--retries", "0"]);
    const before = place.everything();
    const explain = async (key: string, ...more: string[]): Promise<string> => {
      const { stdout, code, stderr } = await place.run(["explain", key, ...shout, ...more]);
      expect(code, stderr).toBe(stdout.includes("is not listed") ? 3 : 0);
      return stdout;
    };
    expect(await explain("new.txt")).toMatch(
      /^new\.txt would run\n[\s\S]*output +.*out\/new\.txt\.up\n[\s\S]*ledger +never recorded/,
    );
    expect(await explain("old.txt")).toMatch(
      /^old\.txt would be skipped\n[\s\S]*ledger +done in run[\s\S]*finished +output exists/,
    );
    expect(await explain("bad.txt")).toMatch(/^bad\.txt would run\n[\s\S]*ledger +failed in run/);
    expect(await explain("new.txt", "--only", "o*")).toMatch(/is left out\n[\s\S]*--only: no pattern matches/);
    expect(await explain("ndw.txt")).toMatch(/is not listed\n[\s\S]*Did you mean "new\.txt"\?/);
    expect(JSON.parse(await explain("new.txt", "--json"))).toMatchObject({ key: "new.txt", verdict: "would run" });
    expect(place.everything()).toEqual(before);
  });
});

describe.concurrent("a dry run", () => {
  test.each([
    [["--debug-item", "a.txt", "--dry-run"], 0],
    [["--debug-item", "a.txt", "--show-config"], 0],
    [["--dry-run", "--force", "new", "--redo", "code", "--isolation", "process"], 0],
    [["--cfg", "dry.yaml"], 0],
    [["--cfg", "dry.yaml", "--debug-item=a.txt"], 0],
  ])("%j runs nothing and writes nothing", async (flags, exit) => {
    const place = createPlace({ "in/a.txt": "a", "dry.yaml": "task: { dry_run: true }\n" });
    const before = place.everything();
    const { code, stderr } = await place.run([taskFile("files.ts"), "Shout", "--in", "in", "--out", "out", ...flags]);
    expect([code, stderr]).toEqual([exit, expect.not.stringContaining("done")]);
    expect(place.everything()).toEqual(before);
  });

  test.each([
    ["export-inputs", "list.jsonl"],
    ["ledger", "compact"],
  ])("%s refuses it, and writes nothing", async (...words) => {
    const place = createPlace({ "in/a.txt": "a" });
    const before = place.everything();
    const files = [taskFile("files.ts"), "Shout", "--in", "in", "--out", "out", "--dry-run"];
    const { code, stderr } = await place.run([...words, ...files]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("has no dry run")]);
    expect(place.everything()).toEqual(before);
  });
});

describe.concurrent("--debug-item", () => {
  test("runs one item in this process, whatever is recorded of it", async () => {
    const place = createPlace({ "in/a.txt": "a", "in/b.txt": "bad" });
    await place.run([...shout, "--backbone", "inline", "--retries", "0"]);
    const good = await place.run([...shout, "--json", "--debug-item", "a.txt"]);
    expect(good.json).toMatchObject({ backbone: "inline", counts: counts({ done: 1 }), exitCode: 0 });
    const bad = await place.run([...shout, "--json", "--debug-item=b.txt"]);
    expect(bad.json).toMatchObject({ counts: counts({ failed: 1 }), exitCode: 3 });
    expect(bad.stderr).toMatch(/cannot shout bad[\s\S]*files\.ts:\d+:\d+/);
    const next = await place.run([...shout, "--json", "--backbone", "inline", "--retries", "0"]);
    expect(next.json.counts, "nothing else is redone for it").toEqual(counts({ skipped: 1, failed: 1 }));
  });

  test("says so when no item has that key", async () => {
    const place = createPlace({ "in/a.txt": "a" });
    const { code, stderr } = await place.run([...shout, "--json", "--debug-item", "no.txt"]);
    expect(code).toBe(2);
    expect(stderr).toContain('no item has the key "no.txt"');
  });
});

describe.concurrent("init", () => {
  test("makes a task that type-checks and runs", async () => {
    const place = createPlace({ "in/a.txt": "four", "in/empty.txt": " \n" });
    const made = await place.run(["init", "mine"]);
    expect([made.code, made.stdout]).toEqual([0, ""]);
    expect(made.stderr).toMatch(
      /wrote mine\/task\.ts, mine\/tsconfig\.json\nrun it: {2}kagurazaka mine\/task\.ts MyTask/,
    );
    const checked = spawnSync(process.execPath, [join(repository, "node_modules/typescript/bin/tsc"), "-p", "mine"], {
      cwd: place.dir,
      encoding: "utf8",
    });
    expect(checked.stdout + checked.stderr).toBe("");
    expect(checked.status).toBe(0);
    const command = [
      "mine/task.ts",
      "MyTask",
      "--json",
      "--mixin",
      "hard_shard_mode.input_path=in",
      "hard_shard_mode.output_path=out",
    ];
    expect((await place.run(command)).json.counts).toEqual(counts({ done: 1, filtered: 1 }));
    expect(place.files("out")).toEqual({ "a.txt.json": '{"file":"a.txt","characters":4}' });
    expect((await place.run(command)).json.counts).toEqual(counts({ skipped: 2 }));
  });
});

describe.concurrent("ready-made tasks", () => {
  const texts = {
    "in/a.txt": "one two\nthree\n",
    "in/sub/b c.md": "ä ö ü\n",
    "in/data.bin": Buffer.from([0, 255, 10, 0]),
    "in/empty.txt": "",
    "in/sub/deep/größe.json": "{}",
  };
  const roots = ["--json", "--mixin", "hard_shard_mode.input_path=in", "hard_shard_mode.output_path=out"];

  test("@word-count counts as wc does, and is finished the second time", async () => {
    const place = createPlace(texts);
    expect((await place.run(["@word-count", ...roots])).json.counts).toEqual(counts({ done: 4 }));
    for (const name of ["a.txt", "sub/b c.md", "empty.txt", "sub/deep/größe.json"]) {
      const wc = spawnSync("wc", ["-lwmc", place.path("in", name)], {
        encoding: "utf8",
        env: { ...process.env, LC_ALL: "C.UTF-8" },
      });
      const [lines, words, characters, bytes] = wc.stdout.trim().split(/\s+/).map(Number);
      expect(JSON.parse(place.read(`out/${name}.json`))).toEqual({ lines, words, characters, bytes });
    }
    expect((await place.run(["@word-count", ...roots])).json.counts).toEqual(counts({ skipped: 4 }));
  });

  test("@checksum writes what sha256sum -c accepts", async () => {
    const place = createPlace(texts);
    expect((await place.run(["@checksum", ...roots])).json.counts).toEqual(counts({ done: 5 }));
    const lines = Object.values(place.files("out")).join("");
    const check = (text: string) =>
      spawnSync("sha256sum", ["-c", "-"], { cwd: place.path("in"), input: text, encoding: "utf8" });
    const checked = check(lines);
    expect([checked.status, checked.stdout.match(/: OK/g)?.length]).toEqual([0, 5]);
    expect(check(lines.replace(/^./, (digit) => (digit === "0" ? "1" : "0"))).status).toBe(1);
    expect((await place.run(["@checksum", ...roots])).json.counts).toEqual(counts({ skipped: 5 }));
    const md5 = await place.run(["@checksum", ...roots, "--algorithm", "md5", "--mixin", "output_mode.ext=.md5"]);
    expect(md5.json.counts).toEqual(counts({ done: 5 }));
    expect(
      spawnSync("md5sum", ["-c", "-"], { cwd: place.path("in"), input: place.read("out/a.txt.md5"), encoding: "utf8" })
        .status,
    ).toBe(0);
  });

  test("@exec runs any program for each file", async () => {
    const place = createPlace(texts);
    const words = ["@exec", "--json", "--in", "in", "--out", "out", "--mixin", "output_mode.ext=.up", "--"];
    const upper = ["sh", "-c", 'tr a-z A-Z < "$1"', "sh", "{}"];
    expect((await place.run([...words, ...upper])).json.counts).toEqual(counts({ done: 5 }));
    expect(place.read("out/a.up")).toBe("ONE TWO\nTHREE\n");
    expect((await place.run([...words, ...upper])).json.counts).toEqual(counts({ skipped: 5 }));
  });

  test("@compress writes what gzip unpacks to the same bytes, the same every time", async () => {
    const place = createPlace(texts);
    expect((await place.run(["@compress", ...roots])).json.counts).toEqual(counts({ done: 5 }));
    for (const name of Object.keys(texts)) {
      const packed = place.path(`${name.replace("in/", "out/")}.gz`);
      expect(spawnSync("gzip", ["-t", packed]).status).toBe(0);
      expect(spawnSync("gzip", ["-dc", packed]).stdout.equals(readFileSync(place.path(name)))).toBe(true);
    }
    expect((await place.run(["@compress", ...roots])).json.counts).toEqual(counts({ skipped: 5 }));
  });

  test("@fetch brings what curl would bring, and asks for nothing the second time", async () => {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url!);
      response.end(`here is ${request.url}`);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const { port } = server.address() as AddressInfo;
      const lines = ["a.txt", "sub/b.txt"].map((path) => `http://127.0.0.1:${port}/${path}\n`);
      const place = createPlace({ "urls.txt": lines.join("") });
      const run = () => place.run(["@fetch", "--lines", "urls.txt", "--out", "out", "--json"]);
      expect((await run()).json.counts).toEqual(counts({ done: 2 }));
      expect(place.files("out")).toEqual({
        [`127.0.0.1+${port}/a.txt`]: "here is /a.txt",
        [`127.0.0.1+${port}/sub/b.txt`]: "here is /sub/b.txt",
      });
      expect((await run()).json.counts).toEqual(counts({ skipped: 2 }));
      expect(asked).toHaveLength(2);
    } finally {
      server.close();
    }
  });

  test("@map gives the rows that a loop of Python gives", async () => {
    const lines = Array.from(
      { length: 40 },
      (_, i) => `${JSON.stringify({ id: i, text: `Straße ${i}`, even: i % 2 === 0 })}\n`,
    );
    const place = createPlace({
      "in/a.jsonl": lines.slice(0, 25).join(""),
      "in/b.jsonl": lines.slice(25).join(""),
      "f.mjs": "export const long = (row) => (row.even ? { ...row, length: row.text.length } : null);\n",
    });
    const run = () => place.run(["@map", "f.mjs#long", "--in", "in", "--out", "out", "--json"]);
    expect((await run()).json).toMatchObject({ counts: counts({ done: 2 }), amounts: { rows_in: 40, rows_out: 20 } });
    const loop =
      "import json,sys\nfor line in sys.stdin:\n r=json.loads(line)\n if r['even']: print(json.dumps({**r,'length':len(r['text'])}))";
    const python = spawnSync("python3", ["-c", loop], { input: lines.join(""), encoding: "utf8" });
    const written = Object.entries(place.files("out")).filter(([name]) => /^train-/.test(name));
    const rows = (text: string): unknown[] =>
      text
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
    expect(rows(written.map(([, text]) => text).join(""))).toEqual(rows(python.stdout));
    expect((await run()).json.counts).toEqual(counts({ skipped: 2 }));
  });
});
