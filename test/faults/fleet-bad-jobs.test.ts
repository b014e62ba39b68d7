import { Queue } from "bullmq";
import { describe, expect, test } from "vitest";
import { until } from "./harness/command.js";
import { FleetUnderTest } from "./harness/fleet.js";

/** The run must last until a slow machine has done its mischief. */
const slow = { FAULTS_SLEEP_MS: "500" };
const prefix = "{kagurazaka}:queue";

/** The id of the run that goes on. */
async function runOf({ redis }: FleetUnderTest): Promise<string> {
  await until("the run is in Redis", () => redis.cli("SCARD", "{kagurazaka}:open").trim() === "1");
  return redis.cli("SMEMBERS", "{kagurazaka}:open").trim();
}

describe.concurrent("what others put into Redis is rejected, counted, and never run", () => {
  test("foreign and malformed jobs in the queue of a run", async () => {
    await using fleet = await FleetUnderTest.open({ task: "Rows", items: 100, env: slow });
    fleet.keepNodes(2);
    const coordinator = fleet.coordinator();
    await fleet.begun(10, coordinator);
    const run = await runOf(fleet);
    const queue = new Queue(run, { connection: { port: fleet.redis.port }, prefix, skipMetasUpdate: true });
    await queue.addBulk([
      { name: "mail", data: { to: "somebody" } },
      { name: "chunk", data: { items: "[]" }, opts: { jobId: "../../c1" } },
      { name: "other", data: {}, opts: { jobId: "c900003" } },
      { name: "chunk", data: {}, opts: { jobId: "c900000" } },
      { name: "chunk", data: {}, opts: { jobId: "c900001" } },
      { name: "chunk", data: {}, opts: { jobId: "c900002", priority: 3 } },
    ]);
    await queue.close();
    const chunks = `{kagurazaka}:run:${run}:chunks`;
    fleet.redis.cli("HSET", chunks, "900000", "no chunk", "900001", "\\x00\\xff");
    await until("they are counted", () => Number(fleet.redis.cli("HGET", `{kagurazaka}:run:${run}`, "rejected")) >= 5);
    const last = await coordinator.ended;
    expect(last.stderr).toMatch(/in the queue of the run, job .* is no chunk and was not run/);
    await fleet.check(last);
    expect(fleet.notes().filter(({ key }) => !/^(row \d+|-)$/.test(key))).toEqual([]);
  });

  test("jobs that BullMQ itself cannot read: the run ends, and so does one that is taken over", async () => {
    await using fleet = await FleetUnderTest.open({ task: "Rows", items: 100, env: slow });
    fleet.keepNodes(1);
    let coordinator = fleet.coordinator();
    await fleet.begun(10, coordinator);
    const run = await runOf(fleet);
    const { redis } = fleet;
    const at = `${prefix}:${run}`;
    redis.cli("HSET", `${at}:broken`, "name", "chunk", "data", "{", "opts", "{");
    // The end that is taken first.
    redis.cli("RPUSH", `${at}:wait`, "broken", "not-there", "0:5");
    redis.cli("ZADD", `${at}:marker`, "0", "0");
    await until("a node has tried", () => redis.cli("HEXISTS", `${at}:not-there`, "processedOn").trim() === "1");
    await fleet.begun(20, coordinator);
    await fleet.kill(coordinator);
    coordinator = fleet.coordinator();
    await fleet.check(await coordinator.ended);
  });

  test("entries in the streams, and fields in the record of the run", async () => {
    await using fleet = await FleetUnderTest.open({ task: "Rows", items: 100, env: slow });
    fleet.keepNodes(1);
    const coordinator = fleet.coordinator();
    await fleet.begun(10, coordinator);
    const run = await runOf(fleet);
    const record = `{kagurazaka}:run:${run}`;
    const entries = [
      "no JSON",
      "{}",
      JSON.stringify({ kind: "outcomes", outcomes: { chunk: 0, plain: [-1, 2], rest: [] } }),
      JSON.stringify({ kind: "outcomes", outcomes: { chunk: 987654, plain: [0, 2], rest: [] } }),
      JSON.stringify({ kind: "outcomes", outcomes: { chunk: 1, plain: [77, 1, 0.5, 1], rest: [] } }),
      JSON.stringify({ kind: "given-back", chunk: 987654, indices: [0, 1] }),
      JSON.stringify({ kind: "lost", chunk: 987654 }),
      JSON.stringify({ kind: "alone", chunk: 987654, index: 0 }),
      JSON.stringify({ kind: "left", node: "__proto__" }),
    ];
    for (const entry of entries) {
      fleet.redis.cli("XADD", `${record}:outcomes`, "*", "m", entry);
      fleet.redis.cli("XADD", `${record}:messages`, "*", "m", entry);
    }
    fleet.redis.cli("XADD", `${record}:outcomes`, "*", "another", "field", "and", "more");
    fleet.redis.cli("XADD", "{kagurazaka}:events", "*", "run", "../../etc");
    fleet.redis.cli("HSET", record, "report", "{", "drained", "x,-1,1e9", "cancel", "please", "beatAt", "soon");
    fleet.redis.cli("SADD", "{kagurazaka}:open", "nowhere", "../up");
    fleet.redis.cli("HSET", "{kagurazaka}:run:nowhere", "state", "open", "baseId", "Rows", "job", "{}");
    const soon = Number(fleet.redis.cli("TIME").split("\n")[0]) * 1000 + 60_000;
    fleet.redis.cli("HSET", "{kagurazaka}:run:nowhere", "beatAt", `${soon}`);
    const late = fleet.node();
    await until("the node refuses a record that is none", () => /record of run nowhere/.test(late.stderrSoFar), 30_000);
    const last = await coordinator.ended;
    expect(last.stderr).toMatch(/an entry in the stream of outcomes is none/);
    fleet.redis.cli("DEL", "{kagurazaka}:open", "{kagurazaka}:run:nowhere");
    await fleet.check(last);
  });
});

test("items larger than a chunk and larger than all of the window", async () => {
  const env = { FAULTS_BYTES: `${5 << 20}`, FAULTS_SLEEP_MS: "1" };
  await using fleet = await FleetUnderTest.open({ task: "Rows", items: 12, env });
  fleet.keepNodes(1);
  await fleet.check(await fleet.coordinator().ended);
});
