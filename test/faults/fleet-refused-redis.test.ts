import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { TestRedis } from "../support/redis.js";
import { until } from "./harness/command.js";
import { FleetUnderTest, type Given } from "./harness/fleet.js";

const SECRET = "hunter2-in-the-url";
const password = ["--requirepass", SECRET];
const withPassword = ({ port }: TestRedis): string => `redis://:${SECRET}@127.0.0.1:${port}`;

/** Coordinator and node are refused alike, before any work: exit code 75, one message without a stack. */
async function refused(fleet: FleetUnderTest, message: RegExp, given: Given = {}): Promise<void> {
  for (const command of [fleet.coordinator(given), fleet.node(given)]) {
    const { code, stderr } = await command.ended;
    expect(code, stderr).toBe(75);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^\s+at .*:\d+:\d+/m);
    expect(stderr).not.toContain(SECRET);
  }
  expect(fleet.notes()).toEqual([]);
}

describe.concurrent("a Redis that cannot serve is refused with what to do", () => {
  test("absent", async () => {
    await using fleet = await FleetUnderTest.open();
    await fleet.redis.kill("SIGKILL");
    await refused(fleet, /Redis at redis:\/\/127\.0\.0\.1:\d+ cannot be used: .*ECONNREFUSED[\s\S]*Start it/);
  });

  test("a password is needed, or is wrong", async () => {
    await using fleet = await FleetUnderTest.open({ redisFlags: password });
    await refused(fleet, /it asks for a password[\s\S]*redis:\/\/:PASSWORD@HOST/);
    const url = fleet.redis.url.replace("//", `//:not-${SECRET}@`);
    await refused(fleet, /it refuses the user or the password/, { url });
  });

  test("no Redis is given", async () => {
    await using fleet = await FleetUnderTest.open();
    const { code, stderr } = await fleet.coordinator({ url: "", env: { KAGURAZAKA_REDIS: "" } }).ended;
    expect(code, stderr).toBe(2);
    expect(stderr).toMatch(/no Redis is given[\s\S]*KAGURAZAKA_REDIS/);
  });
});

describe.concurrent("a Redis that is less than it should be", () => {
  test("an eviction policy is warned of, by coordinator and node", async () => {
    await using fleet = await FleetUnderTest.open({
      items: 20,
      redisFlags: ["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"],
    });
    const node = fleet.node();
    const last = await fleet.coordinator().ended;
    expect(last.stderr).toMatch(/may remove keys when it is full \(maxmemory-policy allkeys-lru\)/);
    expect(node.stderrSoFar).toMatch(/maxmemory-policy allkeys-lru/);
    await fleet.check(last);
  });

  test("neither password nor TLS at a host that is not known as this machine is warned of", async () => {
    // 127.0.0.1 as a number: only the resolver knows.
    const url = ({ port }: TestRedis): string => `redis://2130706433:${port}`;
    await using fleet = await FleetUnderTest.open({ items: 20, url });
    const node = fleet.node();
    const last = await fleet.coordinator().ended;
    for (const text of [last.stderr, node.stderrSoFar]) expect(text).toMatch(/has no password and no TLS/);
    await fleet.check(last);
  });

  test.each([
    ["until room is made: the run goes on, and nothing is lost", true],
    ["for longer than --redis_timeout: exit code 75 says so, and the same command goes on", false],
  ])("full %s", async (_, isFreed) => {
    await using fleet = await FleetUnderTest.open({ task: "Rows", items: 150, env: { FAULTS_SLEEP_MS: "150" } });
    fleet.keepNodes(1);
    const given = { extra: ["--redis_timeout", isFreed ? "2m" : "4s"] };
    const coordinator = fleet.coordinator(given);
    await fleet.begun(20, coordinator);
    setFull(fleet.redis, true);
    if (isFreed) {
      await until("the coordinator or the node says that Redis is full", () => /OOM/.test(fleet.said()), 20_000);
      setFull(fleet.redis, false);
      return await fleet.check(await coordinator.ended);
    }
    const { code, stderr } = await coordinator.ended;
    expect(code, stderr).toBe(75);
    expect(stderr).toMatch(/OOM|full/);
    setFull(fleet.redis, false);
    await fleet.check(await fleet.coordinator(given).ended);
  });

  test("full from the start: refused, or waited for until room is made", async () => {
    await using fleet = await FleetUnderTest.open({ task: "Rows", items: 20 });
    setFull(fleet.redis, true);
    const { code, stderr } = await fleet.coordinator({ extra: ["--redis_timeout", "4s"] }).ended;
    expect(code, stderr).toBe(75);
    expect(stderr).toMatch(/OOM|full/);
    expect(stderr).not.toMatch(/^\s+at .*:\d+:\d+/m);
    setFull(fleet.redis, false);
    fleet.node();
    await fleet.check(await fleet.coordinator().ended);
  });
});

/** Redis refuses all writes that need memory, or none. */
const setFull = ({ cli }: TestRedis, isFull: boolean): string => cli("CONFIG", "SET", "maxmemory", isFull ? "1" : "0");

test("the password of the URL is printed and kept nowhere", async () => {
  await using fleet = await FleetUnderTest.open({ items: 60, redisFlags: password, url: () => "" });
  const env = { KAGURAZAKA_REDIS: withPassword(fleet.redis) };
  const node = fleet.node({ env, extra: ["--isolation", "process"] });
  const coordinator = fleet.coordinator({ env, extra: ["--with_worker"] });
  await fleet.begun(20, coordinator);
  expect(
    execFileSync("ps", ["-eo", "args"], { encoding: "utf8" })
      .split("\n")
      .filter((line) => line.includes(SECRET) && !line.includes("--requirepass")),
  ).toEqual([]);
  const { stdout, stderr } = await coordinator.ended;
  const shown = await fleet.coordinator({ url: withPassword(fleet.redis), extra: ["--show-config"] }).ended;
  node.signal("SIGTERM");
  const ofNode = await node.ended;
  for (const text of [stdout, stderr, shown.stdout, shown.stderr, ofNode.stdout, ofNode.stderr])
    expect(text).not.toContain(SECRET);
  expect(filesWith(fleet.dir, SECRET)).toEqual([]);
  const keys = redisDump(fleet.redis);
  expect(keys).not.toContain(SECRET);
});

function filesWith(dir: string, word: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: "utf8" })
    .map((path) => join(dir, path))
    .filter((path) => statSync(path).isFile() && readFileSync(path).includes(word));
}

/** All keys of Redis and what they hold. */
function redisDump(redis: TestRedis): string {
  const cli = (...words: string[]): string => redis.cli("-a", SECRET, "--no-auth-warning", ...words);
  const readers: Record<string, (key: string) => string> = {
    hash: (key) => cli("HGETALL", key),
    zset: (key) => cli("ZRANGE", key, "0", "-1"),
    stream: (key) => cli("XRANGE", key, "-", "+"),
    string: (key) => cli("GET", key),
    set: (key) => cli("SMEMBERS", key),
  };
  const keys = cli("KEYS", "*").split("\n").filter(Boolean);
  return keys.map((key) => `${key}\n${readers[cli("TYPE", key).trim()]!(key)}`).join("\n");
}
