import { mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { counts, createPlace, type Place, taskFile } from "./kagurazaka.js";

/** Several hard shards in one run. */
const shards = ["0", "1", "2"];
const perShard = 12;

const texts = (names: readonly string[] = shards): Record<string, string> =>
  Object.fromEntries(
    names.flatMap((shard) =>
      Array.from({ length: perShard }, (_, i) => [`data/${shard}/texts/${i % 3}/${i}.txt`, `${shard} ${i}`]),
    ),
  );

const mixin = (shardIdx: string): string =>
  `hard_shard_mode={use: HardShardModeV1, base_input_path: data, base_output_path: made, input_name: texts, output_name: loud, shard_idx: ${shardIdx}}`;

const shout = (place: Place, shardIdx: string, ...more: string[]) =>
  place.run([taskFile("files.ts"), "Shout", "--json", "--num_process", "2", "--mixin", mixin(shardIdx), ...more]);

const loud = (names: readonly string[] = shards): Record<string, string> =>
  Object.fromEntries(
    Object.entries(texts(names)).map(([path, text]) => [
      path.replace("data/", "").replace("texts", "loud").concat(".up"),
      text.toUpperCase(),
    ]),
  );

const ledgerOf = (place: Place, shard: string): string[] =>
  readdirSync(place.path(`made/${shard}/loud/.kagurazaka/Shout/ledger`)).flatMap((file) =>
    place
      .read(`made/${shard}/loud/.kagurazaka/Shout/ledger/${file}`)
      .split("\n")
      .filter((line) => line.includes('"s":"done"')),
  );

describe.concurrent("several hard shards in one run", () => {
  test("each has its outputs, ledger and run record below its own root; keys that repeat do not meet", async () => {
    const place = createPlace(texts());
    const { json, stderr } = await shout(place, '"0-2"');
    expect(json.counts, stderr).toEqual(counts({ done: 36 }));
    expect(place.files("made")).toEqual(loud());
    for (const shard of shards) {
      expect(ledgerOf(place, shard)).toHaveLength(perShard);
      expect(JSON.parse(place.read(`made/${shard}/loud/.kagurazaka/Shout/stats.json`)).counts).toEqual(
        counts({ done: perShard }),
      );
    }
    expect(stderr).toContain("and 2 more shards");
    expect((await shout(place, "[0, 1, 2]")).json.counts).toEqual(counts({ skipped: 36 }));
  });

  test("a shard that ran alone is known to the run of all of them, and the other way round", async () => {
    const place = createPlace(texts());
    expect((await shout(place, "1")).json.counts).toEqual(counts({ done: perShard }));
    expect((await shout(place, '"0-2"')).json.counts).toEqual(counts({ done: 24, skipped: 12 }));
    expect((await shout(place, "2")).json.counts).toEqual(counts({ skipped: perShard }));
  });

  test("all move on together: with a limit, each has had its share", async () => {
    const place = createPlace(texts());
    const { json } = await shout(place, '"0-2"', "--limit", "12");
    expect(json.counts.done).toBe(12);
    for (const shard of shards) expect(ledgerOf(place, shard).length).toBeGreaterThan(0);
  });

  test("failures are listed in each shard, and tried again in each", async () => {
    const place = createPlace({ ...texts(), "data/0/texts/x.txt": "bad", "data/2/texts/x.txt": "bad" });
    const { code, json } = await shout(place, '"0-2"', "--retries", "0");
    expect([code, json.counts]).toEqual([3, counts({ done: 36, failed: 2 })]);
    for (const shard of ["0", "2"])
      expect(place.read(`made/${shard}/loud/.kagurazaka/Shout/failed.jsonl`)).toContain("cannot shout bad");
    expect(place.everything("made/1/loud/.kagurazaka/Shout")).not.toContain("failed.jsonl");
    place.write({ "data/0/texts/x.txt": "good", "data/2/texts/x.txt": "good" });
    expect((await shout(place, '"0-2"', "--retry-failed")).json.counts).toEqual(counts({ done: 2 }));
  });

  test("what failed is tried again in its own shard, whichever are selected then and in whatever order", async () => {
    for (const [then, key] of [
      ["[2, 1, 0]", "done"],
      ["2", "done"],
    ] as const) {
      const place = createPlace({ ...texts(), "data/0/texts/x.txt": "other", "data/2/texts/x.txt": "bad" });
      await shout(place, '"0-2"', "--retries", "0");
      place.write({ "data/2/texts/x.txt": "mended" });
      const again = await shout(place, then, "--retry-failed");
      expect(again.json.counts, again.stderr).toEqual(counts({ [key]: 1 }));
      expect(place.read("made/2/loud/x.txt.up")).toBe("MENDED");
    }
  });

  test("one that another coordinator holds is refused before anything runs", async () => {
    const place = createPlace(texts());
    const first = place.start([taskFile("files.ts"), "Linger", "--rate", "2/s", "--mixin", mixin("1")]);
    await first.says("output");
    const { code, stderr } = await place.run([taskFile("files.ts"), "Linger", "--mixin", mixin('"0-2"')]);
    expect(code, stderr).toBe(6);
    expect(place.files("made/0")).toEqual({});
    first.child.kill("SIGINT");
    await first.ended;
  });

  test("a root that goes away stops its shard alone: exit 7, and the others are finished", async () => {
    const place = createPlace(texts());
    const args = [taskFile("files.ts"), "Linger", "--json", "--mixin", mixin('"0-2"'), "--num_process", "2"];
    const run = place.start(args);
    await run.says("first words");
    renameSync(place.path("made/1"), place.path("gone"));
    const { code, stderr, json } = await run.ended;
    expect(code, stderr).toBe(7);
    expect(stderr).toMatch(/warning .*data\/1\/texts: .*the other shards go on/);
    expect(stderr.match(/^error\b.*$/gm), stderr).toHaveLength(1);
    expect(json.counts.done).toBeGreaterThanOrEqual(24);
    expect(Object.keys(place.files("made")).sort()).toEqual(Object.keys(loud(["0", "2"])).sort());
    rmSync(place.path("made/1"), { recursive: true, force: true });
    renameSync(place.path("gone"), place.path("made/1"));
    const again = await place.run(args);
    expect(again.code, again.stderr).toBe(0);
    expect(place.files("made")).toEqual(loud());
  });

  test("a list that would be the same for every shard is a mistake", async () => {
    const place = createPlace({ ...texts(), "list.jsonl": '{"a":1}\n' });
    const list = "input_mode={use: InputFromWhateverJsonl, jsonl_path: list.jsonl}";
    const { code, stderr } = await shout(
      place,
      '"0-2"',
      "--mixin",
      list,
      "output_mode={use: OutputByTemplate, pattern: x}",
    );
    expect(code).toBe(2);
    expect(stderr).toContain("all 3 shards would list the same items");
    mkdirSync(place.path("made"), { recursive: true });
    expect(place.everything("made")).toEqual([]);
  });

  test("--dry-run counts all of them, explain finds the item, export-inputs writes whole paths", async () => {
    const place = createPlace(texts());
    const dry = await place.run([taskFile("files.ts"), "Shout", "--dry-run", "--mixin", mixin('"0-2"')]);
    expect(dry.stdout + dry.stderr).toMatch(/would run\s+36/);
    const explained = await place.run([
      "explain",
      "2/11.txt",
      taskFile("files.ts"),
      "Shout",
      "--mixin",
      mixin('"0-2"'),
    ]);
    expect(explained.stdout).toContain("would run");
    await place.run(["export-inputs", "all.jsonl", taskFile("files.ts"), "Shout", "--mixin", mixin('"0-2"')]);
    const lines = place.read("all.jsonl").trim().split("\n");
    expect(new Set(lines.map((line) => JSON.parse(line).input.path)).size).toBe(36);
  });
});
