import { execFileSync, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { SampleItem } from "../../src/testing/sample-task.js";
import { counts, createPlace, type Place, sampleTask, taskFile } from "./kagurazaka.js";

/** Which items run: the flags that choose, and what is remembered between runs. */
const items = (n: number): SampleItem[] =>
  Array.from({ length: n }, (_, i) => ({ id: `item-${String(i).padStart(3, "0")}` }));
const inline = ["--backbone", "inline"];

/** Keys in the order in which they were started, since `from` starts. */
const started = (place: Place, from = 0): string[] =>
  place
    .journal("start")
    .slice(from)
    .map(({ key }) => key!);

/** What one run over fresh items started. */
async function startedWith(n: number, args: readonly string[]): Promise<string[]> {
  const place = createPlace();
  const { code, stderr } = await place.sample(items(n), [...inline, ...args]);
  expect(code, stderr).toBe(0);
  return started(place);
}

describe.concurrent("choosing items", () => {
  test("--dry-run counts by reason, shows the first five pairs and writes nothing", async () => {
    const names = ["a", "b", "c", "d", "e", "f", "g"];
    const place = createPlace({
      ...Object.fromEntries(names.map((name) => [`in/${name}.txt`, name])),
      "out/a.txt.up": "A",
      "in/x.md": "",
    });
    const before = place.everything();
    const args = [
      taskFile("files.ts"),
      "Shout",
      "--mixin",
      "hard_shard_mode.input_path=in",
      "hard_shard_mode.output_path=out",
      "--dry-run",
    ];
    const { code, stdout } = await place.run(args);
    expect(code).toBe(0);
    expect(stdout).toMatch(/listed +7\n +would run +6\n +skip +1 +\(output exists\)/);
    expect(stdout.match(/\.txt → out\/.\.txt\.up/g)).toEqual(
      ["b", "c", "d", "e", "f"].map((name) => `.txt → out/${name}.txt.up`),
    );
    const { json } = await place.run([...args, "--json"]);
    expect(json).toMatchObject({ total: 7, run: 6, skipped: { "output exists": 1 }, refused: {} });
    expect(place.everything()).toEqual(before);
  });

  test("--limit counts items that run, not those that are finished", async () => {
    const place = createPlace();
    expect((await place.sample(items(10), [...inline, "--limit", "3"])).json.counts).toEqual(counts({ done: 3 }));
    expect((await place.sample(null, [...inline, "--limit", "3"])).json.counts).toEqual(
      counts({ skipped: 3, done: 3 }),
    );
    expect((await place.sample(null, [...inline, "--limit", "0"])).json.counts).toEqual(counts({}));
    expect(started(place)).toEqual(items(6).map(({ id }) => id));
  });

  test("--sample N takes the N smallest hashes: a larger N contains a smaller one", async () => {
    const [five, ten] = await Promise.all([startedWith(100, ["--sample", "5"]), startedWith(100, ["--sample", "10"])]);
    expect(five).toHaveLength(5);
    expect(new Set(ten).size).toBe(10);
    expect(ten.slice(0, 5)).toEqual(five);
  });

  test("--sample P% takes the same share every time, and a larger one contains it", async () => {
    const [once, twice, more] = await Promise.all([
      startedWith(300, ["--sample", "10%"]),
      startedWith(300, ["--sample=10%"]),
      startedWith(300, ["--sample", "30%"]),
    ]);
    expect(once.length).toBeGreaterThan(10);
    expect(once.length).toBeLessThan(60);
    expect(twice).toEqual(once);
    expect(more).toEqual(expect.arrayContaining(once));
  });

  test("--only takes keys that match one of its globs", async () => {
    expect(await startedWith(30, ["--only", "item-00*", "--only", "item-02[12]"])).toEqual([
      ...items(10).map(({ id }) => id),
      "item-021",
      "item-022",
    ]);
  });

  test("--keys takes the keys in a file", async () => {
    const place = createPlace({ "keys.txt": "item-007\r\nitem-002\n\nno-such-item\n" });
    expect((await place.sample(items(10), [...inline, "--keys", "keys.txt"])).json.counts).toEqual(counts({ done: 2 }));
    expect(started(place)).toEqual(["item-002", "item-007"]);
  });

  test("--keys reads a pipe, and standard input as -", async () => {
    const place = createPlace();
    const first = await place.sample(items(3), [...inline, "--limit", "0"]);
    expect(first.code, first.stderr).toBe(0);
    execFileSync("mkfifo", [place.path("pipe")]);
    const writer = spawn("sh", ["-c", "echo item-001 > pipe"], { cwd: place.dir, stdio: "ignore" });
    expect((await place.sample(null, [...inline, "--keys", "pipe"])).json.counts).toEqual(counts({ done: 1 }));
    writer.kill();
    const args = [sampleTask, "--plan", "plan.jsonl", "--journal", "journal", "--json", ...inline, "--keys", "-"];
    expect((await place.pipe(args, "item-002\n").ended).json.counts).toEqual(counts({ done: 1 }));
    expect(started(place).sort()).toEqual(["item-001", "item-002"]);
  });

  test("--shuffle is another order, the same for the same seed", async () => {
    const [listed, one, again, two] = await Promise.all([
      startedWith(50, []),
      startedWith(50, ["--shuffle", "--seed", "1"]),
      startedWith(50, ["--shuffle", "--seed", "1"]),
      startedWith(50, ["--shuffle", "--seed", "2"]),
    ]);
    expect(again).toEqual(one);
    expect(one).not.toEqual(listed);
    expect(two).not.toEqual(one);
    expect(one.toSorted()).toEqual(listed);
    expect(two.toSorted()).toEqual(listed);
  });

  test("--shard i/N parts are disjoint and together complete, also side by side on one root", async () => {
    const place = createPlace();
    await place.sample(items(60), ["--dry-run"]);
    const parts = await Promise.all([
      place.sample(null, [...inline, "--shard", "0/2"]),
      place.sample(null, [...inline, "--shard", "1/2"]),
    ]);
    expect(parts.map(({ code }) => code)).toEqual([0, 0]);
    expect(parts[0]!.json.counts.total + parts[1]!.json.counts.total).toBe(60);
    expect(started(place).toSorted()).toEqual(items(60).map(({ id }) => id));
    expect((await place.sample(null, inline)).json.counts).toEqual(counts({ skipped: 60 }));
  });
});

describe.concurrent("doing things again", () => {
  test("--force opens an epoch; a repeated --force goes on with one that was not finished", async () => {
    const place = createPlace();
    await place.sample(items(6), inline);
    expect((await place.sample(null, inline)).json.counts).toEqual(counts({ skipped: 6 }));
    expect((await place.sample(null, [...inline, "--force"])).json.counts).toEqual(counts({ done: 6 }));
    expect((await place.sample(null, inline)).json.counts).toEqual(counts({ skipped: 6 }));
    // An epoch is over when everything in it was done: the next --force opens another one.
    expect((await place.sample(null, [...inline, "--force"])).json.counts).toEqual(counts({ done: 6 }));
    expect((await place.sample(null, [...inline, "--force", "new"])).json.counts).toEqual(counts({ done: 6 }));
  });

  test("a --force that was interrupted is continued, by --force and without it", async () => {
    const place = createPlace();
    const slow = items(8).map((item) => ({ ...item, act: "wait" as const, ms: 60 }));
    await place.sample(slow, inline);
    const running = place.start([...sampleArgs, ...inline, "--force"]);
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        if (place.journal("start").length < 11) return;
        clearInterval(timer);
        running.child.kill("SIGINT");
        resolve();
      }, 10);
    });
    const { json: stopped } = await running.ended;
    expect(stopped.counts.done).toBeGreaterThan(0);
    expect(stopped.counts.done).toBeLessThan(8);
    const rest = await place.sample(null, inline);
    expect(rest.json.counts).toEqual(counts({ skipped: stopped.counts.done, done: 8 - stopped.counts.done }));
    expect(rest.stderr).toMatch(/an earlier --force over these items was not finished/);
    expect((await place.sample(null, inline)).json.counts).toEqual(counts({ skipped: 8 }));
  });

  test("--force over a part leaves the rest finished", async () => {
    const place = createPlace();
    await place.sample(items(6), inline);
    expect((await place.sample(null, [...inline, "--force", "--only", "item-00[01]"])).json.counts).toEqual(
      counts({ done: 2 }),
    );
    expect((await place.sample(null, [...inline, "--force", "--limit", "1"])).json.counts.done).toBe(1);
    expect((await place.sample(null, inline)).json.counts).toEqual(counts({ skipped: 6 }));
  });

  test("--force does files again although they are there", async () => {
    const place = createPlace({ "in/a.txt": "a" });
    const args = [
      taskFile("files.ts"),
      "Shout",
      "--mixin",
      "hard_shard_mode.input_path=in",
      "hard_shard_mode.output_path=out",
      "--json",
      ...inline,
    ];
    await place.run(args);
    place.write({ "in/a.txt": "b" });
    expect((await place.run(args)).json.counts).toEqual(counts({ skipped: 1 }));
    expect((await place.run([...args, "--force"])).json.counts).toEqual(counts({ done: 1 }));
    expect(place.files("out")).toEqual({ "a.txt.up": "B" });
  });

  test("what failed is tried again, unless --skip-failed; --retry-failed runs just that without listing", async () => {
    const place = createPlace();
    const list: SampleItem[] = [{ id: "good" }, { id: "bad", act: "permanent" }, { id: "worse", act: "permanent" }];
    expect((await place.sample(list, inline)).json.counts).toEqual(counts({ done: 1, failed: 2 }));
    expect((await place.sample(null, inline)).json.counts).toEqual(counts({ skipped: 1, failed: 2 }));
    expect((await place.sample(null, [...inline, "--skip-failed"])).json.counts).toEqual(counts({ skipped: 3 }));
    // The list is gone, but the failed items stand in failed.jsonl.
    rmSync(place.path("plan.jsonl"));
    expect((await place.sample(null, [...inline, "--retry-failed"])).json.counts).toEqual(counts({ failed: 2 }));
  });

  test("what was filtered is finished, with its reason", async () => {
    const place = createPlace();
    const { json, code } = await place.sample(
      [{ id: "empty", act: "filter", message: "an empty file" }, { id: "full" }],
      inline,
    );
    expect(json.counts).toEqual(counts({ done: 1, filtered: 1 }));
    expect(code).toBe(0);
    expect((await place.sample(null, inline)).json.counts).toEqual(counts({ skipped: 2 }));
    expect(
      place
        .everything(".kagurazaka/sample/ledger")
        .map((name) => place.read(`.kagurazaka/sample/ledger/${name}`))
        .join(""),
    ).toMatch(/an empty file/);
  });

  test("--run-dir keeps the records elsewhere, --durable finishes the same work", async () => {
    const place = createPlace({ "in/a.txt": "a" });
    const args = [
      taskFile("files.ts"),
      "Shout",
      "--mixin",
      "hard_shard_mode.input_path=in",
      "hard_shard_mode.output_path=out",
      "--json",
      ...inline,
      "--run-dir",
      "state",
      "--durable",
    ];
    const { json } = await place.run(args);
    expect(json.counts).toEqual(counts({ done: 1 }));
    expect(json.runDir).toBe(place.path("state/Shout/runs", json.run));
    expect(place.everything("out")).toEqual(["a.txt.up"]);
    expect((await place.run(args)).json.counts).toEqual(counts({ skipped: 1 }));
  });
});

const sampleArgs = [
  new URL("../../dist/src/testing/sample-task.js", import.meta.url).pathname,
  "--plan",
  "plan.jsonl",
  "--journal",
  "journal",
  "--json",
];
