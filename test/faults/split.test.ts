import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { overSeeds, report, seedsFrom } from "./harness/seeds.js";
import { mayMount, mountSmallDisk } from "./harness/small-disk.js";
import { openWorkplace, type Workplace } from "./harness/workplace.js";
import { fillSplit, killSplit, measure, SplitJob, type Way, ways, writeInput } from "./scenarios/split.js";

let workplace: Workplace;
beforeAll(() => {
  workplace = openWorkplace("split");
  writeInput(workplace.path("reference"));
});
afterAll(() => workplace[Symbol.dispose]());

const rules = [
  ["--shards", "3"],
  ["--shards", "12"],
  ["--shards", "4", "--balance", "size"],
  ["--max-files", "60"],
];

function openJob(name: string, way: Way, shards = rules[0]!, base = workplace.path(name, "base")): SplitJob {
  return new SplitJob(workplace.path(name), base, { way, shards, input: workplace.path("reference") });
}

describe.each(ways)("split, %s", (way) => {
  const isAcross = way === "move to another disk";
  const open = (dir: string) => (isAcross ? mountSmallDisk(dir, 64 << 10) : undefined);

  // Mounting another disk needs root on Linux.
  test.skipIf(isAcross && !mayMount)(
    "SIGKILL at random moments, new files in between, then the same command: each file whole in one shard, none lost",
    async () => {
      let workMs: number;
      {
        using _ = open(workplace.path(`measure-${way}`, "base"));
        workMs = await measure(openJob(`measure-${way}`, way));
      }
      const seeds = seedsFrom(1, isAcross ? 4 : 6);
      const all = await overSeeds(seeds, 2, async (dice) => {
        const name = `${way}-${dice.name}`;
        using _ = open(workplace.path(name, "base"));
        const figures = await killSplit(dice, openJob(name, way, rules[dice.seed % rules.length]), workMs);
        rmSync(workplace.path(name, "in"), { recursive: true, force: true });
        for (const shard of readdirSync(workplace.path(name, "base")))
          rmSync(workplace.path(name, "base", shard), { recursive: true, force: true });
        return figures;
      });
      const kills = all.reduce((sum, one) => sum + one.kills, 0);
      const within = all.reduce((sum, one) => sum + one.within, 0);
      report(`split, ${way}`, { seeds: seeds.length, kills, within, workMs });
      // Most kills hit something, and some of them in the middle: else this test proves nothing.
      expect(kills).toBeGreaterThan(seeds.length * 0.8);
      expect(within).toBeGreaterThan(seeds.length / 10);
    },
    180_000,
  );
});

describe("a disk without room", () => {
  for (const [title, way, kilobytes, rule] of [
    ["copies", "copy", 9000, 0],
    ["moves", "move to another disk", 9000, 0],
    ["a plan", "copy", 36, 2],
    ["directories", "copy", 60, 1],
  ] as const) {
    test.skipIf(!mayMount)(`${title}: one message, exit 7; with room the same command finishes`, async () => {
      const name = `full-${title}`;
      const base = workplace.path(name, "base");
      using disk = mountSmallDisk(base, kilobytes);
      const found = await fillSplit(openJob(name, way, rules[rule], base), () => disk.resize(64 << 10));
      if (kilobytes > 1000) expect(found).toBeGreaterThan(0);
      report(`split without room for ${title} (${join(name, "base")})`, { found });
    });
  }
});
