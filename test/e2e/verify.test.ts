import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { withChecksum } from "../../src/base/checksum.js";
import type { ShardAudit } from "../../src/runner/tools/audit/audit-shard.js";
import { type Finding, findings } from "../../src/runner/tools/audit/findings.js";
import { createPlace, type Place, until } from "./kagurazaka.js";

/** `verify`, with every finding provoked for real, and every remedy it names taken as a shell takes it. */
vi.setConfig({ testTimeout: 120_000 });
const repository = new URL("../../", import.meta.url).pathname;

const task = (finish: string, more = ""): string => `
import {
  defineOptions, type FileItem, FinishCheckByLedger, FinishCheckByOutputFileExistence, InputByExts, KagurazakaTask,
  moemoecueNormal, NoHardShard, OutputByAppendingExt, OutputByFilenameSubfoldering, SoftShard, type TaskContext,
} from "kagurazaka";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
const options = defineOptions({ style: { type: "string", default: "plain", help: "how" } });
@moemoecueNormal({
  hardShardMode: NoHardShard({ inputPath: "in", outputPath: "out" }),
  softShard: SoftShard({ shardIdx: 0, shardNum: 1 }),
  inputMode: InputByExts({ exts: [".txt"] }),
  outputMode: OutputByAppendingExt({ ext: ".up" }),
  finishCheckMode: ${finish},
})
export class Up extends KagurazakaTask<FileItem, typeof options> {
  static options = options;
  ${more}
  async process({ input, output }: FileItem, ctx: TaskContext) {
    const text = readFileSync(input.path, "utf8");
    console.log("at it");
    if (text.startsWith("bad") && !existsSync("mended")) throw new Error("cannot do bad ones");
    if (text.startsWith("empty")) return ctx.filtered("empty");
    if (text.startsWith("slow") && !existsSync("mended")) await new Promise((resolve) => setTimeout(resolve, 60_000));
    writeFileSync(output.path, text.toUpperCase());
    if (text.startsWith("side")) writeFileSync(output.path + ".notes", "beside it");
  }
}
`;
const byFiles = task("FinishCheckByOutputFileExistence({ minBytes: 2 })");
const byLedger = task("FinishCheckByLedger()");

const words = ["task.ts", "Up"];
const run = (place: Place, ...more: string[]) =>
  place.run([...words, "--backbone", "inline", "--retries", "0", "--progress", "none", "--json", ...more]);

interface Report {
  readonly isSound: boolean;
  readonly roots: readonly [ShardAudit];
  readonly next: string | null;
}

/** The report for machines, and that it agrees with the exit code. */
async function verify(
  place: Place,
  ...more: string[]
): Promise<Report & { root: ShardAudit; found: Partial<Record<Finding, number>> }> {
  const { code, stdout, stderr } = await place.run(["verify", ...words, "--json", ...more]);
  expect([0, 3], stderr).toContain(code);
  const report = JSON.parse(stdout) as Report;
  expect(report.isSound).toBe(code === 0);
  const [root] = report.roots;
  const counted = (Object.keys(findings) as Finding[]).map((name) => [name, root.items[name].count] as const);
  const found = Object.fromEntries(counted.filter(([, count]) => count > 0));
  expect(counted.reduce((sum, [, count]) => sum + count, 0)).toBe(root.total);
  return { ...report, root, found };
}

/** Types what `verify` says, in a shell. */
function typed(place: Place, command: string | null): void {
  const bin = place.path("bin");
  if (!existsSync(bin)) {
    place.write({ "bin/kagurazaka": `#!/bin/sh\nexec ${process.execPath} ${join(repository, "src/bin.cjs")} "$@"\n` });
    chmodSync(join(bin, "kagurazaka"), 0o755);
  }
  spawnSync("sh", ["-c", command!], { cwd: place.dir, env: { ...process.env, PATH: `${bin}:${process.env.PATH}` } });
}

async function mended(place: Place, next: string | null, ...more: string[]): Promise<void> {
  typed(place, next);
  const { root, isSound } = await verify(place, ...more);
  expect(isSound, `after: ${next}\n${JSON.stringify(root, null, 1)}`).toBe(true);
}

/** The segment written last. Ids of runs that began within one second do not sort by time. */
const ledgerFile = (place: Place): string => {
  const dir = place.path("out/.kagurazaka/Up/ledger");
  const files = readdirSync(dir).map((name) => join(dir, name));
  return files.sort((a, b) => statSync(a).mtimeMs - statSync(b).mtimeMs).at(-1)!;
};

/** A file of a tree with its time of change: nothing can have been written where these are the same. */
const stamps = (place: Place): string[] =>
  place.everything().map((name) => `${name} ${statSync(place.path(name)).mtimeMs} ${statSync(place.path(name)).size}`);

const inputs = { "in/a.txt": "aa", "in/b.txt": "bb", "in/sub/c.txt": "side cc", "in/empty.txt": "empty" };

describe.concurrent("verify", () => {
  test("a finished tree is finished and sound; nothing is written and no lease is taken", async () => {
    const place = createPlace({ ...inputs, "task.ts": byFiles });
    expect((await verify(place)).found).toEqual({ neverRun: 4 });
    expect(place.everything(), "not even where nothing was").not.toContain("out");
    await run(place);
    const before = stamps(place);
    const { root, found, isSound, next } = await verify(place, "--deep");
    expect(found).toEqual({ finished: 3, filtered: 1 });
    expect({ isSound, next }).toEqual({ isSound: true, next: null });
    expect(root).toMatchObject({ orphans: { count: 0 }, stale: { code: 0, version: 0, options: 0 }, running: [] });
    const text = await place.run(["verify", ...words]);
    expect(text.stdout).toMatch(/^Up {2}4 items: finished and sound\n[\s\S]*finished +3\n +filtered +1 /);
    expect([text.code, text.stderr]).toEqual([0, ""]);
    expect(stamps(place)).toEqual(before);
  });

  test("an output that is gone or too small is missing; the same command makes it again", async () => {
    const place = createPlace({ ...inputs, "task.ts": byFiles });
    await run(place);
    rmSync(place.path("out/a.txt.up"));
    truncateSync(place.path("out/sub/c.txt.up"), 1);
    const { found, root, next } = await verify(place);
    expect(found).toEqual({ finished: 1, filtered: 1, missing: 2 });
    expect(root.items.missing.examples).toEqual([
      { key: "a.txt", says: "a.txt.up is gone" },
      { key: "sub/c.txt", says: "sub/c.txt.up has 1 bytes; the finish check needs at least 2" },
    ]);
    await mended(place, next);
    expect(place.read("out/sub/c.txt.up")).toBe("SIDE CC");
  });

  test("an output that is gone where the ledger decides: keys are listed and forced, and nothing else is done again", async () => {
    const place = createPlace({ ...inputs, "task.ts": byLedger });
    await run(place);
    rmSync(place.path("out/sub/c.txt.up"));
    const untouched = statSync(place.path("out/a.txt.up")).mtimeMs;
    expect((await run(place)).json.counts.skipped, "a run would not notice").toBe(4);
    const { found, next } = await verify(place);
    expect(found).toEqual({ finished: 2, filtered: 1, missing: 1 });
    const list = await place.run(["verify", ...words, "--list", "missing"]);
    expect([list.stdout, list.code]).toEqual(["sub/c.txt\n", 3]);
    await mended(place, next);
    expect(statSync(place.path("out/a.txt.up")).mtimeMs).toBe(untouched);
  });

  test("outputs that no run has recorded: kept where files decide, done again where the ledger does", async () => {
    for (const [text, isSound] of [
      [byFiles, true],
      [byLedger, false],
    ] as const) {
      const place = createPlace({ "in/a.txt": "aa", "in/b.txt": "bb", "task.ts": text });
      await run(place);
      rmSync(place.path("out/.kagurazaka"), { recursive: true });
      const report = await verify(place);
      expect([report.found, report.isSound]).toEqual([{ unrecorded: 2 }, isSound]);
      expect((await run(place)).json.counts[isSound ? "skipped" : "done"], "what a run does about them").toBe(2);
    }
  });

  test("failed and refused items, and others never run", async () => {
    const place = createPlace({ "in/a.txt": "aa", "in/bad.txt": "bad", "task.ts": byFiles });
    await run(place);
    const one = await verify(place);
    expect([one.found, one.next]).toEqual([{ finished: 1, failed: 1 }, "kagurazaka task.ts Up --retry-failed"]);
    place.write({ "in/new.txt": "new", mended: "" });
    const two = await verify(place);
    expect([two.found, two.next]).toEqual([{ finished: 1, failed: 1, neverRun: 1 }, "kagurazaka task.ts Up"]);
    await mended(place, two.next);
    place.write({ "in/e.jpg": "", "in/e.png": "" });
    const same = ["--mixin", "input_mode.exts=[.jpg,.png]", "output_mode={use: OutputByReplacingExt, ext: .up}"];
    const clash = await verify(place, ...same);
    expect(clash.found).toMatchObject({ refused: 1 });
    expect(clash.root.items.refused.examples[0]?.says).toMatch(/another item already writes/);
  });

  test("a run that was killed: what it left, what it had not said in failed.jsonl, and what is to do", async () => {
    const place = createPlace({ "in/a.txt": "aa", "in/bad.txt": "bad", "in/slow.txt": "slow", "task.ts": byFiles });
    const running = place.start([...words, "--backbone", "inline", "--retries", "0"]);
    await running.says("cannot do bad ones");
    await until("the failure is recorded", () => readFileSync(ledgerFile(place), "utf8").includes('"failed"'));
    const during = await verify(place);
    expect(during.root.running).toMatchObject([{ pid: running.child.pid, isCertain: true }]);
    expect(during.root.failedFile, "it writes that at its end").toBeNull();
    expect(during.root.leftovers.staging).toEqual([]);
    expect((await place.run(["verify", ...words])).stdout).toMatch(/at work +run \S+ \(pid \d+\): what is found may/);
    running.child.kill("SIGKILL");
    await running.ended;
    const { root, found, next } = await verify(place);
    expect(found).toEqual({ finished: 1, failed: 1, neverRun: 1 });
    expect(root.leftovers.staging).toEqual([during.root.running[0]!.run]);
    expect(root.failedFile).toEqual({ agrees: false, missing: 1, extra: 0 });
    expect((await place.run(["verify", ...words])).stdout).toMatch(
      /problem +failed\.jsonl does not agree[^\n]*\n +problem +staging of 1 dead runs/,
    );
    place.write({ mended: "" });
    await mended(place, next);
  });

  test("staging of a run whose record went with the power is found, for the next run removes it", async () => {
    const place = createPlace({ "in/a.txt": "aa", "task.ts": byFiles });
    const { json } = await run(place);
    rmSync(join(json.runDir, "run.json"));
    place.write({ [`out/.kagurazaka/staging/${json.run}/half`]: "", "out/.kagurazaka/staging/of another task/x": "" });
    expect((await verify(place)).root.leftovers.staging).toEqual([json.run]);
    await run(place);
    expect(readdirSync(place.path("out/.kagurazaka/staging"))).toEqual(["of another task"]);
    expect((await verify(place)).root.leftovers.staging).toEqual([]);
  });

  test("failed.jsonl with lines of items that have not failed", async () => {
    const place = createPlace({ "in/a.txt": "aa", "task.ts": byFiles });
    await run(place);
    place.write({ "out/.kagurazaka/Up/failed.jsonl": '{"key":"a.txt","class":"x"}\nnot a line\n' });
    const { root, isSound, next } = await verify(place);
    expect([root.failedFile, isSound]).toEqual([{ agrees: false, missing: 0, extra: 2 }, false]);
    await mended(place, next);
  });

  test("a --force that was killed is unfinished, and its items are asked for again", async () => {
    const place = createPlace({ "in/a.txt": "aa", "in/b.txt": "bb", mended: "", "task.ts": byFiles });
    await run(place);
    rmSync(place.path("mended"));
    place.write({ "in/b.txt": "slow" });
    const forced = place.start([...words, "--backbone", "inline", "--force"]);
    await until("one is done", () => /"open":true[\s\S]*a\.txt/.test(readFileSync(ledgerFile(place), "utf8")));
    forced.child.kill("SIGKILL");
    await forced.ended;
    const { root, found, next } = await verify(place);
    expect(found).toEqual({ finished: 1, due: 1 });
    expect(root.items.due.examples).toEqual([{ key: "b.txt", says: "done in epoch 0, asked for in epoch 1" }]);
    expect(root).toMatchObject({ openEpochs: [{ epoch: 1, scope: {} }], goesOnWithEpoch: true });
    place.write({ mended: "" });
    await mended(place, next);
  });

  test("damaged lines of the ledger are named, and folding it leaves them behind", async () => {
    const place = createPlace({ "in/a.txt": "aa", "in/b.txt": "bb", "task.ts": byFiles });
    await run(place);
    const path = ledgerFile(place);
    const lines = readFileSync(path, "utf8").split("\n");
    writeFileSync(path, [lines[0], '{"k":"a.t\u0000\u0000', ...lines.slice(1)].join("\n"));
    const { root, found, next } = await verify(place);
    expect([found, root.damaged]).toEqual([{ finished: 2 }, { lines: 1, places: [{ path, line: 2 }] }]);
    expect(next).toBe("kagurazaka ledger compact task.ts Up");
    await mended(place, next);
    // A line of which only the damage is left takes its record with it.
    const folded = ledgerFile(place);
    writeFileSync(folded, readFileSync(folded, "utf8").replace('"k":"a.txt","s"', '"k":"a.txt,"s"'));
    expect((await verify(place)).found).toEqual({ finished: 1, unrecorded: 1 });
  });

  test("what is left of a compaction that was killed", async () => {
    const place = createPlace({ "in/a.txt": "aa", "task.ts": byFiles });
    await run(place);
    const first = ledgerFile(place);
    const bytes = readFileSync(first);
    await run(place, "--force");
    await place.run(["ledger", "compact", ...words]);
    writeFileSync(first, bytes);
    place.write({ "out/.kagurazaka/Up/ledger/compacting-x.tmp": "half" });
    const { root, found, next } = await verify(place);
    expect([found, root.leftovers.ledger]).toEqual([
      { finished: 1 },
      ["compacting-x.tmp", expect.stringMatching(/jsonl$/)],
    ]);
    await mended(place, next);
    expect(readdirSync(place.path("out/.kagurazaka/Up/ledger"))).toHaveLength(1);
  });

  test("results of other code, another version, other options are counted and kept", async () => {
    const place = createPlace({ "in/a.txt": "aa", "in/b.txt": "bb", "task.ts": byFiles });
    await run(place);
    place.write({ "task.ts": `${byFiles}\n// another thought` });
    place.write({ "in/c.txt": "cc" });
    await run(place);
    expect((await verify(place)).root.stale).toEqual({ code: 2, version: 0, options: 0 });
    place.write({ "task.ts": task("FinishCheckByOutputFileExistence({ minBytes: 2 })", "static version = 2;") });
    const { root, isSound } = await verify(place, "--style", "fancy");
    expect([root.stale, isSound]).toEqual([{ code: 3, version: 3, options: 3 }, true]);
    const explained = await place.run(["explain", "a.txt", ...words]);
    expect(explained.stdout).toMatch(/made by +other code, version than now; kept/);
    await run(place, "--force");
    expect((await verify(place)).root.stale).toEqual({ code: 0, version: 0, options: 0 });
    expect((await place.run(["explain", "a.txt", ...words])).stdout).not.toContain("made by");
  });

  test("files in the output root that belong to no item are named; what an item left beside its output is not", async () => {
    const place = createPlace({ ...inputs, "task.ts": byFiles });
    await run(place);
    expect(existsSync(place.path("out/sub/c.txt.up.notes"))).toBe(true);
    rmSync(place.path("in/b.txt"));
    place.write({ "out/.hidden": "", "out/deep/er/x\u001b[2J.bin": "" });
    const { root, isSound } = await verify(place);
    expect(root.orphans).toEqual({ count: 3, files: [".hidden", "b.txt.up", "deep/er/x\u001b[2J.bin"] });
    expect(isSound, "they are none of the task's items").toBe(true);
    expect((await place.run(["verify", ...words])).stdout).toContain("x\\x1b[2J.bin");
    const part = await verify(place, "--only", "a*");
    expect([part.found, part.root.orphans, part.root.orphansNote]).toEqual([
      { finished: 1 },
      null,
      "only a part of the items was listed",
    ]);
    const shard = await verify(place, "--mixin", "soft_shard.shard_idx=1", "soft_shard.shard_num=2");
    expect([shard.root.total, shard.root.orphans]).toEqual([1, null]);
  });

  test("a folder per item: what is in it is its own, and one of its files gone is found whatever the finish check looks at", async () => {
    const place = createPlace({
      "in/a.txt": "aa",
      "in/b.txt": "bb",
      "task.ts": byFiles.replace(
        "writeFileSync(output.path, text.toUpperCase());",
        'for (const name of ["text", "meta", "more"]) writeFileSync(join(output.path, name), text);',
      ),
    });
    const folders = [
      "--mixin",
      "output_mode={use: OutputByFilenameSubfoldering, file_to_write: {text: text, meta: meta}}",
      "finish_check_mode.output_field_suffix=meta",
    ];
    await run(place, ...folders);
    expect((await verify(place, ...folders)).root.orphans).toEqual({ count: 0, files: [] });
    rmSync(place.path("out/a.txt/text"));
    const { found, root, next } = await verify(place, ...folders);
    expect(found).toEqual({ finished: 1, missing: 1 });
    expect(root.items.missing.examples).toEqual([{ key: "a.txt", says: "a.txt/text is gone" }]);
    await mended(place, next, ...folders);
  });

  test("--deep has the task look at what is there, set up as a worker is, a few at once", async () => {
    const checks = `
  ready = false;
  running = 0;
  setup() { this.ready = true; }
  async verify({ output }: FileItem, ctx: TaskContext) {
    if (++this.running > 2) throw new Error("too many at once");
    if (!this.ready) throw new Error("not set up");
    console.log("looking at " + ctx.key);
    writeFileSync(join(ctx.tmpDir, "scratch"), "");
    await new Promise((resolve) => setTimeout(resolve, 5));
    const text = readFileSync(output.path, "utf8");
    this.running--;
    if (text.includes("ROT")) throw new Error("rotten: " + text);
  }
  `;
    const place = createPlace({
      ...inputs,
      "task.ts": task("FinishCheckByOutputFileExistence({ minBytes: 2 })", checks),
    });
    await run(place);
    place.write({ "out/b.txt.up": "ROT" });
    const before = stamps(place);
    expect((await verify(place)).isSound, "nothing was checked").toBe(true);
    const { code, stderr, json } = await place.run(["verify", ...words, "--deep", "--concurrency", "2", "--json"]);
    const { roots, next } = json as unknown as Report;
    expect(code).toBe(3);
    expect(roots[0].deepChecked).toBe(3);
    expect(roots[0].items.unsound).toEqual({ count: 1, examples: [{ key: "b.txt", says: "Error: rotten: ROT" }] });
    expect(stderr, "stdout is for the report").toContain("looking at a.txt");
    expect(stamps(place)).toEqual(before);
    await mended(place, next, "--deep");
    expect(place.read("out/b.txt.up")).toBe("BB");
  });

  test("--deep: a look that does not end is cut off by --timeout; a setup() that fails ends the audit", async () => {
    const hangs = "verify() { return new Promise(() => {}); }";
    const place = createPlace({ "in/a.txt": "aa", "task.ts": task("FinishCheckByOutputFileExistence()") });
    await run(place);
    place.write({ "task.ts": task("FinishCheckByOutputFileExistence()", hangs) });
    const { root } = await verify(place, "--deep", "--timeout", "50ms");
    expect(root.items.unsound.examples[0]?.says).toContain("longer than 50 ms");
    place.write({
      "task.ts": task("FinishCheckByOutputFileExistence()", `setup() { throw new Error("no model"); } ${hangs}`),
    });
    const failed = await place.run(["verify", ...words, "--deep"]);
    expect([failed.code, failed.stderr]).toEqual([7, expect.stringContaining("setup() failed: Error: no model")]);
  });

  test("a task that says itself what is finished is asked by --deep", async () => {
    const asks = `isExecuted({ output }: FileItem) { return existsSync(output.path); }`;
    const text = task("null", asks).replace("finishCheckMode: null,", "");
    const place = createPlace({
      "in/a.txt": "aa",
      "in/b.txt": "bb",
      "task.ts": text,
      "out/a.txt.up": "by hand",
      "out/b.txt.up": "by hand",
    });
    rmSync(place.path("out/b.txt.up"));
    const unknown = await verify(place);
    expect([unknown.found, unknown.next]).toEqual([
      { unrecorded: 1, undecided: 1 },
      "kagurazaka verify task.ts Up --deep",
    ]);
    const asked = await verify(place, "--deep");
    expect([asked.found, asked.next]).toEqual([{ finished: 1, neverRun: 1 }, "kagurazaka task.ts Up"]);
    await mended(place, asked.next, "--deep");
  });

  test("a tree of records without outputs is judged by the ledger alone", async () => {
    const records = `
import { KagurazakaTask } from "kagurazaka";
export class Up extends KagurazakaTask<{ id: number }> {
  *generateTasks() { for (let id = 0; id < 5; id++) yield { id }; }
  keyOf({ id }: { id: number }) { return "k\\n" + id; }
  process({ id }: { id: number }) { if (id === 3) throw new Error("three"); }
}`;
    const place = createPlace({ "task.ts": records });
    await run(place);
    const { found, root } = await verify(place);
    expect(found).toEqual({ finished: 4, failed: 1 });
    expect([root.orphans, root.orphansNote]).toEqual([null, "no output mode names outputs"]);
    const shown = await place.run(["verify", ...words]);
    expect(shown.stdout).toContain("k\\n3");
    const listed = await place.run(["verify", ...words, "--list", "failed"]);
    expect([listed.stdout, listed.stderr]).toEqual(["", expect.stringContaining("keys with line breaks are left out")]);
  });

  test.each([
    ["no task", [], /verify needs a task/],
    ["an unknown flag", [...words, "--depe"], /unknown flag --depe/],
    [
      "an unknown list",
      [...words, "--list", "mising"],
      /list must be one of .*, not "mising"\. Did you mean "missing"\?/,
    ],
    ["a list without a name", [...words, "--list"], /--list needs a value/],
    ["a flag with a value it does not take", [...words, "--deep=maybe"], /deep must be true or false, not "maybe"/],
    ["items picked by number", [...words, "--sample", "5"], /verify cannot select a number of items/],
    ["a task that is not there", ["no.ts", "Up"], /no\.ts/],
  ])("%s: exit 2, and what was meant", async (_title, args, says) => {
    const place = createPlace({ "in/a.txt": "aa", "task.ts": byFiles });
    const { code, stdout, stderr } = await place.run(["verify", ...args]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(says);
    expect(stderr).not.toMatch(/\n {4}at /);
  });

  test("a misspelt command gets this one as a suggestion", async () => {
    const { code, stderr } = await createPlace().run(["verfy", "task.ts"]);
    expect([code, stderr]).toEqual([2, expect.stringContaining('Did you mean "verify"?')]);
  });
});

test("an item whose latest record is a failure has failed, though its output is there", async () => {
  const place = createPlace({ "in/a.txt": "aa", "task.ts": byLedger });
  await run(place);
  appendFileSync(
    ledgerFile(place),
    `${withChecksum('{"k":"a.txt","s":"failed","ms":1,"class":"x","error":{"name":"E","message":"m"}}')}\n`,
  );
  expect((await verify(place)).found).toEqual({ failed: 1 });
});
