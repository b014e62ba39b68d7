import { spawn } from "node:child_process";
import { once } from "node:events";
import { Queue } from "bullmq";
import type { Browser, Page } from "puppeteer-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { FleetBoard, FleetControl } from "../../src/contracts/fleet-control.js";
import { startRedis, type TestRedis } from "../support/redis.js";
import { findChromium, openBrowser } from "./browser.js";
import { type Dashboard, serveBuilt } from "./built.js";

type Control = typeof import("../../backbones/bullmq/control.js");

const bin = new URL("../../src/bin.cjs", import.meta.url).pathname;
const prefix = "{board}";
let redis: TestRedis;
let control: FleetControl;
let board: FleetBoard;
let dashboard: Dashboard;
const queues: Queue[] = [];

beforeAll(async () => {
  redis = await startRedis();
}, 120_000);
afterAll(() => redis?.close());

beforeEach(() => void redis.cli("flushall"));
afterEach(async () => {
  await dashboard?.[Symbol.asyncDispose]();
  await board?.[Symbol.asyncDispose]();
  await control?.[Symbol.asyncDispose]();
  for (const queue of queues.splice(0)) await queue.close();
});

/** What a coordinator writes when its run opens. */
async function openRun(run: string, chunks: number): Promise<void> {
  redis.cli("sadd", `${prefix}:open`, run);
  redis.cli("zadd", `${prefix}:runs`, "1", run);
  redis.cli("hset", `${prefix}:run:${run}`, "task", "Resize<b>");
  const streams = { events: { maxLen: 100 } };
  const queue = new Queue(run, { connection: { port: redis.port }, prefix: `${prefix}:queue`, streams });
  queues.push(queue);
  const jobs = Array.from({ length: chunks }, (_, i) => ({ name: "chunk", data: {}, opts: { jobId: `c${i}` } }));
  await queue.addBulk(jobs);
}

async function serve(allowCancel = false): Promise<void> {
  const url = new URL("../../dist/backbones/bullmq/control.js", import.meta.url).href;
  const { openControl } = (await import(url)) as Control;
  control = await openControl({ redis: redis.url, redisPrefix: "board", redisTimeout: 2000 });
  board = await control.openBoard!({ path: "/queues", allowChanges: allowCancel });
  dashboard = await serveBuilt(control, {
    port: 0,
    allowCancel,
    mount: { path: "/queues", handle: (req, res) => board.handle(req, res) },
  });
}

/** All keys of Redis with a hash of what they have. */
const contents = (): string =>
  redis.cli(
    "eval",
    `local all = {}
     for _, key in ipairs(redis.call("keys", "*")) do all[#all + 1] = key .. " " .. redis.sha1hex(redis.call("dump", key)) end
     table.sort(all)
     return all`,
    "0",
  );

const ask = (path: string, init?: RequestInit): Promise<Response> => fetch(new URL(path, dashboard.url), init);
const names = async (): Promise<string[]> => {
  const { queues: found } = (await (await ask("/queues/api/queues")).json()) as { queues: { name: string }[] };
  return found.map(({ name }) => name);
};

test("follows the runs that are open, and changes nothing by looking", async () => {
  await openRun("r1", 3);
  const before = contents();
  await serve();
  expect(await names()).toEqual(["r1"]);
  const found = (await (await ask("/queues/api/queues?activeQueue=r1&status=waiting&page=1")).json()) as {
    queues: { counts: Record<string, number>; jobs: { id: string }[]; readOnlyMode: boolean }[];
  };
  expect(found.queues[0]).toMatchObject({ readOnlyMode: true, counts: { waiting: 3 } });
  expect(found.queues[0]!.jobs.map(({ id }) => id).sort()).toEqual(["c0", "c1", "c2"]);
  for (const path of ["r1/c0", "r1/c0/logs", "r1/metrics", "r1/rate-limit"])
    expect((await ask(`/queues/api/queues/${path}`)).status, path).toBe(200);
  expect((await ask("/queues/api/redis/stats")).status).toBe(200);
  expect(contents()).toBe(before);
  await openRun("r2", 1);
  expect(await names()).toEqual(["r1", "r2"]);
  redis.cli("srem", `${prefix}:open`, "r1");
  expect(await names()).toEqual(["r2"]);
});

test("serves its own files alone, and only what it knows", async () => {
  await openRun("r1", 1);
  await serve();
  for (const path of [
    "/queues/static/../../package.json",
    "/queues/static/%2e%2e/%2e%2e/package.json",
    "/queues/nothing",
  ])
    expect((await ask(path)).status, path).toBe(404);
  expect((await ask("/queues/api/queues/unknown/c0")).status).toBe(404);
  const page = await (await ask("/queues")).text();
  const files = [...page.matchAll(/(?:src|href)="(static\/[^"]+)"/g)].map(([, file]) => file!);
  expect(files.length).toBeGreaterThan(3);
  for (const file of files) expect((await ask(`/queues/${file}`)).status, file).toBe(200);
  expect(page).not.toMatch(/https?:/);
  expect((await ask("/queues", { method: "HEAD" })).status).toBe(200);
});

test("reads only, unless changes are allowed", async () => {
  await openRun("r1", 1);
  await serve();
  const origin = { "sec-fetch-site": "same-origin" };
  const answer = await ask("/queues/api/queues/r1/pause", { method: "PUT", headers: origin });
  expect([answer.status, await answer.text()]).toEqual([403, expect.stringContaining("--allow-cancel")]);
  // bull-board refuses by itself as well, where a request comes past the dashboard.
  await dashboard[Symbol.asyncDispose]();
  dashboard = await serveBuilt(control, {
    port: 0,
    allowCancel: true,
    mount: { path: "/queues", handle: (req, res) => board.handle(req, res) },
  });
  expect((await ask("/queues/api/queues/r1/pause", { method: "PUT", headers: origin })).status).toBe(405);
  expect(await queues[0]!.isPaused()).toBe(false);
});

test("may change queues where that is allowed, but not for other sites", async () => {
  await openRun("r1", 2);
  await serve(true);
  const put = (path: string, headers: Record<string, string>, body?: string): Promise<Response> =>
    ask(`/queues/api/queues/r1/${path}`, { method: "PUT", headers, ...(body !== undefined && { body }) });
  expect((await put("pause", { "sec-fetch-site": "cross-site" })).status).toBe(403);
  expect((await put("pause", {})).status).toBe(200);
  expect(await queues[0]!.isPaused()).toBe(true);
  expect((await put("resume", {})).status).toBe(200);
  expect((await put("c0/clean", {})).status).toBe(204);
  expect(await queues[0]!.getWaitingCount()).toBe(1);
  expect((await put("concurrency", {}, "x".repeat(2_000_000))).status).toBe(413);
});

test("answers 503 when Redis is gone, and again when it is back", async () => {
  await openRun("r1", 1);
  await serve();
  expect(await names()).toEqual(["r1"]);
  await redis.kill("SIGSTOP");
  try {
    const answer = await ask("/queues/api/queues");
    expect([answer.status, await answer.text()]).toEqual([503, expect.stringContaining("Redis does not answer")]);
  } finally {
    await redis.kill("SIGCONT");
  }
  expect(await names()).toEqual(["r1"]);
});

describe("the command", () => {
  /** Starts the dashboard and gives what it prints until it listens. */
  async function start(
    env: Record<string, string> = {},
  ): Promise<{ said: string; url: string; stop(): Promise<void> }> {
    const child = spawn(
      process.execPath,
      [bin, "dashboard", "--redis", redis.url, "--redis-prefix", "board", "--port", "0"],
      {
        env: { ...process.env, ...env, NO_COLOR: "1" },
        stdio: ["ignore", "ignore", "pipe"],
      },
    );
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (more: string) => {
      said += more;
    });
    await expect.poll(() => said, { timeout: 20_000 }).toMatch(/dashboard at http.*\n/);
    const url = /dashboard at (http\S+)/.exec(said)![1]!;
    const stop = async (): Promise<void> => {
      child.kill("SIGTERM");
      const [code] = (await once(child, "exit")) as [number];
      expect(code).toBe(0);
    };
    return { said, url, stop };
  }

  test("shows the board at /queues", async () => {
    await openRun("r1", 1);
    const { said, url, stop } = await start();
    expect(said).toMatch(/^dashboard at /);
    expect(await (await fetch(`${url}queues/api/queues`)).text()).toContain('"name":"r1"');
    await stop();
  });

  test("works without the package, and says in one line what to install", async () => {
    const hook = `export async function resolve(name, context, next) {
      if (name.startsWith("@bull-board/"))
        throw Object.assign(new Error("Cannot find package " + name), { code: "ERR_MODULE_NOT_FOUND" });
      return next(name, context);
    }`;
    const register = `import { register } from "node:module"; register("data:text/javascript,${encodeURIComponent(hook)}");`;
    const { said, url, stop } = await start({
      NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(register)}`,
    });
    expect(said).toMatch(/^no page at \/queues: .*npm install @bull-board\/api@\d+\.\d+\.\d+\ndashboard at /);
    expect((await fetch(`${url}queues`)).status).toBe(404);
    expect((await fetch(`${url}metrics`)).status).toBe(200);
    await stop();
  });
});

const found = findChromium();

describe.skipIf("reason" in found)(`the board in Chromium${"reason" in found ? ` (${found.reason})` : ""}`, () => {
  let browser: Browser;
  let page: Page;
  let complaints: string[];
  /** Hosts that the browser wanted to reach. */
  let hosts: Set<string>;

  beforeAll(async () => {
    browser = await openBrowser((found as { path: string }).path);
  }, 120_000);
  afterAll(() => browser?.close());
  beforeEach(async () => {
    page = await browser.newPage();
    complaints = [];
    hosts = new Set();
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    page.on("request", (request) => hosts.add(new URL(request.url()).hostname));
  });
  afterEach(() => page.close());

  const body = (): Promise<string> => page.$eval("body", (one) => one.innerText);

  test("is reached from the dashboard, and shows queues as runs come and go", async () => {
    await openRun("run-one", 3);
    await serve();
    await page.goto(dashboard.url);
    await page.waitForSelector("#mount:not([hidden]) a");
    await Promise.all([page.waitForNavigation(), page.click("#mount a")]);
    await expect.poll(body, { timeout: 15_000 }).toContain("run-one");
    await openRun("run-two", 1);
    await expect.poll(body, { timeout: 15_000 }).toContain("run-two");
    await page.click('a[href*="/queue/run-one"]');
    await expect.poll(body, { timeout: 15_000 }).toMatch(/c[012]/);
    expect(await body()).toContain("Resize<b>");
    redis.cli("srem", `${prefix}:open`, "run-two");
    await expect.poll(body, { timeout: 15_000 }).not.toContain("run-two");
    expect(complaints).toEqual([]);
    expect([...hosts]).toEqual(["127.0.0.1"]);
  });
});
