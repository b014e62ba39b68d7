import { mkdirSync, symlinkSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { createPlace, type Place } from "../e2e/kagurazaka.js";

/** A split that makes no sense: exit 2, nothing written, and a message that says what, where and what to do. */
interface Mistake {
  readonly title: string;
  readonly prepare?: (place: Place) => unknown;
  readonly args: readonly string[];
  readonly says: readonly RegExp[];
}

const into = ["in", "--into", "base"];
const inThree = (place: Place): Promise<unknown> => place.run(["split", ...into, "--shards", "3"]);

const mistakes: readonly Mistake[] = [
  {
    title: "all mistakes at once: no input, no base, a flag misspelt, a value that is none",
    args: ["--shrads=3", "--by", "teleport", "--max-size", "huge"],
    says: [
      /split needs INPUT_DIR/,
      /into is required/,
      /unknown flag --shrads\. Did you mean --shards, a flag of split\?/,
      /by must be one of link, copy, move, not "teleport"/,
      /max_size must be a size like/,
    ],
  },
  { title: "a word too many", args: [...into, "out", "--shards", "2"], says: [/unexpected argument "out"/] },
  { title: "a flag without its value", args: [...into, "--shards"], says: [/--shards needs a value/] },
  { title: "no size of the shards", args: into, says: [/into how many shards\?/, /--max-files 100k/] },
  {
    title: "a number of shards and how large one may be",
    args: [...into, "--shards", "2", "--max-size", "1GB"],
    says: [/--shards and --max-size exclude each other/],
  },
  {
    title: "a balance of shards that are filled",
    args: [...into, "--max-files", "10k", "--balance", "size"],
    says: [/--balance goes with --shards/],
  },
  {
    title: "no shards",
    args: [...into, "--shards", "0"],
    says: [/shards must be a whole number from 1 to 100000, not "0"/],
  },
  {
    title: "a count that is a size",
    args: [...into, "--max-files", "10MB"],
    says: [/max_files must be a whole number like "5000" or "100k", not "10MB"/],
  },
  {
    title: "an input that is not there",
    args: ["im", "--into", "base", "--shards", "2"],
    says: [/\[input-root\] the input im/],
  },
  {
    title: "the shards where the input is",
    args: ["in", "--into", "in", "--shards", "2"],
    says: [/the input in lies in in, where the shards go/],
  },
  { title: "the input below the shards", args: ["in/sub", "--into", ".", "--shards", "2"], says: [/lies in \./] },
  {
    title: "a name that is a path",
    args: [...into, "--shards", "2", "--name", "../x"],
    says: [/must be that of one directory, not "\.\.\/x"/],
  },
  {
    title: "a file larger than a shard may be",
    args: [...into, "--max-size", "10"],
    says: [/sub\/b\.txt alone has 20 bytes/, /Say a larger --max-size/],
  },
  {
    title: "a symbolic link to be moved",
    prepare: (place) => symlinkSync("a.txt", place.path("in/link.txt")),
    args: [...into, "--shards", "2", "--by", "move"],
    says: [/link\.txt is a symbolic link/, /--by copy/],
  },
  {
    title: "another number of shards than before",
    prepare: inThree,
    args: [...into, "--shards", "4"],
    says: [/another split of the name "in": it was --shards 3 and is --shards 4/, /kagurazaka-split\.json/],
  },
  {
    title: "another balance than before",
    prepare: inThree,
    args: [...into, "--shards", "3", "--balance", "size"],
    says: [/it was --shards 3 and is --shards 3 --balance size/],
  },
  {
    title: "another choice of files than before",
    prepare: inThree,
    args: [...into, "--shards", "3", "--exts", ".txt"],
    says: [/exts was \[\] and is \["\.txt"\]/],
  },
  {
    title: "another input of the same name",
    prepare: async (place) => {
      await inThree(place);
      place.write({ "other/in/c.txt": "c" });
    },
    args: ["other/in", "--into", "base", "--shards", "3"],
    says: [/input was ".*\/in" and is ".*\/other\/in"/],
  },
  {
    title: "another name in other shards",
    prepare: inThree,
    args: [...into, "--name", "two", "--shards", "4"],
    says: [/holds "in" in 3 shards; "two" would have 4/],
  },
  {
    title: "more shards than the names have digits for",
    prepare: async (place) => {
      for (let i = 0; i < 8; i++) place.write({ [`in/f${i}`]: "1" });
      await place.run(["split", ...into, "--max-files", "1"]);
      place.write({ "in/new.txt": "n" });
    },
    args: [...into, "--max-files", "1"],
    says: [/with the new files there would be 11 shards, and the existing ones are numbered for 10/],
  },
  {
    title: "a shard that is a link into the input",
    prepare: (place) => {
      mkdirSync(place.path("base"));
      symlinkSync("../in", place.path("base/1"));
    },
    args: [...into, "--name", "sub", "--shards", "2"],
    says: [/the shard .*base\/1\/sub is .*in\/sub, which overlaps the input/],
  },
];

describe.concurrent("a split that makes no sense", () => {
  for (const { title, prepare, args, says } of mistakes) {
    test(title, async () => {
      const place = createPlace({ "in/a.txt": "a", "in/sub/b.txt": "b".repeat(20) });
      await prepare?.(place);
      // The lease of a base that is there goes on counting.
      const seen = () => place.everything().filter((path) => !path.includes("/lease/"));
      const before = seen();
      const plans = () => Object.entries(place.files("base/.kagurazaka/split")).filter(([name]) => !name.includes("/"));
      const planned = plans();
      const { code, stdout, stderr } = await place.run(["split", ...args]);
      for (const text of says) expect(stderr).toMatch(text);
      expect(stderr).toMatch(/^error \[[\w-]+\] /m);
      expect(stderr, "a bare stack").not.toMatch(/^ {4,}at /m);
      expect([code, stdout]).toEqual([2, ""]);
      expect(seen(), "nothing is written").toEqual(before);
      expect(plans(), "a plan is as it was").toEqual(planned);
    });
  }
});
