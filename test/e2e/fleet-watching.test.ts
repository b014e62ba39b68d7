import { hostname } from "node:os";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startRedis, type TestRedis } from "../support/redis.js";
import { createPlace, type Ended, type Running, until } from "./kagurazaka.js";

/** Those who watch runs of a fleet. Most of these runs are nothing but their records in Redis. */

const task = `
import { KagurazakaTask } from "kagurazaka";
export class T extends KagurazakaTask<{ n: number }> {
  *generateTasks() { for (let n = 0; n < 10; n++) yield { n }; }
  async process() {}
}
`;
const fleet = ["task.ts", "T", "--backbone", "bullmq", "--progress", "none"];

let redis: TestRedis;
const commands = new Set<Running>();

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.close());
beforeEach(() => void redis.cli("flushall"));
afterEach(async () => {
  for (const { child } of commands) child.kill("SIGKILL");
  await Promise.all([...commands].map(({ ended }) => ended));
});

function start(words: readonly string[], place = createPlace()): Running {
  const command = place.start(words, { KAGURAZAKA_REDIS: redis.url });
  commands.add(command);
  void command.ended.finally(() => commands.delete(command));
  return command;
}

const run = (words: readonly string[], place?: ReturnType<typeof createPlace>): Promise<Ended> =>
  start(words, place).ended;
const placeOf = (text = task) => createPlace({ "task.ts": text });
const recordOf = (id: string): string => `{kagurazaka}:run:${id}`;

/** Writes the record of a run that nobody does. */
function forge(id: string, fields: Readonly<Record<string, string>> = {}): void {
  const [now, later] = [Date.now(), Date.now() + 3_600_000];
  const about = { task: "T", state: "open", host: "far", pid: "1", startedAt: new Date(now).toISOString() };
  redis.cli("zadd", "{kagurazaka}:runs", `${now}`, id);
  redis.cli("hset", recordOf(id), ...Object.entries({ ...about, beatAt: `${later}`, ...fields }).flat());
}

/** Resolves once the command has asked for its run so often from now on, or has ended. Nodes ask in this way as well. */
async function looks(command: Running, times: number): Promise<void> {
  redis.cli("config", "resetstat");
  const asked = (): number => Number(/cmdstat_hgetall:calls=(\d+)/.exec(redis.cli("info", "commandstats"))?.[1] ?? 0);
  await until("it looks", () => asked() >= times || !commands.has(command), 30_000);
}

describe("wait", () => {
  it("goes on where Redis is emptied in the middle of the run", async () => {
    const place = placeOf();
    const first = start(fleet, place);
    await until("its chunks wait", () => redis.cli("keys", "{kagurazaka}:queue:*:wait").trim() !== "", 30_000);
    // The coordinator writes its run again: not before the command has looked for it.
    first.child.kill("SIGSTOP");
    const waiting = start(["wait", redis.cli("smembers", "{kagurazaka}:open").trim()]);
    await looks(waiting, 1);
    redis.cli("flushall");
    await looks(waiting, 2);
    first.child.kill("SIGCONT");
    start(["worker", "task.ts", "T"], place);
    const { code, stderr } = await waiting.ended;
    expect(code, stderr).toBe(0);
    expect((await first.ended).code).toBe(0);
  });

  it("with the beginning of a run's name goes on when another run begins with it as well", async () => {
    forge("20261130-a");
    const waiting = start(["wait", "2026", "--json"]);
    await looks(waiting, 2);
    forge("20261130-b");
    await looks(waiting, 2);
    forge("20261130-a", { state: "over", beatAt: "0" });
    const { stdout, stderr } = await waiting.ended;
    expect(JSON.parse(stdout || "{}"), stderr).toMatchObject({ run: "20261130-a", state: "ended" });
  });

  it("leaves with 75 when Redis has not answered for --redis_timeout", async () => {
    forge("some-run");
    const waiting = start(["wait", "some-run", "--redis_timeout", "2s"]);
    await looks(waiting, 1);
    await redis.kill("SIGSTOP");
    try {
      await until("it leaves", () => !commands.has(waiting), 20_000);
    } finally {
      await redis.kill("SIGCONT");
    }
    const { code, stderr } = await waiting.ended;
    expect([code, stderr]).toEqual([75, expect.stringContaining("has not answered for 2 s")]);
  });
});

describe("status", () => {
  it("prints no name that is none of a run", async () => {
    forge("a-run", { takenOverBy: "\x1b[31mred" });
    forge("\x1b[2Jgone\x07");
    for (const words of [["status"], ["status", "--json"]]) {
      const { code, stdout, stderr } = await run(words);
      expect(code, stderr).toBe(0);
      expect(stdout).toContain("a-run");
      expect(stdout).not.toMatch(/gone|red/);
    }
  });
});

describe("--detach", () => {
  it("does not take an old run for its own whose coordinator had the same process id", async () => {
    forge("old-run", { state: "over", host: hostname(), beatAt: "0" });
    // The detached process gives the old run its own id before it begins a run.
    const place = placeOf(`import { execFileSync } from "node:child_process";
      import { isMainThread } from "node:worker_threads";
      ${task}
      if (isMainThread && !process.argv.some((word) => word === "--detach" || word === "worker")) {
        execFileSync("redis-cli", ["-p", "${redis.port}", "hset", "${recordOf("old-run")}", "pid", String(process.pid)]);
        await new Promise((resolve) => setTimeout(resolve, 1000));
      }`);
    const { code, stdout, stderr } = await run([...fleet, "--detach"], place);
    expect(code, stderr).toBe(0);
    const id = stdout.trim();
    const pidOf = (one: string): string => redis.cli("hget", recordOf(one), "pid").trim();
    expect([id, pidOf(id)]).toEqual([expect.not.stringContaining("old-run"), pidOf("old-run")]);
    start(["worker", "task.ts", "T"], place);
    expect((await run(["wait", id])).code).toBe(0);
  });
});
