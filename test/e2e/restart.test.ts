import { chmodSync, cpSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { bareLines, withChecksums } from "../runner/ledger/header.js";
import { counts, createPlace, type Place, taskFile } from "./kagurazaka.js";

/** What follows a power loss, or any other restart of the machine: the ledger is told that it was written in another boot. */

const roots = ["--mixin", "hard_shard_mode.input_path=in", "hard_shard_mode.output_path=out", "--json"];
const shout = [taskFile("files.ts"), "Shout", ...roots, "--backbone", "inline"];
const asks = [taskFile("asks.ts"), "Asks", "--backbone", "inline", "--json"];
const preload = new URL("../fixtures/checkpoints.mjs", import.meta.url).pathname;

/** The environment of a run that waits for its final checkpoint, even if it is short. */
const waiting = { NODE_OPTIONS: `--import ${preload}`, CHECKPOINT_TIMES: '{"worthMs":0}' };

const ledgerDir = (place: Place, task: string): string => place.path("out/.kagurazaka", task, "ledger");
const segments = (place: Place, task: string): string[] =>
  readdirSync(ledgerDir(place, task))
    .sort()
    .map((name) => `${bareLines(readFileSync(`${ledgerDir(place, task)}/${name}`, "utf8")).join("\n")}\n`);

const ofAnotherBoot = (text: string): string =>
  withChecksums(text.replace(/"boot":"[^"]+"/g, '"boot":"one that is over"'));

function restart(place: Place, task: string): void {
  for (const name of readdirSync(ledgerDir(place, task))) {
    const path = `${ledgerDir(place, task)}/${name}`;
    writeFileSync(path, ofAnotherBoot(readFileSync(path, "utf8")));
  }
}

describe.concurrent("after a restart of the machine", () => {
  test("results without a checkpoint are made again, and one message says how many", async () => {
    const place = createPlace({ "in/a.txt": "a", "in/b.txt": "b" });
    await place.run(shout);
    expect((await place.run(shout)).json.counts).toEqual(counts({ skipped: 2 }));
    restart(place, "Shout");
    // After a power loss: a name without content.
    place.write({ "out/a.txt.up": "" });
    const dry = await place.run([...shout, "--dry-run"]);
    expect(dry.stderr + dry.stdout).toMatch(/at least 2 results younger than the last checkpoint/);
    const { json, stderr } = await place.run(shout);
    expect(json.counts).toEqual(counts({ done: 2 }));
    expect(
      stderr.match(
        /the machine has been restarted: at least 2 results younger than the last checkpoint .* made again/g,
      ),
    ).toHaveLength(1);
    expect(place.files("out")).toEqual({ "a.txt.up": "A", "b.txt.up": "B" });
    // The run has checked every item and synced the disk: nothing is unsynced any more.
    expect(segments(place, "Shout").at(-1)).toMatch(/\n\{"sync":"[^"]+","upto":\d+,"end":true,"settled":true\}\n$/);
    const again = await place.run(shout);
    expect(again.json.counts).toEqual(counts({ skipped: 2 }));
    expect(again.stderr).not.toContain("restarted");
    restart(place, "Shout");
    expect((await place.run(shout)).json.counts).toEqual(counts({ skipped: 2 }));
  });

  test("results covered by a checkpoint are not made again, nor any after --durable", async () => {
    for (const [more, env, checkpoint] of [
      [[], waiting, /"end":true/],
      [["--durable"], {}, /^\{.*"durable":true/],
    ] as const) {
      const place = createPlace({ "in/a.txt": "a", "in/b.txt": "b" });
      await place.run([...shout, ...more], env);
      expect(segments(place, "Shout")[0]).toMatch(checkpoint);
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

  test("an unsynced ledger is not compacted; a compacted one counts as synced", async () => {
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
    writeFileSync(path, ofAnotherBoot(readFileSync(path, "utf8")));
    const { json, stderr } = await place.run(shout);
    expect(json.counts, stderr).toEqual(counts({ skipped: 2 }));
    expect(stderr).not.toContain("restarted");
  });

  test("a run of another list settles nothing of what the first has left; one of the same list does", async () => {
    const place = createPlace({ A: "a1\na2\na3\n", B: "b1\n" });
    const exec = (list: string) =>
      place.run(["@exec", "--lines", list, "--out", "out", "--backbone", "inline", "--json", "--", "echo", "{}"]);
    await exec("A");
    const [task] = readdirSync(place.path("out/.kagurazaka")).filter((name) => name !== "staging");
    restart(place, task!);
    // As the power leaves it: names without content, and of the ledger the first line alone.
    const outputs = Object.keys(place.files("out"));
    expect(outputs).toHaveLength(3);
    for (const name of outputs) place.write({ [`out/${name}`]: "" });
    const [name] = readdirSync(ledgerDir(place, task!));
    const path = `${ledgerDir(place, task!)}/${name}`;
    writeFileSync(path, `${readFileSync(path, "utf8").split("\n")[0]}\n`);

    expect((await exec("B")).json.counts).toEqual(counts({ done: 1 }));
    expect((await exec("A")).json.counts).toEqual(counts({ done: 3 }));
    expect(segments(place, task!).at(-1)).toContain('"settled":true');
    expect(Object.values(place.files("out")).sort()).toEqual(["a1\n", "a2\n", "a3\n", "b1\n"]);
    // Now nothing asks for the times of outputs any more: those of the window could be anything.
    expect((await exec("A")).json.counts).toEqual(counts({ skipped: 3 }));
    const compacted = await place.run(["ledger", "compact", `out/.kagurazaka/${task}`]);
    expect([compacted.code, compacted.stderr]).toEqual([0, ""]);
  });

  test("a copy is not made again where a line on disk tells of the output, though all of it has just changed", async () => {
    const place = createPlace({ "in/a.txt": "a", "in/b.txt": "b" });
    await place.run([...shout, "--only", "a.txt"], waiting);
    await place.run([...shout, "--only", "b.txt"]);
    restart(place, "Shout");
    for (const name of ["in", "out"])
      cpSync(place.path(name), place.path("copy", name), { recursive: true, preserveTimestamps: true });
    const words = shout.map((word) => word.replace("path=", "path=copy/"));
    const { json, stderr } = await place.run(words);
    expect(json.counts).toEqual(counts({ done: 1, skipped: 1 }));
    expect(stderr).toContain("at least 1 results younger");
  });

  test("explain says why an item would run again", async () => {
    const place = createPlace({ "in/a.txt": "a" });
    await place.run(shout);
    restart(place, "Shout");
    const words = shout.filter((word) => word !== "--json");
    expect((await place.run(["explain", "a.txt", ...words])).stdout).toMatch(
      /^a\.txt would run\n[\s\S]*finished +yes, but recorded after the last checkpoint before a restart/,
    );
  });

  test("runs too short for a checkpoint are covered by a later checkpoint of the same boot", async () => {
    const place = createPlace({ "in/a.txt": "a", "in/b.txt": "b" });
    await place.run([...shout, "--only", "a.txt"]);
    await place.run([...shout, "--only", "b.txt"], waiting);
    restart(place, "Shout");
    expect((await place.run(shout)).json.counts).toEqual(counts({ skipped: 2 }));
  });
});

describe.concurrent("checkpoints", () => {
  test("a run that has worked for long ends with one, made by the sync of this machine", async () => {
    const place = createPlace({ "in/a.txt": "a" });
    const { stderr, json } = await place.run(shout, waiting);
    expect(json.counts).toEqual(counts({ done: 1 }));
    const [, , checkpoint, ...rest] = segments(place, "Shout")[0]!.split("\n");
    const [name] = readdirSync(ledgerDir(place, "Shout"));
    const text = readFileSync(`${ledgerDir(place, "Shout")}/${name}`, "utf8");
    expect(JSON.parse(checkpoint!)).toEqual({
      sync: expect.stringMatching(/^\d{4}-.*Z$/),
      upto: text.indexOf('{"sync":'),
      end: true,
      settled: true,
    });
    expect(rest).toEqual([""]);
    expect(stderr).not.toContain("warning");
  });

  test("a signal ends the wait for the last one: no item is left to finish", async () => {
    const place = createPlace({ "in/a.txt": "a", "bin/sync": "#!/bin/sh\nexec /bin/sleep 50\n" });
    chmodSync(place.path("bin/sync"), 0o755);
    const running = place.start(shout, {
      ...waiting,
      CHECKPOINT_TIMES: '{"worthMs":0,"tellAfterMs":10,"waitMs":40000}',
      PATH: `${place.path("bin")}:${process.env.PATH}`,
    });
    await running.says("for the disk");
    const askedAt = performance.now();
    running.child.kill("SIGINT");
    const { stderr, json } = await running.ended;
    expect(performance.now() - askedAt).toBeLessThan(20_000);
    expect(json.counts).toEqual(counts({ done: 1 }));
    expect(stderr).toContain("SIGINT: no item is left to finish");
    expect(segments(place, "Shout")[0]).not.toContain('"sync"');
  });

  test("where there is no sync command, a run says so in its log and works as ever", async () => {
    const place = createPlace({ "in/a.txt": "a" });
    const { json, stderr } = await place.run(shout, { ...waiting, PATH: place.path("in") });
    expect(json.counts).toEqual(counts({ done: 1 }));
    expect(stderr).not.toContain("sync");
    expect(readFileSync(`${json.runDir}/log.jsonl`, "utf8")).toMatch(
      /"event":"warning","message":"no checkpoint: .*ENOENT/,
    );
    expect(segments(place, "Shout")[0]).not.toContain('"sync"');
  });
});
