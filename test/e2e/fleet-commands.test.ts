import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { runTask } from "../../dist/src/index.js";
import { startRedis, type TestRedis } from "../support/redis.js";

const BIN = new URL("../../src/bin.cjs", import.meta.url).pathname;

const task = `
import { appendFileSync } from "node:fs";
import { defineOptions, KagurazakaTask } from "kagurazaka";
const options = defineOptions({
  count: { type: "integer", default: 20, help: "items" },
  ms: { type: "integer", default: 20, help: "how long one takes" },
  apiKey: { type: "string", default: "", help: "a secret" },
});
export class T extends KagurazakaTask<{ n: number }, typeof options> {
  static options = options;
  *generateTasks() { for (let n = 0; n < this.options.count; n++) yield { n }; }
  keyOf({ n }: { n: number }) { return "k" + n; }
  async process({ n }: { n: number }) {
    appendFileSync(process.env.JOURNAL!, n + " " + this.options.apiKey + "\\n");
    await new Promise((resolve) => setTimeout(resolve, this.options.ms));
  }
}
`;

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

let redis: TestRedis;
let dir: string;
const running = new Set<ChildProcess>();

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.close());
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "kagurazaka-fleet-"));
  writeFileSync(join(dir, "task.ts"), task);
  writeFileSync(join(dir, "journal"), "");
  redis.cli("flushall");
});
afterEach(() => {
  for (const child of running) child.kill("SIGKILL");
  running.clear();
  rmSync(dir, { recursive: true, force: true });
});

/** Starts a command of the built product; `ended` resolves at its exit. */
function start(words: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, [BIN, ...words], {
    cwd: dir,
    env: { ...process.env, KAGURAZAKA_REDIS: redis.url, JOURNAL: join(dir, "journal"), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.add(child);
  let out = "";
  let err = "";
  child.stdout!.on("data", (piece) => {
    out += piece;
  });
  child.stderr!.on("data", (piece) => {
    err += piece;
  });
  const ended = new Promise<Ended>((resolve) => {
    child.once("close", (code) => {
      running.delete(child);
      resolve({ code, out, err });
    });
  });
  return { child, ended, said: () => err };
}

const run = (words: readonly string[], env?: NodeJS.ProcessEnv): Promise<Ended> => start(words, env).ended;
const fleet = ["--backbone", "bullmq", "--progress", "none"];
const worker = (...words: string[]) => start(["worker", "task.ts", "T", "--num_process", "2", ...words]);
const journal = (): string[] => readFileSync(join(dir, "journal"), "utf8").split("\n").filter(Boolean);

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 20_000; !(await isSo()); await sleep(50))
    if (Date.now() > deadline) throw new Error("waited in vain");
}

const runs = async (): Promise<{ run: string; state: string }[]> => JSON.parse((await run(["status", "--json"])).out);

describe("a run on a fleet", () => {
  it("with --with_worker starts a node beside it, which ends with it", async () => {
    const { code, out, err } = await run(["task.ts", "T", ...fleet, "--with_worker", "--json"]);
    expect(code, err).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ backbone: "bullmq", counts: { done: 20 }, exitCode: 0 });
    expect(err).toContain("worker | node ");
    expect((await run(["workers"])).out).toBe("no worker is connected\n");
    expect(redis.cli("keys", "*").trim().split("\n").sort()).toEqual(
      ["events", "fence", "run:", "runs"].map((name) => expect.stringMatching(`^{kagurazaka}:${name}`)),
    );
  });

  it("that is started a second time shows the first one, and ends with its code", async () => {
    worker();
    const first = start(["task.ts", "T", ...fleet, "--count", "100", "--ms", "100"]);
    await until(() => journal().length > 2);
    const second = await run(["task.ts", "T", ...fleet, "--count", "100", "--ms", "100", "--json"]);
    expect(second.err).toContain("works on this output root already");
    expect(JSON.parse(second.out)).toMatchObject({ task: "T", counts: { done: 100 }, exitCode: 0 });
    expect((await first.ended).code).toBe(0);
    expect(journal()).toHaveLength(100);
  });

  it("whose coordinator is killed is taken over by one that was watching: nothing is started twice", async () => {
    worker();
    const first = start(["task.ts", "T", ...fleet, "--count", "80", "--ms", "100"]);
    await until(() => journal().length > 4);
    const second = start(["task.ts", "T", ...fleet, "--count", "80", "--ms", "100", "--json"]);
    await until(() => second.said().includes("works on this output root already"));
    first.child.kill("SIGKILL");
    const { code, out, err } = await second.ended;
    expect(code, err).toBe(0);
    const { counts } = JSON.parse(out);
    expect(counts.done + counts.skipped).toBe(80);
    expect(new Set(journal()).size).toBe(80);
    expect(journal()).toHaveLength(80);
  });

  it("goes on by itself with --detach; wait ends with its code", async () => {
    worker();
    const { code, out, err } = await run(["task.ts", "T", ...fleet, "--detach"]);
    expect(code, err).toBe(0);
    const waited = await run(["wait", out.trim(), "--json"]);
    expect(waited.code, waited.err).toBe(0);
    expect(JSON.parse(waited.out)).toMatchObject({ run: out.trim(), state: "ended", report: { counts: { done: 20 } } });
  });

  it("that is stopped before it begins is not left open in Redis", async () => {
    const options = { backbone: "bullmq", backboneOptions: { redis: redis.url }, runDir: join(dir, "state") };
    const result = await runTask(join(dir, "task.ts"), { ...options, signal: AbortSignal.abort() });
    expect(result).toMatchObject({ exitCode: 130, error: { code: "interrupted" }, counts: { done: 0 } });
    expect(redis.cli("smembers", "{kagurazaka}:open").trim()).toBe("");
    expect(await runs()).toMatchObject([{ run: result.run, state: "ended" }]);
  });

  it("is stopped by cancel, and the same command goes on", async () => {
    worker();
    const first = start(["task.ts", "T", ...fleet, "--count", "200", "--ms", "50"]);
    await until(() => journal().length > 2);
    const [{ run: id } = { run: "" }] = await runs();
    expect((await run(["cancel", id])).code).toBe(0);
    const { code, err } = await first.ended;
    expect(code).toBe(130);
    expect(err).toContain("cancelled by `kagurazaka cancel`");
    const again = await run(["task.ts", "T", ...fleet, "--count", "200", "--ms", "0", "--json"]);
    expect(again.code, again.err).toBe(0);
    expect(journal()).toHaveLength(200);
  });

  it("says every ten seconds that no node is there, and how to start one", async () => {
    const one = start(["task.ts", "T", ...fleet]);
    await until(() => /no node is there.*kagurazaka worker/.test(one.said()));
    worker("--once");
    expect((await one.ended).code).toBe(0);
  });
});

describe("secrets", () => {
  it("given as plain text are refused before anything is written", async () => {
    const { code, err } = await run(["task.ts", "T", ...fleet, "--api_key", "sk-12345678"]);
    expect(code).toBe(2);
    expect(err).toContain("task.api_key has a secret in it");
    expect(err).not.toContain("sk-12345678");
    expect(redis.cli("keys", "*").trim()).toBe("");
  });

  it("given as ${oc.env:NAME} are resolved on the node, and are never in Redis", async () => {
    writeFileSync(join(dir, "cfg.yaml"), 'task: { api_key: "${oc.env:MY_KEY}", count: 3 }\n');
    const node = start(["worker", "task.ts", "T", "--once"], { MY_KEY: "of-the-node" });
    const one = start(["task.ts", "T", ...fleet, "--cfg", "cfg.yaml"], { MY_KEY: "of-the-coordinator" });
    await until(() => redis.cli("keys", "{kagurazaka}:run:*").includes("run:"));
    const kept = redis.cli("--raw", "hgetall", redis.cli("keys", "{kagurazaka}:run:*").trim().split("\n")[0]!);
    expect(kept).not.toContain("of-the-");
    expect((await one.ended).code).toBe(0);
    await node.ended;
    expect(journal().sort()).toEqual(["0 of-the-node", "1 of-the-node", "2 of-the-node"]);
  });
});

describe("a worker", () => {
  it("says at its start which of its flags nobody knows", async () => {
    const { code, err } = await run(["worker", "task.ts", "T", "--num_proces", "2"]);
    expect(code).toBe(2);
    expect(err).toContain("num_process");
  });

  it("leaves when it was idle for --idle_exit", async () => {
    const { code, err } = await run(["worker", "task.ts", "T", "--idle_exit", "1s"]);
    expect(code, err).toBe(0);
  });

  it("leaves a run of other code, and names the file; the run waits a while for one that has its code, or may differ", async () => {
    const [node, tolerant] = [worker(), worker("--once", "--allow-code-drift")];
    await until(() => node.said().includes("waits for runs") && tolerant.said().includes("waits for runs"));
    tolerant.child.kill("SIGSTOP");
    writeFileSync(join(dir, "task.ts"), `${task}\n// changed\n`);
    const coordinator = start(["task.ts", "T", ...fleet]);
    await until(() => /the code of T differs on this node .*task\.ts differs/.test(coordinator.said()));
    tolerant.child.kill("SIGCONT");
    expect((await coordinator.ended).code, coordinator.said()).toBe(0);
    expect(journal()).toHaveLength(20);
    expect(node.said()).toMatch(/task\.ts differs/);
  });
});
