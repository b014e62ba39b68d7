import { afterAll, beforeAll, expect, test } from "vitest";
import { overSeeds, report, seedsFrom } from "./harness/seeds.js";
import { openWorkplace, type Workplace } from "./harness/workplace.js";
import { cutAndResume, type Recording, record, sumOf } from "./scenarios/power-loss.js";

let workplace: Workplace;
let plain: readonly Recording[];
let durable: readonly Recording[];
beforeAll(async () => {
  workplace = openWorkplace("power");
  const { dir } = workplace;
  const forced = { generation: 2, extra: ["--force"] };
  const waits = { extra: ["--durable"] };
  plain = [
    await record({ dir, name: "files", kind: "Files" }),
    await record({ dir, name: "folders", kind: "Folders" }),
    await record({ dir, name: "ledger-files", kind: "LedgerFiles" }),
    await record({ dir, name: "no-checkpoint", kind: "Files", everyMs: 60_000 }),
    await record({ dir, name: "forced", kind: "Files", first: {}, options: forced }),
  ];
  durable = [
    await record({ dir, name: "durable-files", kind: "Files", options: waits }),
    await record({ dir, name: "durable-folders", kind: "Folders", options: waits }),
    // Into directories that are there already.
    await record({
      dir,
      name: "durable-forced",
      kind: "Folders",
      first: {},
      options: { generation: 2, extra: ["--durable", "--force"] },
    }),
  ];
}, 120_000);
afterAll(() => workplace[Symbol.dispose]());

const overRecordings = (recordings: readonly Recording[], seeds: readonly number[], nextBoot?: string) =>
  overSeeds(seeds, 3, (dice) => cutAndResume(dice, recordings[dice.seed % recordings.length]!, nextBoot));

test("power loss at any step, then the same command: the tree of an undisturbed run, and nothing covered by a checkpoint is redone", async () => {
  const seeds = seedsFrom(1, 25);
  const figures = sumOf(await overRecordings(plain, seeds));
  report("power loss", { seeds: seeds.length, ...figures });
  // Otherwise the test proves nothing: there were checkpoints, and results after them.
  expect(figures.covered).toBeGreaterThan(seeds.length * 10);
  expect(figures.redone).toBeGreaterThan(seeds.length * 2);
}, 240_000);

test("--durable, power loss at any step: every key recorded has its whole output, and none is redone", async () => {
  const seeds = seedsFrom(101, 15);
  const figures = sumOf(await overRecordings(durable, seeds));
  report("power loss, --durable", { seeds: seeds.length, ...figures });
  expect(figures.recorded).toBeGreaterThan(seeds.length * 10);
  expect(figures.redone).toBe(0);
}, 240_000);

test("the cuts do harm: taken for a kill, which the same boot id says, they leave broken outputs behind", async () => {
  const broken = await overSeeds(seedsFrom(1, 8), 3, async (dice) => {
    try {
      await cutAndResume(dice, plain[dice.seed % plain.length]!, "boot-1");
      return 0;
    } catch (error) {
      expect((error as Error).message).toContain("the output tree differs");
      return 1;
    }
  });
  expect(broken.reduce<number>((sum, one) => sum + one, 0)).toBeGreaterThan(2);
}, 120_000);
