import { execFileSync, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { openLease } from "../../dist/src/runner/lease/index.js";
import { createPlace, type Ended, type Place } from "./kagurazaka.js";

/** 61 files of 1 to 61 bytes in four directories. */
function texts(): Record<string, string> {
  const files: Record<string, string> = { "in/größe ü.txt": "ü", "in/a/b/c/deep.md": "deep" };
  for (let i = 1; i < 60; i++) files[`in/${["", "a/", "a/b/", "z.d/"][i % 4]}f${i}.txt`] = "x".repeat(i);
  return files;
}

interface Shown {
  readonly shards: readonly { readonly name: string; readonly files: number; readonly bytes: number }[];
  readonly mixin: string;
  readonly placed: number;
  readonly there: number;
  readonly [field: string]: unknown;
}
const shown = (ended: Ended): Shown => {
  expect(ended.code, ended.stderr).toBe(0);
  return ended.json as unknown as Shown;
};
const shardsIn = (place: Place, base = "base"): string[] =>
  readdirSync(place.path(base)).filter((name) => /^\d+$/.test(name));
/** Key → shards that have it. */
function whereabouts(place: Place, base = "base", name = "in"): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const shard of shardsIn(place, base))
    for (const key of Object.keys(place.files(join(base, shard, name)))) found[key] = [...(found[key] ?? []), shard];
  return found;
}
/** Everything in the shards, by key; each key in one shard alone. */
function union(place: Place, base = "base", name = "in"): Record<string, string> {
  for (const [key, shards] of Object.entries(whereabouts(place, base, name))) expect(shards, key).toHaveLength(1);
  return Object.assign({}, ...shardsIn(place, base).map((shard) => place.files(join(base, shard, name))));
}
const inputOf = (files: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(files).map(([path, text]) => [path.slice(3), text]));

/** A file system beside the one of the tests, where the machine has one. */
const otherDisk = ["/dev/shm", "/tmp"].find(
  (dir) => existsSync(dir) && statSync(dir).dev !== statSync(createPlace().dir).dev,
);

/** Writes down, in order, what brings files to disk, gives them names and removes them. */
const watcher = `
const fs = require("node:fs");
const { appendFileSync, openSync, fsyncSync, renameSync, unlinkSync } = fs;
const paths = new Map();
const say = (...words) => appendFileSync(process.env.WATCH, words.join("\\t") + "\\n");
fs.openSync = (path, ...rest) => { const fd = openSync(path, ...rest); paths.set(fd, path); return fd; };
fs.fsyncSync = (fd) => { fsyncSync(fd); say("sync", paths.get(fd)); };
fs.renameSync = (from, to) => { renameSync(from, to); say("rename", from, to); };
fs.unlinkSync = (path) => { unlinkSync(path); say("unlink", path); };
require("node:module").syncBuiltinESMExports();
`;

describe.concurrent("split", () => {
  for (const by of ["link", "copy", "move"] as const) {
    test(`--by ${by}: every file in one shard under its key, and a second time nothing to do`, async () => {
      const place = createPlace(texts());
      utimesSync(place.path("in/f4.txt"), 1_600_000_000, 1_500_000_000.125);
      const inode = statSync(place.path("in/f4.txt")).ino;
      const args = ["split", "in", "--into", "base", "--shards", "4", "--by", by, "--json"];
      const first = shown(await place.run(args));
      expect(first).toMatchObject({ placed: 61, there: 0, name: "in", base: place.path("base") });
      expect(union(place)).toEqual(inputOf(texts()));
      expect(shardsIn(place)).toEqual(["0", "1", "2", "3"]);
      for (const { name, files, bytes } of first.shards) {
        const here = Object.values(place.files(`base/${name}/in`));
        expect([files, bytes]).toEqual([here.length, Buffer.byteLength(here.join(""))]);
      }
      expect(place.files("in")).toEqual(by === "move" ? {} : inputOf(texts()));
      const target = statSync(place.path("base", whereabouts(place)["f4.txt"]![0]!, "in/f4.txt"));
      expect(target.mtimeMs).toBe(1_500_000_000_125);
      expect(target.ino === inode).toBe(by !== "copy");
      const before = place.everything();
      const again = await place.run(args);
      expect(shown(again)).toEqual({ ...first, placed: 0, there: 61 });
      expect(again.stderr).toContain("nothing to do: all 61 files are in their shards");
      expect(place.everything().filter((path) => !path.includes("/lease/"))).toEqual(
        before.filter((path) => !path.includes("/lease/")),
      );
      expect(
        before.filter((path) => path.includes(".kagurazaka/") && !path.startsWith("base/.kagurazaka/")),
        "staging is gone",
      ).toEqual([]);
    });
  }

  test("by size the shards differ by no more than the largest file", async () => {
    const place = createPlace({ ...texts(), "in/a/large.bin": "y".repeat(400) });
    const { shards } = shown(await place.run(["split", "in", "--into=base", "--shards=5", "--balance=size", "--json"]));
    const bytes = shards.map((shard) => shard.bytes);
    expect(Math.max(...bytes) - Math.min(...bytes)).toBeLessThanOrEqual(400 + 62);
    expect(union(place)).toEqual({ ...inputOf(texts()), "a/large.bin": "y".repeat(400) });
  });

  test("--max-files and --max-size fill one shard after the other, in the order of the walk", async () => {
    const place = createPlace(texts());
    const some = shown(await place.run(["split", "in", "--into", "base", "--maxFiles", "25", "--json"]));
    expect(some.shards.map(({ files }) => files)).toEqual([25, 25, 11]);
    const walk = Object.keys(whereabouts(place)).filter((key) => !key.includes("/"));
    expect(walk.map((key) => whereabouts(place)[key]![0]).every((shard) => shard === "0")).toBe(true);
    const sized = shown(await place.run(["split", "in", "--into", "sized", "--max_size", "0.3KB", "--json"]));
    for (const { bytes } of sized.shards) expect(bytes).toBeLessThanOrEqual(300);
    expect(union(place, "sized")).toEqual(inputOf(texts()));
  });

  test("ten shards are 0 to 9, twelve are 00 to 11, and those without a file are there too", async () => {
    const place = createPlace({ "in/a.txt": "a" });
    const of = (count: string, into: string) => place.run(["split", "in", "--into", into, "--shards", count, "--json"]);
    expect(
      shown(await of("10", "ten"))
        .shards.map(({ name }) => name)
        .join(" "),
    ).toBe("0 1 2 3 4 5 6 7 8 9");
    const twelve = shown(await of("12", "twelve"));
    expect(twelve.shards.map(({ name }) => name)).toEqual(shardsIn(place, "twelve"));
    expect(twelve.mixin).toContain('shard_idx: "00-11"');
    for (const shard of shardsIn(place, "twelve")) expect(existsSync(place.path("twelve", shard, "in"))).toBe(true);
  });

  test("--dry-run shows the table of what then happens and writes nothing", async () => {
    const place = createPlace(texts());
    const before = place.everything();
    for (const how of [
      ["--shards", "3"],
      ["--shards", "3", "--balance", "size"],
      ["--max-files", "7"],
    ]) {
      const args = ["split", "in", "--into", `base-${how.join("")}`, ...how];
      const dry = await place.run([...args, "--dry-run"]);
      expect([dry.code, dry.stderr]).toEqual([0, ""]);
      const planned = shown(await place.run([...args, "--dry-run", "--json"]));
      expect(place.everything()).toEqual(before);
      const done = shown(await place.run(args.concat("--json")));
      expect(planned).toEqual(done);
      for (const { name, files } of done.shards) expect(dry.stdout).toMatch(new RegExp(`^ +${name} +${files} `, "m"));
      expect(shown(await place.run([...args, "--dry-run", "--json"]))).toMatchObject({ placed: 0, there: 61 });
      execFileSync("rm", ["-rf", place.path(args[3]!)]);
    }
  });

  test("the words it prints read every shard back, and all together are the input", async () => {
    const place = createPlace(texts());
    const { stderr } = await place.run(["split", "in", "--into", "ba'se", "--shards", "3", "--name", "te xts"]);
    const printed = /read them back: {2}(--mixin .*)$/m.exec(stderr)![1]!;
    const { stdout } = spawnSync("sh", ["-c", `printf '%s\\n' ${printed}`], { encoding: "utf8" });
    const [flag, value, ...rest] = stdout.split("\n");
    expect([flag, rest]).toEqual(["--mixin", [""]]);
    expect(value).toContain('shard_idx: "0-2"');
    const keys: string[] = [];
    for (const shard of ["0", "1", "2"]) {
      const mixin = value!.replace('"0-2"', `"${shard}"`);
      const ended = await place.run([
        "@checksum",
        "--json",
        "--progress",
        "none",
        "--mixin",
        mixin,
        "input_mode.exts=",
      ]);
      expect(ended.code, ended.stderr).toBe(0);
      keys.push(...Object.keys(place.files(`ba'se/${shard}/te xts-out`)).map((key) => key.replace(/\.checksum$/, "")));
    }
    expect(keys.toSorted()).toEqual(Object.keys(inputOf(texts())).toSorted());
  });

  for (const how of [
    ["--shards", "3"],
    ["--shards", "3", "--balance", "size"],
    ["--max-files", "40"],
  ]) {
    test(`${how.join(" ")}: files that come later join, and none that is there changes its shard`, async () => {
      const place = createPlace(texts());
      const args = ["split", "in", "--into", "base", ...how, "--json"];
      await place.run(args);
      const before = whereabouts(place);
      place.write({ "in/a/aaa.txt": "new", "in/0/first.txt": "new", "in/zz/last.txt": "new" });
      expect(shown(await place.run(args))).toMatchObject({ placed: 3, there: 61 });
      expect(whereabouts(place)).toMatchObject(before);
      expect(Object.keys(union(place))).toHaveLength(64);
    });
  }

  test("--exts, --only and --hidden choose; what is left out for another reason is counted", async () => {
    const place = createPlace({ ...texts(), "in/.dot/x.txt": "x", "in/.y.md": "y" });
    symlinkSync("nowhere", place.path("in/dangling"));
    symlinkSync("a", place.path("in/way"));
    symlinkSync("f4.txt", place.path("in/to-file.md"));
    const all = await place.run(["split", "in", "--into", "all", "--shards", "2", "--json"]);
    expect(shown(all)).toMatchObject({
      placed: 62,
      passedOver: expect.arrayContaining([
        { why: "hidden", count: 2, first: ".dot" },
        { why: "a symbolic link to nothing", count: 1, first: "dangling" },
        { why: "a symbolic link to a directory", count: 1, first: "way" },
      ]),
    });
    expect(all.stderr).toMatch(/left out +2 {2}hidden \(--hidden takes them\): \.dot …/);
    expect(union(place, "all")["to-file.md"], "the file behind the link, not the link").toBe("xxxx");
    const some = [
      "split",
      "--into",
      "some",
      "--shards",
      "2",
      "--hidden",
      "--json",
      "--only",
      ".*",
      "--only",
      "**/deep*",
    ];
    expect(shown(await place.run([...some, "--exts", ".md", ".txt", "in"]))).toMatchObject({ placed: 2 });
    expect(Object.keys(union(place, "some")).toSorted()).toEqual([".y.md", "a/b/c/deep.md"]);
  });

  test("another file under the name stays as it is: exit 3, both named, all others placed", async () => {
    const place = createPlace(texts());
    const args = ["split", "in", "--into", "base", "--shards", "2", "--by", "copy"];
    await place.run(args);
    const there = join("base", whereabouts(place)["a/f1.txt"]![0]!, "in/a/f1.txt");
    place.write({ [there]: "mine", "in/new.txt": "new" });
    const { code, stderr } = await place.run(args);
    expect(code).toBe(3);
    expect(stderr).toMatch(
      /failed +1\n +a\/f1\.txt: .*in\/a\/f1\.txt is there with other content \(4 bytes of .*\/in\/a\/f1\.txt has 1 bytes of /,
    );
    expect(place.read(there)).toBe("mine");
    expect(union(place)).toEqual({ ...inputOf(texts()), "a/f1.txt": "mine", "new.txt": "new" });
  });

  test("moving never removes a file whose namesake only looks the same", async () => {
    const place = createPlace(texts());
    await place.run(["split", "in", "--into", "base", "--shards", "2", "--by", "copy"]);
    const there = place.path("base", whereabouts(place)["a/f5.txt"]![0]!, "in/a/f5.txt");
    const { atime, mtime } = statSync(there);
    writeFileSync(there, "XXXXX");
    utimesSync(there, atime, mtime);
    const { code, stderr } = await place.run(["split", "in", "--into", "base", "--shards", "2", "--by", "move"]);
    expect([code, stderr]).toEqual([3, expect.stringContaining("though of the same size and time")]);
    expect(place.files("in")).toEqual({ "a/f5.txt": "xxxxx" });
  });

  test.skipIf(!otherDisk)(
    "moving to another disk removes nothing before the copy and its name are on disk",
    async () => {
      const place = createPlace({ ...texts(), "watch.cjs": watcher });
      const disk = mkdtempSync(join(otherDisk!, "kagurazaka-split-"));
      try {
        symlinkSync(disk, place.path("base"));
        const args = ["split", "in", "--into", "base", "--shards", "2", "--by", "move", "--json"];
        const watched = { NODE_OPTIONS: `--require ${place.path("watch.cjs")}`, WATCH: place.path("calls") };
        expect(shown(await place.run(args, watched))).toMatchObject({ placed: 61, there: 0 });
        // As if the first command had been killed before it removed them.
        place.write({ "in/f4.txt": "x".repeat(4) });
        const target = place.path("base", whereabouts(place)["f4.txt"]![0]!, "in/f4.txt");
        utimesSync(place.path("in/f4.txt"), statSync(target).atime, statSync(target).mtime);
        expect(shown(await place.run(args, watched))).toMatchObject({ placed: 0, there: 61 });
        expect(union(place)).toEqual(inputOf(texts()));
        expect(place.files("in")).toEqual({});

        const calls = place
          .read("calls")
          .trim()
          .split("\n")
          .map((line) => line.split("\t"));
        const synced = new Set<string>();
        const placed = new Map<string, string>();
        const removed: string[] = [];
        for (const [call, path, to] of calls) {
          if (call === "sync") synced.add(path!);
          if (call === "rename" && to!.includes("/in/")) {
            expect(synced.delete(path!), `${to} got its name before its bytes were on disk`).toBe(true);
            synced.delete(dirname(to!));
            placed.set(to!.replace(/^.*?\/[01]\/in\//, ""), to!);
          }
          const key =
            call === "unlink" && path!.startsWith(place.path("in/")) ? path!.slice(place.path("in/").length) : "";
          if (key === "") continue;
          removed.push(key);
          expect(synced.has(dirname(placed.get(key)!)), `${key} went before its directory was on disk`).toBe(true);
          if (removed.length > 61)
            expect(synced.has(placed.get(key)!), "nor is the copy of a dead split trusted").toBe(true);
        }
        expect(removed).toHaveLength(62);
      } finally {
        rmSync(disk, { recursive: true });
      }
    },
  );

  test.skipIf(process.platform !== "linux")("a name that is not UTF-8 is reported, not lost: exit 3", async () => {
    const place = createPlace(texts());
    writeFileSync(Buffer.concat([Buffer.from(place.path("in/a/")), Buffer.from([0x66, 0xff, 0x2e, 0x74])]), "latin");
    for (const how of [
      ["--shards", "2"],
      ["--max-files", "30"],
    ]) {
      const { code, stderr } = await place.run(["split", "in", "--into", `base${how[1]}`, ...how]);
      expect(code).toBe(3);
      expect(stderr).toMatch(/failed +1\n +a\/f\ufffd\.t: its name is not valid UTF-8/);
      expect(union(place, `base${how[1]}`)).toEqual(inputOf(texts()));
    }
  });

  test("a shard may be a link to another disk; a directory inside may not", async () => {
    const place = createPlace(texts());
    mkdirSync(place.path("base"));
    for (const shard of ["0", "1"]) {
      mkdirSync(place.path(`disk${shard}`));
      symlinkSync(`../disk${shard}`, place.path("base", shard));
    }
    mkdirSync(place.path("disk1/in"));
    symlinkSync("/tmp", place.path("disk1/in/a"));
    const args = ["split", "in", "--into", "base", "--shards", "2", "--by", "copy"];
    const { code, stderr } = await place.run(args);
    expect(code).toBe(3);
    expect(stderr).toMatch(/base\/1\/in\/a is a symbolic link and should be a directory/);
    execFileSync("rm", [place.path("disk1/in/a")]);
    expect((await place.run(args)).code).toBe(0);
    expect({ ...place.files("disk0/in"), ...place.files("disk1/in") }).toEqual(inputOf(texts()));
  });

  test("shards below the input are left out of it", async () => {
    const place = createPlace(texts());
    for (const _ of [1, 2]) await place.run(["split", "in", "--into", "in/shards", "--shards", "2"]);
    expect(union(place, "in/shards")).toEqual(inputOf(texts()));
  });

  test("two names share a base; the way may change", async () => {
    const place = createPlace({ ...texts(), "captions/a.txt": "a" });
    const split = (input: string, by: string) =>
      place.run(["split", input, "--into", "base", "--shards", "2", "--by", by, "--json"]);
    expect(shown(await split("in", "link"))).toMatchObject({ placed: 61 });
    expect(shown(await split("captions", "link"))).toMatchObject({ placed: 1, name: "captions" });
    expect(shown(await split("in", "copy"))).toMatchObject({ placed: 0, there: 61 });
    expect(shown(await split("in", "move"))).toMatchObject({ there: 61 });
    expect(place.files("in")).toEqual({});
    place.write({ "in/late.txt": "late" });
    expect(shown(await split("in", "link"))).toMatchObject({ placed: 1, there: 61 });
    expect(union(place)).toEqual({ ...inputOf(texts()), "late.txt": "late" });
    expect(union(place, "base", "captions")).toEqual({ "a.txt": "a" });
  });

  test("while another split works on the base it is refused: exit 6", async () => {
    const place = createPlace(texts());
    const dir = place.path("base/.kagurazaka/split/lease");
    await using _ = await openLease({ dir, partition: { soft: [], hash: null }, run: "split" });
    const { code, stderr } = await place.run(["split", "in", "--into", "base", "--shards", "2"]);
    expect([code, stderr]).toEqual([6, expect.stringMatching(/\[root-in-use\][\s\S]*give the same command again/)]);
    expect(shardsIn(place)).toEqual([]);
  });

  test("-h shows its flags, and -hk the command", async () => {
    const place = createPlace();
    const { stdout, code } = await place.run(["split", "-h"]);
    expect(code).toBe(0);
    for (const flag of ["--into", "--shards", "--max-files", "--max-size", "--balance", "--by", "--dry-run", "--only"])
      expect(stdout).toContain(`\n  ${flag} `);
    expect((await place.run(["-hk"])).stdout).toMatch(/^ {2}split +/m);
  });
});
