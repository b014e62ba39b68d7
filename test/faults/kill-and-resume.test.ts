import { afterAll, beforeAll, expect, test } from "vitest";
import { overSeeds, report, seedsFrom } from "./harness/seeds.js";
import { openWorkplace, type Workplace } from "./harness/workplace.js";
import { killAndResume, killForced, makeReferences, type References, sumOf } from "./scenarios/kill-and-resume.js";

let workplace: Workplace;
let references: References;
beforeAll(async () => {
  workplace = openWorkplace("kill");
  references = await makeReferences(workplace.dir);
});
afterAll(() => workplace[Symbol.dispose]());

test("SIGKILL of the process group at random moments, then the same command: the tree of an undisturbed run, no key done twice", async () => {
  const seeds = seedsFrom(1, 30);
  const figures = sumOf(await overSeeds(seeds, 3, (dice) => killAndResume(dice, references)));
  report("kill and resume", { seeds: seeds.length, ...figures });
  // Most kills hit something: else this test proves nothing.
  expect(figures.kills).toBeGreaterThan(seeds.length * 0.8);
  expect(figures.redone).toBeGreaterThan(seeds.length / 2);
  // The items in flight, 12 slots at most, and a few milliseconds of outcomes.
  expect(figures.redone / figures.kills).toBeLessThan(16);
}, 180_000);

test("SIGKILL of a coordinator whose workers are processes: none of them is in the way of the same command", async () => {
  const options = { extra: ["--isolation", "process"] };
  const seeds = seedsFrom(101, 10);
  const figures = sumOf(await overSeeds(seeds, 2, (dice) => killAndResume(dice, references, options)));
  report("kill and resume, processes", { seeds: seeds.length, ...figures });
  expect(figures.kills).toBeGreaterThan(seeds.length * 0.8);
  expect(figures.redone).toBeGreaterThan(seeds.length / 4);
}, 120_000);

test("SIGKILL of a --force, resumed with and without --force: every output is of the new generation", async () => {
  const seeds = seedsFrom(1, 14);
  const figures = sumOf(await overSeeds(seeds, 3, (dice) => killForced(dice, references)));
  report("killed --force", { seeds: seeds.length, ...figures });
  expect(figures.kills).toBeGreaterThan(seeds.length / 2);
  expect(figures.redone).toBeGreaterThan(seeds.length / 2);
}, 120_000);
