import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { sleep, until } from "./harness/command.js";
import { FleetUnderTest } from "./harness/fleet.js";
import { overSeeds, report, seedsByHand, seedsFrom } from "./harness/seeds.js";

const minutes = 60_000;
/** Longer than a lock lives and than it takes until a chunk counts as lost. */
const CUT_OFF_MS = 16_000;
const isRoot = process.getuid?.() === 0;
const hasNamespaces = isRoot && spawnSync("ip", ["netns", "list"]).status === 0;
const faketime = [
  "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
  "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
].find(existsSync);

describe.concurrent("nodes and coordinators that are alive and out of reach", () => {
  test(
    "a node whose processes stand still until its items are given away, and then go on",
    async () => {
      const seeds = seedsByHand(seedsFrom(601, 2));
      await overSeeds(seeds, 2, async (dice) => {
        await using fleet = await FleetUnderTest.open({ task: dice.pick(["Pages", "Rows"]), items: 240 });
        fleet.keepNodes(2);
        const coordinator = fleet.coordinator();
        await fleet.begun(dice.integer(5, 120), coordinator);
        const node = dice.pick(fleet.nodes);
        node.kill("SIGSTOP");
        await sleep(CUT_OFF_MS);
        node.kill("SIGCONT");
        await fleet.check(await coordinator.ended);
      });
      report("nodes stopped", { seeds: seeds.length });
    },
    30 * minutes,
  );

  test(
    "a coordinator that stands still for longer than its lease lives, and then goes on",
    async () => {
      await using fleet = await FleetUnderTest.open({ task: "Rows", items: 300, env: { FAULTS_SLEEP_MS: "120" } });
      fleet.keepNodes(2);
      const coordinator = fleet.coordinator();
      await fleet.begun(20, coordinator);
      coordinator.kill("SIGSTOP");
      await sleep(CUT_OFF_MS);
      coordinator.kill("SIGCONT");
      await fleet.check(await coordinator.ended);
    },
    2 * minutes,
  );

  test(
    "two coordinators started at once on one output root: one works, the other one shows it",
    async () => {
      const seeds = seedsByHand(seedsFrom(701, 2));
      await overSeeds(seeds, 2, async (dice) => {
        await using fleet = await FleetUnderTest.open({ task: dice.pick(["Pages", "Rows"]), items: 150 });
        fleet.keepNodes(1);
        const first = fleet.coordinator();
        await sleep(dice.pick([0, 0, dice.number(1500)]));
        const second = fleet.coordinator();
        const [one, two] = await Promise.all([first.ended, second.ended]);
        expect(one.code, one.stderr).toBe(0);
        expect(two.code, two.stderr).toBe(0);
        const views = [one, two].filter(({ stderr }) => /works on this output root already/.test(stderr));
        expect(views.length, `${one.stderr}\n──\n${two.stderr}`).toBe(1);
        await fleet.check(one);
        expect(fleet.begunTwice()).toBe(0);
      });
    },
    30 * minutes,
  );

  test.skipIf(faketime === undefined).each([["+5h"], ["-5h"]])(
    "a node whose clock is hours off (%s; needs libfaketime)",
    async (offset) => {
      await using fleet = await FleetUnderTest.open({ task: "Pages", items: 120 });
      const env = { LD_PRELOAD: faketime!, FAKETIME: offset, FAKETIME_DONT_FAKE_MONOTONIC: "1" };
      const wrong = fleet.node({ env });
      fleet.node();
      const coordinator = fleet.coordinator();
      await fleet.begun(20, coordinator);
      // It is killed in the end: what it had is found out by Redis, not by clocks.
      await until("both nodes have worked", () => new Set(fleet.notes().map(({ pid }) => pid)).size >= 2, 30_000);
      await fleet.kill(wrong);
      const last = await coordinator.ended;
      await fleet.check(last);
      expect(Math.max(0, ...fleet.recoveries())).toBeLessThan(30_000);
    },
    2 * minutes,
  );

  test.skipIf(!hasNamespaces)(
    "a node in a network namespace whose cable is pulled and put back (needs root and ip netns)",
    async () => {
      const name = `kgz${process.pid}`;
      const ip = (...words: string[]): void => void execFileSync("ip", words);
      const at = `10.231.${process.pid % 250}`;
      ip("netns", "add", name);
      try {
        ip("link", "add", `${name}a`, "type", "veth", "peer", "name", `${name}b`, "netns", name);
        ip("addr", "add", `${at}.1/30`, "dev", `${name}a`);
        ip("link", "set", `${name}a`, "up");
        ip("-n", name, "addr", "add", `${at}.2/30`, "dev", `${name}b`);
        ip("-n", name, "link", "set", `${name}b`, "up");
        const redisFlags = ["--bind", "127.0.0.1", `${at}.1`, "--protected-mode", "no"];
        await using fleet = await FleetUnderTest.open({ task: "Rows", items: 240, redisFlags });
        const far = fleet.node({ within: ["ip", "netns", "exec", name], url: `redis://${at}.1:${fleet.redis.port}` });
        fleet.node();
        const coordinator = fleet.coordinator();
        await until("the far node works", () => fleet.notes().some(({ pid }) => pid === far.pid), 30_000);
        ip("link", "set", `${name}a`, "down");
        await sleep(CUT_OFF_MS);
        ip("link", "set", `${name}a`, "up");
        await fleet.check(await coordinator.ended);
      } finally {
        ip("netns", "del", name);
      }
    },
    2 * minutes,
  );
});
