import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { counts, createPlace, type Place, taskFile } from "../e2e/kagurazaka.js";
import { until } from "./harness/command.js";
import { doneTwice, leftovers, listFiles, readLedger, readNotes } from "./harness/disk.js";
import { fillDisk } from "./harness/filler.js";
import { report } from "./harness/seeds.js";
import { mayMount, mountSmallDisk } from "./harness/small-disk.js";
import { openWorkplace, type Workplace } from "./harness/workplace.js";
import { fillAndResume } from "./scenarios/full-disk.js";
import { Job } from "./scenarios/jobs.js";
import { checkOutOfRoom, checkWholeFiles } from "./scenarios/out-of-room.js";

const notBecause = mayMount ? "" : " (skipped: mounting a small disk takes root on Linux)";
const describeMounted = describe.skipIf(!mayMount);

describeMounted(`one of several hard shards on a disk without room${notBecause}`, () => {
  const shards = ["0", "1", "2"];
  const perShard = 16;
  const textOf = (shard: string, i: number): string => `${shard}x${i} `.repeat(4000);
  const texts = (): Record<string, string> =>
    Object.fromEntries(
      shards.flatMap((shard) =>
        Array.from({ length: perShard }, (_, i) => [`data/${shard}/texts/${i % 3}/${i}.txt`, textOf(shard, i)]),
      ),
    );
  const mixin =
    'hard_shard_mode={use: HardShardModeV1, base_input_path: data, base_output_path: made, input_name: texts, output_name: loud, shard_idx: "0-2"}';
  const args = [taskFile("files.ts"), "Shout", "--json", "--num_process", "2", "--mixin", mixin];
  const whole = (place: Place, shard: string): number =>
    checkWholeFiles(place.path("made", shard, "loud"), (path) =>
      textOf(shard, Number(/(\d+)\.txt/.exec(path)![1])).toUpperCase(),
    );

  // The log and the name of the run belong to the first one.
  test.each(["0", "1"])(
    "shard %s stops alone, with a warning; the others finish; with room it does its rest",
    async (small) => {
      const place = createPlace(texts());
      using disk = mountSmallDisk(place.path("made", small), 160);
      const stopped = await place.run(args);
      checkOutOfRoom(stopped);
      const warning = stopped.stderr.match(/^.*the other shards go on.*$/gm) ?? [];
      expect(warning, stopped.stderr).toHaveLength(1);
      expect(warning[0]).toMatch(new RegExp(`warning .*data/${small}/texts: .*(no space is left|ENOSPC)`));
      const found = whole(place, small);
      expect(found).toBeGreaterThan(0);
      expect(found).toBeLessThan(perShard);
      for (const shard of shards) if (shard !== small) expect(whole(place, shard)).toBe(perShard);
      expect(stopped.json.counts.done).toBe(2 * perShard + found);
      expect(stopped.json.counts.failed).toBe(0);
      disk.resize(4096);
      const again = await place.run(args);
      expect(again.code, again.stderr).toBe(0);
      expect(again.json.counts).toEqual(counts({ done: perShard - found, skipped: 2 * perShard + found }));
      expect(whole(place, small)).toBe(perShard);
      expect(leftovers(...shards.map((shard) => place.path("made", shard)))).toEqual([]);
      report(`full disk of shard ${small} of 3`, { found });
    },
  );

  test("full before it begins: one message, exit 7, and nothing runs in any shard", async () => {
    const place = createPlace(texts());
    using disk = mountSmallDisk(place.path("made/1"), 64);
    {
      using _ = fillDisk(disk.dir);
      checkOutOfRoom(await place.run(args));
      for (const shard of shards) expect(whole(place, shard)).toBe(0);
    }
    disk.resize(4096);
    expect((await place.run(args)).json.counts).toEqual(counts({ done: 3 * perShard }));
  });
});

describeMounted(`ledger compact on a disk without room${notBecause}`, () => {
  const names = Array.from({ length: 300 }, (_, i) => `in/directory-${i % 7}/a-long-name-of-a-file-${i}.txt`);
  const run = (place: Place, ...more: string[]) =>
    place.run([
      taskFile("files.ts"),
      "Shout",
      "--json",
      "--in",
      "in",
      "--out",
      "out",
      "--run-dir",
      "state",
      "--num_process",
      "2",
      ...more,
    ]);
  const ledgerBytes = (place: Place): Record<string, string> => {
    const dir = place.path("state/Shout/ledger");
    return Object.fromEntries(
      readdirSync(dir)
        .sort()
        .map((name) => [name, readFileSync(join(dir, name), "utf8")]),
    );
  };

  // None at all: the lease finds none. Some: the new file does, at its first byte or in its middle.
  test.each([0, 4, 8, 12, 16])(
    "%i KB left: one message, exit 7, the old ledger as it was; with room it works",
    async (room) => {
      const place = createPlace(Object.fromEntries(names.map((name) => [name, name])));
      using disk = mountSmallDisk(place.path("state"), 4096);
      for (const more of [[], ["--force"], ["--force", "new"]]) {
        const { code, stderr } = await run(place, ...more);
        expect(code, stderr).toBe(0);
      }
      const before = ledgerBytes(place);
      expect(Object.keys(before)).toHaveLength(3);
      const finished = readLedger(place.path("state/Shout/ledger")).finished();
      expect(finished.size).toBe(names.length);
      const compact = () => place.run(["ledger", "compact", "state/Shout"]);
      {
        using _ = fillDisk(disk.dir, room);
        const message = checkOutOfRoom(await compact());
        expect(message).toContain(room < 4 ? "lease" : "state/Shout/ledger/compacted-");
        expect(ledgerBytes(place)).toEqual(before);
      }
      const { code, stdout, stderr } = await compact();
      expect(code, stderr).toBe(0);
      expect(stdout).toContain("is compacted");
      expect(Object.keys(ledgerBytes(place))).toHaveLength(1);
      expect(readLedger(place.path("state/Shout/ledger")).finished()).toEqual(finished);
      expect((await run(place)).json.counts).toEqual(counts({ skipped: names.length }));
    },
  );
});

describeMounted(`a run at work when others fill its disk${notBecause}`, () => {
  let workplace: Workplace;
  beforeAll(() => {
    workplace = openWorkplace("disk-wide");
  });
  afterAll(() => workplace[Symbol.dispose]());
  const openJob = (name: string): Job => {
    const job = new Job(workplace.path(name), "LedgerFiles", workplace.path("cache"));
    job.writeInput(300);
    return job;
  };

  /** Checkpoints as frequent as outcomes: they use up the free space, as does the journal of items in flight. */
  const frequent = {
    nodeArgs: ["--import", new URL("../fixtures/checkpoints.mjs", import.meta.url).pathname],
    env: { CHECKPOINT_TIMES: JSON.stringify({ everyMs: 10, worthMs: 0 }), FAULTS_SLEEP_MS: "20" },
  };

  test.each([20, 60, 100])(
    "run directory full after %i items, while checkpoints and the in-flight journal are written: one message, nothing recorded is lost",
    async (items) => {
      const reference = openJob(`reference-${items}`);
      await reference.run({ env: { FAULTS_SLEEP_MS: "1" } });
      const job = openJob(`checkpoints-${items}`);
      using disk = mountSmallDisk(join(job.dir, "state"), 4096);
      const stateDir = join(disk.dir, "LedgerFiles");
      const said = { ...frequent, extra: ["--run-dir", disk.dir] };
      const run = job.start(said);
      await until("a few items have begun", () => readNotes(run.notes).length >= items || !run.alive);
      const isTracked = listFiles(stateDir).some((path) => path.startsWith("under-way/"));
      const filler = fillDisk(disk.dir);
      checkOutOfRoom(await run.ended);
      filler[Symbol.dispose]();
      expect(new Set(readNotes(run.notes)).size, "it stopped at once").toBeLessThan(300);
      const checkpoints = ledgerText(stateDir).filter((line) => line.includes('"sync"')).length;
      const before = job.ledger(stateDir).finished();
      const again = await job.run(said);
      expect(again.code, again.stderr).toBe(3);
      for (const key of again.starts) expect(before.has(key), `${key} was recorded and is done again`).toBe(false);
      expect([...job.tree()]).toEqual([...reference.tree()]);
      expect(job.leftovers()).toEqual([]);
      expect(doneTwice(job.ledger(stateDir).outcomes)).toEqual([]);
      expect(listFiles(stateDir).filter((path) => path.startsWith("under-way/"))).toEqual([]);
      expect(isTracked).toBe(true);
      expect(checkpoints).toBeGreaterThan(0);
      report(`run directory full after ${items} items`, { recorded: before.size, checkpoints });
    },
  );

  test("where only the in-flight journal cannot be written, the run goes on without it", async () => {
    const job = openJob("under-way");
    const stateDir = join(job.dir, "state", "LedgerFiles");
    using disk = mountSmallDisk(join(stateDir, "under-way"), 4);
    using _ = fillDisk(disk.dir);
    const run = job.start({ extra: ["--run-dir", join(job.dir, "state")], env: { FAULTS_SLEEP_MS: "2" } });
    await until("it is tried", () => listFiles(disk.dir).some((path) => path !== "filler") || !run.alive);
    expect(run.alive).toBe(true);
    const { code, stderr } = await run.ended;
    expect(code, stderr).toBe(3);
    expect(job.ledger(stateDir).finished().size).toBe(299);
    expect(listFiles(disk.dir)).toEqual(["filler"]);
  });

  const ledgerText = (stateDir: string): string[] =>
    readdirSync(join(stateDir, "ledger")).flatMap((name) =>
      readFileSync(join(stateDir, "ledger", name), "utf8").split("\n"),
    );

  test.each(["thread", "process"])(
    "output root full, each worker a %s: one message, exit 7; with room the same command finishes",
    async (isolation) => {
      const reference = openJob(`reference-${isolation}`);
      await reference.run({ env: { FAULTS_SLEEP_MS: "1" } });
      const job = openJob(`output-${isolation}`);
      using disk = mountSmallDisk(job.out, 600);
      const options = { extra: ["--isolation", isolation], roomKilobytes: 16_384 };
      const figures = await fillAndResume(job, disk, reference.tree(), options);
      expect(figures.finishedBefore).toBeGreaterThan(0);
      report(`output root full, each worker a ${isolation}`, { ...figures });
    },
  );
});

describeMounted(`lines from a pipe while the disk is full${notBecause}`, () => {
  // As long as makes a ledger of several pages.
  const lines = Array.from({ length: 200 }, (_, i) => `line-${i}-${"of-a-list-".repeat(10)}`);
  const textOf = (line: string): string => `${line}\n`.repeat(20);
  const into = ["--lines", "-", "--out", "out", "--run-dir", "state", "--stdout-to", "output"];
  const named = ["--mixin", "input_mode.as=text", "input_mode.key_field=line", "output_mode.pattern={key}.txt"];
  const program = ["awk", "BEGIN { for (i = 0; i < 20; i++) print ARGV[1] }", "{line}"];
  const args = ["@exec", "--json", ...into, ...named, "--", ...program];
  const wanted = (path: string): string => textOf(path.replace(/\.txt$/, ""));
  const made = (place: Place): number => checkWholeFiles(place.path("out"), wanted);

  test.each([
    ["output root", "out"],
    ["ledger", "state"],
  ])(
    "%s: it ends though the pipe is open; what was not recorded is run when the list is given again",
    async (what, dir) => {
      const place = createPlace({});
      using disk = mountSmallDisk(place.path(dir), 1024);
      const running = place.pipe(args);
      running.child.stdin!.write(lines.slice(0, 190).join("\n"));
      await until(
        "some are there",
        () => listFiles(place.path("out")).filter((path) => path.endsWith(".txt")).length > 20,
      );
      let stopped: Awaited<typeof running.ended>;
      {
        using _ = fillDisk(disk.dir);
        stopped = await running.ended;
      }
      checkOutOfRoom(stopped);
      const found = made(place);
      expect(found).toBeLessThan(190);
      disk.resize(8192);
      const again = await place.pipe(args, `${lines.join("\n")}\n`).ended;
      expect(again.code, again.stderr).toBe(0);
      expect(again.json.counts).toEqual(counts({ done: lines.length - found, skipped: found }));
      expect(made(place)).toBe(lines.length);
      expect(leftovers(place.path("out"), place.path("state"))).toEqual([]);
      report(`lines from a pipe, disk of the ${what} full`, { found, failed: stopped.json.counts.failed });
    },
  );
});
