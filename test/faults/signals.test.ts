import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { fixture, isRunning, type Started, startCommand, until } from "./harness/command.js";
import { doneTwice, leftovers, readLedger, readNotes } from "./harness/disk.js";
import { report } from "./harness/seeds.js";
import { openWorkplace, type Workplace } from "./harness/workplace.js";

let workplace: Workplace;
beforeAll(() => {
  workplace = openWorkplace("signals");
});
afterAll(() => workplace[Symbol.dispose]());

const pidFiles: string[] = [];
afterEach(() => {
  // A test that fails must not leave processes behind.
  for (const file of pidFiles.splice(0)) {
    for (const pid of pidsIn(file)) if (isRunning(pid)) process.kill(pid, "SIGKILL");
  }
});

const pidsIn = (file: string): number[] => readNotes(file).flatMap((line) => line.split(" ").map(Number));

interface Running {
  readonly command: Started;
  readonly starts: () => string[];
  readonly children: () => number[];
  readonly done: () => string[];
}

let runs = 0;
function startIn(
  isolation: string,
  name: string,
  env: Readonly<Record<string, string>>,
  extra: readonly string[],
): Running {
  const dir = workplace.path(isolation, name);
  const run = runs++;
  const [notes, pids] = [workplace.path(`starts-${run}`), workplace.path(`pids-${run}`)];
  pidFiles.push(pids);
  workplace.write({ [`${isolation}/${name}/.keep`]: "" });
  const args = [
    fixture("spawners.ts"),
    "Spawners",
    "--backbone",
    "mp",
    "--num_process",
    "2",
    "--concurrency",
    "4",
    "--isolation",
    isolation,
  ];
  const command = startCommand([...args, "--progress", "none", "--backoff", "1ms:2ms", "--retries", "0", ...extra], {
    cwd: dir,
    env: { KAGURAZAKA_CACHE_DIR: workplace.path("cache"), FAULTS_STARTS: notes, FAULTS_PIDS: pids, ...env },
  });
  return {
    command,
    starts: () => readNotes(notes),
    children: () => pidsIn(pids),
    done: () => {
      const { outcomes } = readLedger(join(dir, ".kagurazaka", "Spawners", "ledger"));
      expect(doneTwice(outcomes)).toEqual([]);
      return outcomes.filter(({ status }) => status === "done").map(({ key }) => key);
    },
  };
}

async function allGone(pids: readonly number[]): Promise<void> {
  expect(pids.length).toBeGreaterThan(1);
  await until("children of items are gone", () => !pids.some(isRunning), 2000);
}

describe.each(["thread", "process"] as const)("signals, each worker a %s", (isolation) => {
  const start = (name: string, env: Readonly<Record<string, string>>, extra: readonly string[] = []): Running =>
    startIn(isolation, name, env, extra);

  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s lets what runs finish and records it; the same command does the rest", async (signal, exit) => {
    const first = start(`drain-${signal}`, { FAULTS_SLEEP_MS: "150" });
    await until("items are done", () => first.starts().length >= 8);
    first.command.signal(signal);
    const { code, stderr } = await first.command.ended;
    expect(code, stderr).toBe(exit);
    // Everything begun was finished.
    expect(first.done().sort()).toEqual(first.starts().sort());
    await allGone(first.children());
    const second = start(`drain-${signal}`, { FAULTS_SLEEP_MS: "1" });
    const ended = await second.command.ended;
    expect(ended.code, ended.stderr).toBe(0);
    expect(second.starts().filter((key) => first.starts().includes(key))).toEqual([]);
    expect(second.done()).toHaveLength(40);
    expect(leftovers(workplace.path(isolation, `drain-${signal}`))).toEqual([]);
    report(`${signal} drains, ${isolation}`, {
      "done at the signal": first.starts().length,
      "done after": second.starts().length,
    });
  });

  test("after --grace the rest is cancelled; it is not failed, and runs next time", async () => {
    const first = start("grace", { FAULTS_SLEEP_MS: "60000" }, ["--grace", "300ms"]);
    await until("children run", () => first.children().length >= 8);
    const at = performance.now();
    first.command.signal("SIGINT");
    const { code, stderr } = await first.command.ended;
    expect(code, stderr).toBe(130);
    expect(performance.now() - at).toBeLessThan(5000);
    expect(first.done()).toEqual([]);
    await allGone(first.children());
  });

  test("a second signal ends at once, children of items and their children included; the run can be resumed", async () => {
    const first = start("second", { FAULTS_SLEEP_MS: "60000" });
    await until("children run", () => first.children().length >= 8);
    first.command.signal("SIGINT");
    await until("it says that it drains", () => first.command.stderrSoFar.includes("once more to end now"));
    const at = performance.now();
    first.command.signal("SIGINT");
    const { code, stderr } = await first.command.ended;
    expect(code, stderr).toBe(130);
    expect(performance.now() - at).toBeLessThan(3000);
    await allGone(first.children());
    const again = start("second", { FAULTS_SLEEP_MS: "1" });
    expect((await again.command.ended).code).toBe(0);
    expect(again.done()).toHaveLength(40);
    await allGone(again.children());
  });

  test.each([
    ["spin", "timeout"],
    ["never", "timeout"],
    ["exit", "crash"],
  ])("children of an item that ends by %s are gone with it", async (then, why) => {
    const run = start(`children-${then}`, { FAULTS_THEN: then, FAULTS_ITEMS: "12" }, ["--timeout", "1s"]);
    const { code, stderr } = await run.command.ended;
    expect(code, stderr).toBe(3);
    expect(run.done()).toHaveLength(11);
    expect(stderr).toContain(why);
    await allGone(run.children());
    report(`children after ${then}, ${isolation}`, { processes: run.children().length, alive: 0 });
  });
});
