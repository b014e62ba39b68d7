import { describe, expect, test } from "vitest";
import { sleep } from "./harness/command.js";
import { FleetUnderTest, nowMs } from "./harness/fleet.js";
import { type Dice, overSeeds, report, seedsByHand, seedsFrom } from "./harness/seeds.js";

const minutes = 60_000;
const stopMs = process.env.KAGURAZAKA_SEEDS ? 60_000 : 7000;

/** A run on two nodes, in the middle of which `harm` comes over Redis. @returns milliseconds from then to the end */
async function harmed(dice: Dice, flags: readonly string[], harm: (fleet: FleetUnderTest) => Promise<void>) {
  const task = dice.pick(["Pages", "Rows"] as const);
  await using fleet = await FleetUnderTest.open({ task, items: 240, redisFlags: flags });
  fleet.keepNodes(2);
  const coordinator = fleet.coordinator();
  await fleet.begun(dice.integer(1, 160), coordinator);
  await sleep(dice.number(300));
  expect(coordinator.alive, "the run was over before anything was done to Redis").toBe(true);
  await harm(fleet);
  const atMs = nowMs();
  await fleet.check(await coordinator.ended);
  return { toEndMs: nowMs() - atMs, begunTwice: fleet.begunTwice() };
}

async function overHarms(
  name: string,
  seeds: readonly number[],
  flags: readonly string[],
  harm: (fleet: FleetUnderTest, dice: Dice) => Promise<void>,
) {
  const all = await overSeeds(seeds, 3, (dice) => harmed(dice, flags, (fleet) => harm(fleet, dice)));
  const toEndMs = Math.max(...all.map((one) => one.toEndMs));
  const begunTwice = all.reduce((sum, one) => sum + one.begunTwice, 0);
  report(name, { seeds: seeds.length, "items begun twice": begunTwice, "longest from then to the end, ms": toEndMs });
  expect(toEndMs).toBeLessThan(60_000);
}

describe("what happens to Redis in the middle of a run costs neither items nor the run", () => {
  test(
    "SIGKILL of a Redis with AOF, and its start",
    () =>
      overHarms(
        "Redis killed",
        seedsByHand(seedsFrom(301, 2)),
        ["--appendonly", "yes", "--appendfsync", "everysec"],
        async ({ redis }, dice) => {
          for (let kills = dice.integer(1, 2); kills > 0; kills--) {
            await redis.kill("SIGKILL");
            await sleep(dice.number(2000));
            await redis.restart();
            await sleep(dice.number(2000));
          }
        },
      ),
    30 * minutes,
  );

  test(
    "SIGKILL of a Redis that keeps nothing, and its start",
    () =>
      overHarms("Redis without AOF killed", seedsByHand(seedsFrom(351, 2)), [], async ({ redis }, dice) => {
        await redis.kill("SIGKILL");
        await sleep(dice.number(2000));
        await redis.restart();
      }),
    30 * minutes,
  );

  test(
    "SIGSTOP of Redis for longer than locks live, and SIGCONT",
    () =>
      overHarms("Redis stopped", seedsByHand(seedsFrom(401, 2)), [], async ({ redis }, dice) => {
        await redis.kill("SIGSTOP");
        await sleep(stopMs + dice.number(1000));
        await redis.kill("SIGCONT");
      }),
    30 * minutes,
  );

  test(
    "FLUSHALL",
    () =>
      overHarms("Redis emptied", seedsByHand(seedsFrom(501, 2)), [], async ({ redis }, dice) => {
        for (let times = dice.integer(1, 2); times > 0; times--) {
          redis.cli("FLUSHALL");
          await sleep(dice.number(1500));
        }
      }),
    30 * minutes,
  );
});
