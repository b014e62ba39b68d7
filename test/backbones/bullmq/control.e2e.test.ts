import { expect, test } from "vitest";
import { openControl } from "../../../dist/backbones/bullmq/control.js";
import { startRedis } from "../../support/redis.js";

const report = { listed: true, inFlight: 0, waiting: 0, retries: 0, elapsedMs: 1, itemsPerSecond: 0, oldest: [] };
const counts = { total: 3, done: 3, skipped: 0, filtered: 0, failed: 0, cancelled: 0 };

test("a run has ended once its coordinator has said how, or is too long silent to do so", async () => {
  const redis = await startRedis();
  const control = await openControl({ redis: redis.url, redisTimeout: 2000, redisPrefix: "k" });
  try {
    const nowMs = Number(redis.cli("TIME").split("\n")[0]) * 1000;
    const seen = async (state: string, ageMs: number, exitCode?: number) => {
      const fields = {
        task: "Rows",
        state,
        beatAt: nowMs - ageMs,
        report: JSON.stringify({ ...report, counts, failures: [], exitCode }),
      };
      redis.cli("DEL", "{k}:run:r");
      redis.cli("HSET", "{k}:run:r", ...Object.entries(fields).flatMap(([name, value]) => [name, `${value}`]));
      redis.cli("ZADD", "{k}:runs", `${nowMs}`, "r");
      return (await control.runs())[0];
    };
    expect(await seen("open", 0)).toMatchObject({ state: "running", report: { counts } });
    expect(await seen("draining", 0)).toMatchObject({ state: "draining" });
    expect(await seen("open", 60_000)).toMatchObject({ state: "orphaned" });
    for (const closed of ["over", "left"]) {
      expect(await seen(closed, 0)).toMatchObject({ state: "draining" });
      expect(await seen(closed, 0, 3)).toMatchObject({ state: "ended", report: { exitCode: 3 } });
      expect(await seen(closed, 60_000)).toMatchObject({ state: "ended" });
    }
  } finally {
    await control[Symbol.asyncDispose]();
    await redis.close();
  }
});

test("a run without its coordinator is ended by cancel; one that is open is seen behind hundreds of newer ones", async () => {
  const redis = await startRedis();
  const control = await openControl({ redis: redis.url, redisTimeout: 2000, redisPrefix: "k" });
  try {
    const nowMs = Number(redis.cli("TIME").split("\n")[0]) * 1000;
    redis.cli("SADD", "{k}:open", "old");
    redis.cli("HSET", "{k}:run:old", "task", "Rows", "state", "open", "beatAt", `${nowMs - 60_000}`);
    for (let i = 0; i < 201; i++) redis.cli("ZADD", "{k}:runs", `${nowMs + i}`, `new${i}`);
    redis.cli(
      "EVAL",
      "for i = 0, 200 do redis.call('HSET', '{k}:run:new' .. i, 'task', 'Rows', 'state', 'over') end",
      "0",
    );
    expect((await control.runs()).filter(({ run }) => run === "old")).toMatchObject([{ state: "orphaned" }]);
    expect(await control.cancel("old")).toBe(true);
    expect(await control.run("old")).toMatchObject({ state: "ended", report: { exitCode: 130 } });
    expect(await control.cancel("old")).toBe(false);
    expect(await control.run("none")).toBeUndefined();
    expect(await control.run("\u001b[31m")).toBeUndefined();
  } finally {
    await control[Symbol.asyncDispose]();
    await redis.close();
  }
});
