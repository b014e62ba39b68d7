import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fixture, until } from "./harness/command.js";
import { readTree } from "./harness/disk.js";
import { FleetUnderTest, nowMs } from "./harness/fleet.js";

const minutes = 60_000;
const key = (rest: string): string => `{kagurazaka}:${rest}`;
const openRuns = ({ redis }: FleetUnderTest): string[] =>
  redis.cli("SMEMBERS", key("open")).split("\n").filter(Boolean).sort();
const stateOf = ({ redis }: FleetUnderTest, run: string): string =>
  redis.cli("HGET", key(`run:${run}`), "state").trim();

/** The id of the one run that is open. */
async function runOf(fleet: FleetUnderTest): Promise<string> {
  await until("the run is in Redis", () => openRuns(fleet).length === 1, 30_000);
  return openRuns(fleet)[0]!;
}

describe.concurrent("the end of a coordinator", () => {
  test(
    "SIGKILL: its node works for the next run over another output root, and the same command takes the first run over",
    async () => {
      const items = 80;
      await using fleet = await FleetUnderTest.open({ task: "Pages", items });
      fleet.node();
      const first = fleet.coordinator();
      await fleet.begun(10, first);
      const dead = await runOf(fleet);
      await fleet.kill(first);
      const killedMs = nowMs();
      // Its finalize() is noted elsewhere.
      const env = { FAULTS_STARTS: join(fleet.dir, "notes-of-next") };
      const next = fleet.coordinator({ env, extra: ["--out", "next"] });
      await until("an item of the next run is done", () => readTree(join(fleet.dir, "next")).size > 0, 60_000);
      expect(nowMs() - killedMs).toBeLessThan(45_000);
      expect([openRuns(fleet).includes(dead), stateOf(fleet, dead)]).toEqual([true, "open"]);
      const ended = await next.ended;
      expect(ended.code, ended.stderr).toBe(0);
      const again = await fleet.coordinator().ended;
      await fleet.check(again);
      expect(again.stderr).toMatch(/recorded \d+ outcomes of earlier runs/);
      expect(openRuns(fleet)).toEqual([]);
      // No more than the next run's: each item once, and again those 6 that work at the second try.
      expect(fleet.begunTwice()).toBe(items + 6);
    },
    3 * minutes,
  );

  test(
    "that takes a run over and waits for its node: without Redis it leaves after --redis_timeout",
    async () => {
      // Nearly all items are longer than this test.
      const env = { FAULTS_SLEEP_MS: "600000" };
      await using fleet = await FleetUnderTest.open({ task: "Rows", items: 8, env });
      fleet.node();
      const first = fleet.coordinator();
      await fleet.begun(2, first);
      const dead = await runOf(fleet);
      await fleet.kill(first);
      const second = fleet.coordinator({ extra: ["--redis_timeout", "3s"] });
      await until("it takes over", () => stateOf(fleet, dead) === "draining", 30_000);
      await fleet.redis.kill("SIGKILL");
      await until("it leaves", () => !second.alive, 30_000);
      const { code, stderr } = await second.ended;
      expect(code, stderr).toBe(75);
      expect(stderr).toMatch(/Redis at .* has not answered for \d+ s/);
    },
    2 * minutes,
  );
});

describe.concurrent("the beginning of a node's work", () => {
  test(
    "chunks that it has fetched ahead stay its own, however long the one before takes",
    async () => {
      // 128 items take some 14 s. A lock of BullMQ lives for 5 s, and a chunk counts as lost within 6 s more.
      const env = { FAULTS_SLEEP_MS: "220" };
      await using fleet = await FleetUnderTest.open({ task: "Rows", items: 160, env });
      const one = fleet.node();
      const coordinator = fleet.coordinator({ extra: ["--chunksize", "128"] });
      await fleet.begun(1, coordinator);
      const active = key(`queue:${await runOf(fleet)}:active`);
      await until("both chunks are at the node", () => fleet.redis.cli("LLEN", active).trim() === "2", 30_000);
      const idle = fleet.node();
      const last = await coordinator.ended;
      await fleet.check(last);
      expect(last.stderr).not.toMatch(/lost|sent again|a second time/);
      expect(fleet.begunTwice()).toBe(0);
      expect(idle.stderrSoFar).toMatch(/works for run/);
      const begun = fleet.notes().filter(({ what }) => what === "begin");
      expect(begun.filter(({ pid }) => pid !== one.pid).length).toBe(0);
      expect(begun[127]!.atMs - begun[0]!.atMs, "long enough to be lost").toBeGreaterThan(12_000);
    },
    2 * minutes,
  );

  test(
    "SIGTERM just after it says that it works for the run: it leaves and begins nothing",
    async () => {
      await using fleet = await FleetUnderTest.open({ task: "Rows", items: 40 });
      const told = fleet.node({ extra: ["--inner", fixture("told-to-leave.ts")] });
      const coordinator = fleet.coordinator();
      await until("it leaves", () => !told.alive, 60_000);
      const { code, stderr } = await told.ended;
      expect(code, stderr).toBe(0);
      expect(stderr).toMatch(/works for run [\s\S]*SIGTERM/);
      expect(fleet.notes().length).toBe(0);
      fleet.node();
      await fleet.check(await coordinator.ended);
      expect(fleet.begunTwice()).toBe(0);
    },
    2 * minutes,
  );
});
