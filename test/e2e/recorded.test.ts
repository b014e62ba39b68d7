import {
  appendFileSync,
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { counts, createPlace, type Place, taskFile, until } from "./kagurazaka.js";

/** The commands that read and tidy what was recorded: `failures`, `ledger compact`; and `export-inputs`, which replaces nothing. */
vi.setConfig({ testTimeout: 120_000 });

const records = `
import { KagurazakaTask } from "kagurazaka";
import { existsSync } from "node:fs";
export class Odd extends KagurazakaTask<{ id: number }> {
  *generateTasks() { for (let id = 0; id < 12; id++) yield { id }; }
  keyOf({ id }: { id: number }) { return id === 9 ? "nine\\u001b[2J" : id === 10 ? "ten\\nlines" : "k" + id; }
  async process({ id }: { id: number }) {
    if (existsSync("slow")) await new Promise((resolve) => setTimeout(resolve, 60_000));
    if (existsSync("mended")) return;
    if (id % 4 === 1) throw new TypeError("cannot read " + id);
    if (id % 4 === 2) throw new Error("the service said no to item " + id + "\\nsecond line");
  }
}
`;
const words = ["task.ts", "Odd"];
const run = (place: Place, ...more: string[]) =>
  place.run([
    ...words,
    "--backbone",
    "inline",
    "--retries",
    "1",
    "--backoff",
    "1ms:1ms",
    "--progress",
    "none",
    "--json",
    ...more,
  ]);
const state = ".kagurazaka/Odd";

async function failed(): Promise<Place> {
  const place = createPlace({ "task.ts": records });
  expect((await run(place)).json.counts).toEqual(counts({ done: 6, failed: 6 }));
  return place;
}

describe.concurrent("failures", () => {
  test("groups what has failed by class, of a task and of a state directory alike", async () => {
    const place = await failed();
    const { code, stdout, stderr } = await place.run(["failures", ...words]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^Odd {2}6 failed, in 2 classes {2}\.kagurazaka\/Odd\n/);
    expect(stdout).toMatch(
      / 3 × Error: the service said no to item #\n +first +the service said no to item 2\n +attempts +2\n +keys +k2, k6, ten\\nlines\n/,
    );
    expect(stdout).toMatch(
      / 3 × TypeError: cannot read #\n +first +cannot read 1\n +attempts +1\n +keys +k1, k5, nine\\x1b\[2J\n/,
    );
    expect(stdout).toMatch(/→ try them again: {2}kagurazaka task\.ts Odd --retry-failed\n$/);
    const named = await place.run(["failures", state]);
    const bodyOf = (text: string): string => text.split("\n").slice(0, -2).join("\n");
    expect(bodyOf(named.stdout)).toBe(bodyOf(stdout));
    expect(named.stdout).toMatch(/kagurazaka task\.ts Odd … --retry-failed\n$/);
  });

  test("a state directory is read without the code, and without writing", async () => {
    const place = await failed();
    writeFileSync(place.path("task.ts"), "this is no task any more {{{");
    const before = place.everything().map((name) => `${name} ${statSync(place.path(name)).mtimeMs}`);
    const { code, stdout } = await place.run(["failures", state, "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ task: "Odd", states: [state], failed: 6 });
    expect(place.everything().map((name) => `${name} ${statSync(place.path(name)).mtimeMs}`)).toEqual(before);
    expect((await place.run(["failures", ...words])).code).toBe(2);
  });

  test("--class shows each item with message and stack: by name, or by a part of it", async () => {
    const place = await failed();
    for (const name of ["TypeError: cannot read #", "typeerror"]) {
      const { code, stdout } = await place.run(["failures", ...words, "--class", name]);
      expect(code).toBe(0);
      expect(stdout).toMatch(/^Odd {2}3 failed, in 1 class /);
      expect(stdout).toMatch(
        / {2}k1 {2}1 attempt, run \S+\n {4}TypeError: cannot read 1\n {8}at Odd\.process \(.*task\.ts:10:\d+\)/,
      );
      expect(stdout).not.toContain("said no");
      expect(stdout).not.toContain("\u001b");
    }
    const { json } = await place.run(["failures", ...words, "--json", "--class=service"]);
    expect(json).toMatchObject({ failed: 3, classes: [{ count: 3, attempts: { least: 2, most: 2 } }] });
    expect(
      (json.items as { key: string; item: unknown; message: string }[]).map(({ key, item }) => [key, item]),
    ).toEqual([
      ["k2", { id: 2 }],
      ["k6", { id: 6 }],
      ["ten\nlines", { id: 10 }],
    ]);
    const wrong = await place.run(["failures", ...words, "--class", "TypeErorr: cannot read #"]);
    expect([wrong.code, wrong.stderr]).toEqual([
      2,
      expect.stringMatching(/no|nothing.*Did you mean "TypeError: cannot read #"\?/),
    ]);
  });

  test("--keys is what --keys FILE of a run reads", async () => {
    const place = await failed();
    const { stdout, stderr } = await place.run(["failures", ...words, "--keys", "--class", "TypeError"]);
    expect([stdout, stderr]).toEqual(["k1\nk5\nnine\u001b[2J\n", ""]);
    const all = await place.run(["failures", state, "--keys"]);
    expect(all.stdout).not.toContain("lines");
    expect(all.stderr).toMatch(/^note keys with line breaks are left out.*: 1\n$/);
    place.write({ "keys.txt": stdout, mended: "" });
    expect((await run(place, "--keys", "keys.txt")).json.counts).toEqual(counts({ done: 3 }));
    expect((await place.run(["failures", ...words])).stdout).toMatch(/^Odd {2}3 failed, in 1 class /);
    await run(place);
    const none = await place.run(["failures", ...words]);
    expect([none.code, none.stdout]).toEqual([0, "Odd  nothing has failed  .kagurazaka/Odd\n"]);
  });

  test("a reader that has had enough ends it without a word", async () => {
    const place = createPlace({ [`${state}/ledger/r.jsonl`]: '{"v":1,"run":"r","seq":1,"epoch":0}\n' });
    const line = (i: number) =>
      `{"k":"some/long/key/${i}","s":"failed","ms":1,"class":"E: x","error":{"name":"E","message":"x"}}\n`;
    appendFileSync(place.path(state, "ledger/r.jsonl"), Array.from({ length: 20_000 }, (_, i) => line(i)).join(""));
    const { child, ended } = place.start(["failures", state, "--keys"]);
    child.stdout!.once("data", () => child.stdout!.destroy());
    const { stderr, signal } = await ended;
    expect([stderr, signal]).toEqual(["", null]);
  });

  test.each([
    ["nothing named", [], /failures needs a task or its state directory[\s\S]*kagurazaka failures \(TASK_FILE/],
    ["a directory without a ledger", ["."], /there is no ledger in \.[\s\S]*There is one in \.kagurazaka\/Odd/],
    ["a directory that is not there", ["nowhere/Odd"], /nowhere\/Odd/],
    [
      "a misspelt flag after a state directory",
      [state, "--clas", "x"],
      /unknown flag --clas\. Did you mean --class, a flag of failures\?/,
    ],
    ["a class without a name", [...words, "--class"], /--class needs a value/],
  ])("%s: exit 2, and what was meant", async (_title, args, says) => {
    const place = createPlace({ "task.ts": records, [`${state}/ledger/r.jsonl`]: "" });
    const { code, stdout, stderr } = await place.run(["failures", ...args]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(says);
  });
});

describe.concurrent("ledger compact", () => {
  const ledgerOf = (place: Place): string[] => readdirSync(place.path(state, "ledger"));

  test("folds many runs into one file, after which every command says what it said", async () => {
    const place = await failed();
    for (let i = 0; i < 3; i++) await run(place, "--force", "new");
    const told = async () => [
      // Two workers fail in any order, and a compacted file has one of its own.
      inOrder((await place.run(["failures", ...words, "--json", "--class", "e"])).json),
      JSON.parse((await place.run(["verify", ...words, "--json"])).stdout),
      (await place.run(["explain", "k0", ...words])).stdout,
      (await run(place, "--dry-run")).json,
    ];
    const before = await told();
    expect(ledgerOf(place)).toHaveLength(4);
    const bytes = ledgerOf(place).reduce((sum, name) => sum + statSync(place.path(state, "ledger", name)).size, 0);
    const { code, stdout, stderr } = await place.run(["ledger", "compact", ...words]);
    expect([code, stderr]).toEqual([0, ""]);
    const [file] = ledgerOf(place);
    const after = statSync(place.path(state, "ledger", file!)).size;
    const grouped = (size: number): string => size.toLocaleString("en-US");
    expect(stdout).toMatch(/^\.kagurazaka\/Odd\/ledger is compacted\n {2}files +4 → 1\n {2}lines +62 → 26\n/);
    expect(stdout).toContain(`  bytes     ${grouped(bytes)} → ${grouped(after)}\n`);
    expect(await told()).toEqual(before);
    const again = await place.run(["ledger", "compact", state, "--json"]);
    expect(again.json).toMatchObject({ task: "Odd", ledgers: [{ changed: false, after: { files: 1, lines: 26 } }] });
    place.write({ mended: "" });
    expect((await run(place, "--retry-failed")).json.counts).toEqual(counts({ done: 6 }));
    expect((await run(place)).json.counts).toEqual(counts({ skipped: 12 }));
  });

  test("is refused while a run works on any part, and nothing of the ledger changes", async () => {
    const place = await failed();
    await run(place, "--force");
    const before = ledgerOf(place);
    place.write({ slow: "" });
    const shard = place.start([...words, "--backbone", "inline", "--shard", "0/3"]);
    await until("it holds its lease", () => existsSync(place.path(state, "lease", "shard-0-of-3", "gen-1.json")));
    for (const target of [words, [state]]) {
      const { code, stdout, stderr } = await place.run(["ledger", "compact", ...target]);
      expect([code, stdout]).toEqual([6, ""]);
      expect(stderr).toContain("is working on this output root");
    }
    expect(ledgerOf(place)).toEqual(before);
    shard.child.kill("SIGKILL");
    await shard.ended;
    expect((await place.run(["ledger", "compact", state])).stdout).toContain("is compacted");
    expect(ledgerOf(place)).toHaveLength(1);
  });

  test("waits for the file systems of ledger and outputs alone; for all of them where outputs may lie anywhere", async () => {
    const roots = ["--mixin", "hard_shard_mode.input_path=in", "hard_shard_mode.output_path=out"];
    const shout = [taskFile("files.ts"), "Shout", ...roots];
    const place = createPlace({ "in/a.txt": "a", "bin/sync": '#!/bin/sh\necho "[$*]" >> calls\n' });
    chmodSync(place.path("bin/sync"), 0o755);
    const env = { PATH: `${place.path("bin")}:${process.env.PATH}` };
    const compact = async (...target: string[]): Promise<string> => {
      rmSync(place.path("calls"), { force: true });
      const { code, stderr } = await place.run(["ledger", "compact", ...target], env);
      expect([code, stderr]).toEqual([0, ""]);
      return place.read("calls");
    };
    for (const where of [[], ["--run-dir", "state"]]) {
      rmSync(place.path("out/a.txt.up"), { force: true });
      await place.run([...shout, ...where, "--backbone", "inline"]);
    }
    expect(await compact(...shout)).toMatch(/^\[-f \S+\]\n$/);
    expect(await compact("out/.kagurazaka/Shout")).toMatch(/^\[-f \S+\]\n$/);
    expect(await compact("state/Shout")).toBe("[]\n");
  });

  test("leaves nothing where there was nothing", async () => {
    const place = createPlace({ "task.ts": records });
    const { code, stdout } = await place.run(["ledger", "compact", ...words]);
    expect([code, stdout]).toEqual([0, ".kagurazaka/Odd/ledger has nothing to fold\n"]);
    expect(place.everything()).toEqual(["task.ts"]);
  });

  test.each([
    ["no word", [], /there is no command "ledger"\. Did you mean "ledger compact"\?/],
    [
      "a misspelt word",
      ["compcat", ...words],
      /there is no command "ledger compcat"\. Did you mean "ledger compact"\?/,
    ],
    ["no task", ["compact"], /ledger compact needs a task or its state directory/],
    ["a flag it does not have", ["compact", state, "--deep"], /unknown flag --deep/],
  ])("%s: exit 2, and what was meant", async (_title, args, says) => {
    const place = createPlace({ "task.ts": records, [`${state}/ledger/r.jsonl`]: "" });
    const { code, stdout, stderr } = await place.run(["ledger", ...args]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(says);
  });
});

describe.concurrent("export-inputs", () => {
  test("replaces a file only when it is told to, and never what is no file", async () => {
    const place = createPlace({ "in/a.txt": "a", "list.jsonl": "mine\n" });
    const mixin = ["--mixin", "hard_shard_mode.input_path=in", "hard_shard_mode.output_path=out"];
    const source = [taskFile("files.ts"), "Fill", ...mixin];
    const refused = await place.run(["export-inputs", "list.jsonl", ...source]);
    expect([refused.code, refused.stderr]).toEqual([
      2,
      expect.stringMatching(/list\.jsonl already exists; nothing was written[\s\S]*--overwrite/),
    ]);
    expect(place.read("list.jsonl")).toBe("mine\n");
    expect((await place.run(["export-inputs", "--overwrite", "in", ...source])).code).toBe(2);
    const { code } = await place.run(["export-inputs", "list.jsonl", ...source, "--overwrite"]);
    expect([code, JSON.parse(readFileSync(join(place.dir, "list.jsonl"), "utf8"))]).toEqual([
      0,
      { input: { path: place.path("in/a.txt"), rel_dir: ".", file_name: "a.txt" } },
    ]);
  });
});

/** The same with every list sorted. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((one) => JSON.stringify(inOrder(one))).sort();
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, inOrder(one)]));
}

describe.concurrent("secrets", () => {
  test("of @fetch: neither messages nor the command to give next have them", async () => {
    const url = "http://bob:hunter2@127.0.0.1:9/x?token=hunter2&code=hunter2&n=1";
    const place = createPlace({ "urls.txt": `${url}\n` });
    const run = ["@fetch", "--lines", "urls.txt", "--out", "out", "--retries", "0", "--header", "X-Api-Key: hunter2"];
    const { code, stderr } = await place.run(run);
    expect(code).toBe(3);
    expect(stderr).toContain('"http://bob:***@127.0.0.1:9/x?token=***&code=***&n=1"');
    expect(stderr).toContain("--retries 0 --header '***' --retry-failed");
    const verified = await place.run(["verify", ...run]);
    expect(verified.stdout).toContain("--header '***' --retry-failed");
    // The item is the input, and stays as it is.
    const kept = place
      .everything("out/.kagurazaka")
      .filter((path) => /\.jsonl?$/.test(path))
      .map((path) => place.read(`out/.kagurazaka/${path}`).replaceAll(JSON.stringify(url), ""));
    expect(kept.length).toBeGreaterThan(2);
    for (const text of [stderr, verified.stdout, ...kept]) expect(text).not.toContain("hunter2");
  });

  test("behind -- are not in the command to give next", async () => {
    const place = createPlace({ "in/a": "" });
    const words = ["--token=hunter2", "-H", "Authorization: Bearer hunter2", "curl", "-u", "bob:hunter2"];
    const { stderr } = await place.run(["@exec", "--in", "in", "--retries", "0", "--", "false", ...words]);
    expect(stderr).toContain("--retry-failed -- false '--token=***' -H 'Authorization: ***' curl -u 'bob:***'\n");
    expect(stderr).not.toContain("hunter2");
  });
});
