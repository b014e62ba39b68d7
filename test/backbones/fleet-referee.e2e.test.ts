import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { type FleetSuite, type It, testFleet } from "../../dist/src/testing.js";
import { openToyQueue } from "../fixtures/backbones/toy-queue.js";

/** The suite itself: a fleet that does wrong must not pass. */
async function failuresOf(name: string, only: RegExp, openQueue: FleetSuite["openQueue"]): Promise<string[]> {
  const cases: { title: string; body: () => Promise<void> }[] = [];
  const it: It = Object.assign((title: string, body: () => Promise<void>) => void cases.push({ title, body }), {
    skip() {},
  });
  testFleet({ it, module: fileURLToPath(new URL(`../fixtures/backbones/${name}.ts`, import.meta.url)), openQueue });
  const failed: string[] = [];
  for (const { title, body } of cases.filter(({ title }) => only.test(title)))
    await body().catch(() => failed.push(title));
  return failed;
}

test("outcomes that a dead coordinator left and the fleet forgets are caught", async () => {
  expect(await failuresOf("forgetful-fleet", /dead coordinator|chunks go over/, () => openToyQueue())).toEqual([
    expect.stringContaining("dead coordinator"),
  ]);
});

test("a queue that hands chunks out twice is caught", async () => {
  const failed = await failuresOf("toy-fleet", /chunks go over/, () => openToyQueue({ twice: true }));
  expect(failed).toEqual([expect.stringContaining("every item is started once")]);
});

test("items of a lost node that no other node gets are caught", async () => {
  const failed = await failuresOf("toy-fleet", /killed costs|joins late/, () => openToyQueue({ losesItems: true }));
  expect(failed).toEqual([expect.stringContaining("killed costs")]);
});
