import { readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { counts, createPlace, type Place, taskFile } from "./kagurazaka.js";

/** What follows a power loss, or any other restart of the machine: the ledger is told that it was written in another boot. */

const roots = ["--mixin", "hard_shard_mode.input_path=in", "hard_shard_mode.output_path=out", "--json"];
const shout = [taskFile("files.ts"), "Shout", ...roots, "--backbone", "inline"];
const asks = [taskFile("asks.ts"), "Asks", "--backbone", "inline", "--json"];
const preload = new URL("../fixtures/sync-marks.mjs", import.meta.url).pathname;

/** A run that waits for its last mark, however short it is. */
const marked = { NODE_OPTIONS: `--import ${preload}`, SYNC_MARK_TIMES: '{"worthMs":0}' };

const ledgerDir = (place: Place, task: string): string => place.path("out/.kagurazaka", task, "ledger");
const segments = (place: Place, task: string): string[] =>
  readdirSync(ledgerDir(place, task))
    .sort()
    .map((name) => readFileSync(`${ledgerDir(place, task)}/${name}`, "utf8"));

function restart(place: Place, task: string): void {
  for (const name of readdirSync(ledgerDir(place, task))) {
    const path = `${ledgerDir(place, task)}/${name}`;
    writeFileSync(path, readFileSync(path, "utf8").replace(/"boot":"[^"]+"/, '"boot":"one that is over"'));
  }
}

describe.concurrent("after a restart of the machine", () => {
  test("what no mark covers is made again, and it is said once how much that is", async () => {
    const place = createPlace({ "in/a.txt": "a", "in/b.txt": "b" });
    await place.run(shout);
    expect((await place.run(shout)).json.counts).toEqual(counts({ skipped: 2 }));
    restart(place, "Shout");
    // As the power leaves it: a name without content.
    place.write({ "out/a.txt.up": "" });
    const dry = await place.run([...shout, "--dry-run"]);
    expect(dry.stderr + dry.stdout).toMatch(/2 results younger than the last sync mark/);
    const { json, stderr } = await place.run(shout);
    expect(json.counts).toEqual(counts({ done: 2 }));
    expect(
      stderr.match(/the machine has been restarted: 2 results younger than the last sync mark .* made again/g),
    ).toHaveLength(1);
    expect(place.files("out")).toEqual({ "a.txt.up": "A", "b.txt.up": "B" });
    // It has looked at everything, waited for the disk and said so: nothing is left to doubt.
    expect(segments(place, "Shout").at(-1)).toMatch(/\n\{"sync":"[^"]+","upto":\d+,"end":true,"settled":true\}\n$/);
    const again = await place.run(shout);
    expect(again.json.counts).toEqual(counts({ skipped: 2 }));
    expect(again.stderr).not.toContain("restarted");
    restart(place, "Shout");
    expect((await place.run(shout)).json.counts).toEqual(counts({ skipped: 2 }));
  });

  test("what a mark covers is not, and neither is anything after --durable", async () => {
    for (const [more, env, mark] of [
      [[], marked, /"end":true/],
      [["--durable"], {}, /^\{.*"durable":true/],
    ] as const) {
      const place = createPlace({ "in/a.txt": "a", "in/b.txt": "b" });
      await place.run([...shout, ...more], env);
      expect(segments(place, "Shout")[0]).toMatch(mark);
      restart(place, "Shout");
      const { json, stderr } = await place.run(shout);
      expect(json.counts).toEqual(counts({ skipped: 2 }));
      expect(stderr).not.toContain("restarted");
    }
  });

  test("an output without a line is made again when it is as young as what was lost, whatever time its task gave it", async () => {
    const place = createPlace({ "in/a.txt": "a", "in/b.txt": "b" });
    await place.run([...shout, "--only", "a.txt"]);
    place.write({ "out/b.txt.up": "" });
    utimesSync(place.path("out/b.txt.up"), 1, 1);
    restart(place, "Shout");
    expect((await place.run(shout)).json.counts).toEqual(counts({ done: 2 }));
    expect(place.read("out/b.txt.up")).toBe("B");
  });

  test("one that was put there afterwards is taken as it is", async () => {
    const place = createPlace({ "in/a.txt": "a", "in/b.txt": "b", "in/c.txt": "c" });
    await place.run([...shout, "--only", "a.txt"]);
    restart(place, "Shout");
    expect((await place.run([...shout, "--only", "a.txt"])).json.counts).toEqual(counts({ done: 1 }));
    place.write({ "out/b.txt.up": "by hand" });
    expect((await place.run(shout)).json.counts).toEqual(counts({ done: 1, skipped: 2 }));
    expect(place.read("out/b.txt.up")).toBe("by hand");
  });

  test("a task that decides itself is not asked about what may not be whole", async () => {
    const place = createPlace({ "in/a.txt": "a", "in/b.txt": "b" });
    await place.run(asks);
    restart(place, "Asks");
    place.write({ "out/a.txt.up": "", "out/b.txt.up": "" });
    const { json, stderr } = await place.run(asks);
    expect(json.counts).toEqual(counts({ done: 2 }));
    expect(stderr).not.toContain("asked");
    expect(place.files("out")).toEqual({ "a.txt.up": "A", "b.txt.up": "B" });
  });

  test("a ledger in doubt is not compacted; a compacted one is not in doubt, whatever the runs in it waited for", async () => {
    const place = createPlace({ "in/a.txt": "a", "in/b.txt": "b" });
    const compact = () => place.run(["ledger", "compact", "out/.kagurazaka/Shout"]);
    await place.run([...shout, "--only", "a.txt"]);
    restart(place, "Shout");
    const refused = await compact();
    expect([refused.code, refused.stderr]).toEqual([7, expect.stringMatching(/restart[\s\S]*Run the task once/)]);
    await place.run(shout);
    expect((await compact()).code).toBe(0);
    expect(segments(place, "Shout")).toHaveLength(1);
    // The header of the file, and of each run inside it.
    const [name] = readdirSync(ledgerDir(place, "Shout"));
    const path = `${ledgerDir(place, "Shout")}/${name}`;
    writeFileSync(path, readFileSync(path, "utf8").replace(/"boot":"[^"]+"/g, '"boot":"one that is over"'));
    const { json, stderr } = await place.run(shout);
    expect(json.counts, stderr).toEqual(counts({ skipped: 2 }));
    expect(stderr).not.toContain("restarted");
  });

  test("explain says why an item would run again", async () => {
    const place = createPlace({ "in/a.txt": "a" });
    await place.run(shout);
    restart(place, "Shout");
    const words = shout.filter((word) => word !== "--json");
    expect((await place.run(["explain", "a.txt", ...words])).stdout).toMatch(
      /^a\.txt would run\n[\s\S]*finished +yes, but after the last sync mark of a boot that is over/,
    );
  });

  test("runs too short for a mark are covered by a later one of the same boot", async () => {
    const place = createPlace({ "in/a.txt": "a", "in/b.txt": "b" });
    await place.run([...shout, "--only", "a.txt"]);
    await place.run([...shout, "--only", "b.txt"], marked);
    restart(place, "Shout");
    expect((await place.run(shout)).json.counts).toEqual(counts({ skipped: 2 }));
  });
});

describe.concurrent("sync marks", () => {
  test("a run that has worked for long ends with one, made by the sync of this machine", async () => {
    const place = createPlace({ "in/a.txt": "a" });
    const { stderr, json } = await place.run(shout, marked);
    expect(json.counts).toEqual(counts({ done: 1 }));
    const [header, done, mark, ...rest] = segments(place, "Shout")[0]!.split("\n");
    expect(JSON.parse(mark!)).toEqual({
      sync: expect.stringMatching(/^\d{4}-.*Z$/),
      upto: Buffer.byteLength(`${header}\n${done}\n`),
      end: true,
      settled: true,
    });
    expect(rest).toEqual([""]);
    expect(stderr).not.toContain("warning");
  });

  test("where there is no sync command, a run says so in its log and works as ever", async () => {
    const place = createPlace({ "in/a.txt": "a" });
    const { json, stderr } = await place.run(shout, { ...marked, PATH: place.path("in") });
    expect(json.counts).toEqual(counts({ done: 1 }));
    expect(stderr).not.toContain("sync");
    expect(readFileSync(`${json.runDir}/log.jsonl`, "utf8")).toMatch(
      /"event":"warning","message":"no sync mark: .*ENOENT/,
    );
    expect(segments(place, "Shout")[0]).not.toContain('"sync"');
  });
});
