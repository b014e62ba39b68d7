import { describe, expect, test } from "vitest";
import { sleep } from "./harness/command.js";
import { FleetUnderTest, nowMs } from "./harness/fleet.js";
import { type Dice, overSeeds, report, seedsByHand, seedsFrom } from "./harness/seeds.js";

interface Figures {
  kills: number;
  recoveries: readonly number[];
  afterKillMs: number;
}

type Victims = readonly ("node" | "coordinator")[];

/** Kills at random moments; a coordinator that was killed is started again by the same command. */
async function killed(dice: Dice, choices: readonly Victims[]): Promise<Figures> {
  await using fleet = await FleetUnderTest.open({ task: dice.pick(["Pages", "Rows"]), items: 240 });
  const redisFirst = dice.chance(0.5);
  if (redisFirst) fleet.keepNodes(2);
  let coordinator = fleet.coordinator();
  if (!redisFirst) fleet.keepNodes(2);
  let kills = 0;
  let killedMs = 0;
  for (let i = dice.integer(1, 3); i > 0; i--) {
    await fleet.begun(dice.integer(1, 160), coordinator);
    await sleep(dice.number(300));
    for (const victim of dice.pick(choices)) {
      if (victim === "node" && fleet.nodes.length > 0) {
        await fleet.kill(dice.pick(fleet.nodes), dice.chance(0.5));
        kills++;
      }
      if (victim === "coordinator" && coordinator.alive) {
        await fleet.kill(coordinator, dice.chance(0.5));
        kills++;
        await sleep(dice.pick([0, 0, 500, 3000]));
        coordinator = fleet.coordinator();
      }
      killedMs = nowMs();
    }
  }
  const last = await coordinator.ended;
  const afterKillMs = nowMs() - killedMs;
  await fleet.check(last);
  return { kills, recoveries: fleet.recoveries(), afterKillMs };
}

async function overKills(name: string, seeds: readonly number[], choices: readonly Victims[]): Promise<void> {
  const all = await overSeeds(seeds, 2, (dice) => killed(dice, choices));
  const recoveries = all.flatMap((one) => one.recoveries);
  const kills = all.reduce((sum, one) => sum + one.kills, 0);
  report(name, {
    seeds: seeds.length,
    kills,
    "items begun again": recoveries.length,
    "longest until begun elsewhere, ms": Math.max(0, ...recoveries),
    "longest from the last kill to the end, ms": Math.max(...all.map((one) => one.afterKillMs)),
  });
  expect(kills).toBeGreaterThan(seeds.length * 0.8);
  expect(Math.max(0, ...recoveries)).toBeLessThan(30_000);
}

const minutes = 60_000;
describe.concurrent("SIGKILL at random moments: nothing is lost, nothing is done twice, and the last command ends well", () => {
  test(
    "of nodes, which a supervisor starts again",
    () => overKills("nodes killed", seedsByHand(seedsFrom(1, 2)), [["node"]]),
    30 * minutes,
  );

  test(
    "of the coordinator; the same command takes over",
    () => overKills("coordinators killed", seedsByHand(seedsFrom(101, 2)), [["coordinator"]]),
    30 * minutes,
  );

  test(
    "of nodes and coordinators",
    () =>
      overKills("both killed", seedsByHand(seedsFrom(201, 2)), [
        ["node"],
        ["coordinator"],
        ["node", "coordinator"],
        ["coordinator", "node"],
      ]),
    30 * minutes,
  );
});
