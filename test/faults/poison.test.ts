import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fixture, productRoot, runCommand } from "./harness/command.js";
import { readLedger, readNotes } from "./harness/disk.js";
import { report } from "./harness/seeds.js";
import { openWorkplace, type Workplace } from "./harness/workplace.js";

let workplace: Workplace;
beforeAll(() => {
  workplace = openWorkplace("poison");
});
afterAll(() => workplace[Symbol.dispose]());

/** What becomes of each: done, or failed with this code (`-`: an error without one). */
const expected: Readonly<Record<string, string>> = {
  throw: "-",
  "throw-null": "-",
  "throw-frozen": "-",
  "throw-text": "-",
  "throw-proxy": "-",
  "throw-circle": "-",
  "throw-own-cause": "-",
  "throw-hostile-message": "-",
  "throw-hostile-stack": "-",
  "throw-hostile-code": "-",
  "throw-long": "-",
  "reject-undefined": "-",
  "then-throws": "-",
  "then-twice": "done",
  exit: "crash",
  "exit-later": "crash",
  "out-of-memory": "crash",
  spin: "timeout",
  never: "timeout",
  "late-throw": "done",
  "late-rejection": "done",
  "huge-result": "done",
  "circular-result": "done",
  "function-result": "done",
  "hostile-result": "done",
};

/** What native code does: signals, and nothing JavaScript could catch. */
const native: Readonly<Record<string, string>> = {
  segv: "crash",
  abort: "crash",
  "kill-9": "crash",
  "segv-later": "crash",
};

async function runTask(
  name: string,
  task: string,
  extra: readonly string[],
  env: Readonly<Record<string, string>> = {},
) {
  const dir = workplace.path(name);
  workplace.write({ [`${name}/.keep`]: "" });
  const notes = join(dir, "starts");
  const args = [fixture("poison.ts"), task, "--backbone", "mp", "--num_process", "2", "--progress", "none", "--json"];
  const ended = await runCommand(
    [...args, "--backoff", "1ms:5ms", "--retries", "0", "--max-failures", "none", ...extra],
    {
      cwd: dir,
      env: { KAGURAZAKA_CACHE_DIR: workplace.path("cache"), FAULTS_STARTS: notes, ...env },
    },
  );
  const { outcomes } = readLedger(join(dir, ".kagurazaka", task, "ledger"));
  return { ...ended, outcomes, notes: readNotes(notes) };
}

/** A thread's native crash ends all: these only in processes. */
const expectedInProcesses: typeof expected = { ...expected, ...native };

let tries = 0;
const V8_GAVE_UP = /FATAL ERROR: Reached heap limit/;

test.each([
  ["thread", 1],
  ["thread", 8],
  ["process", 1],
  ["process", 8],
] as const)(
  "1,000 good items among every poison all get done, exactly once, each worker a %s, at concurrency %i",
  async (isolation, concurrency) => {
    const fatesWanted = isolation === "process" ? expectedInProcesses : expected;
    // A message of 20 MB with its stack is more than a process of 32 MB can hold.
    const maxHeap = isolation === "process" ? "64MB" : "32MB";
    // To fill the heap takes time, too, more on a busy machine.
    const patience = ["--timeout", "3s", "--max_heap", maxHeap];
    const extra = [...patience, "--concurrency", `${2 * concurrency}`, "--isolation", isolation];
    // What a try has left is in no other's way.
    const name = `all-${isolation}-${concurrency}-${tries++}`;
    const env = { FAULTS_POISONS: Object.keys(fatesWanted).join() };
    let ended = await runTask(name, "Poisoned", extra, env);
    // A thread that is out of memory ends alone, but where V8 notices it too late (seen under load): then the whole process
    // ends, as of a native crash, and the same command goes on.
    let processDeaths = 0;
    while (isolation === "thread" && V8_GAVE_UP.test(ended.stderr) && ++processDeaths <= 3)
      ended = await runTask(name, "Poisoned", extra, env);
    const { code, stderr, stdout, outcomes, elapsedMs } = ended;
    expect(code, stderr.slice(-4000)).toBe(3);
    const fates: Record<string, string> = {};
    const done: string[] = [];
    for (const { key, status, code: why } of outcomes) {
      if (status === "done") done.push(key);
      if (key in fatesWanted) fates[key] = status === "failed" ? (why ?? "-") : status;
      else expect(status, key).toBe("done");
    }
    expect(fates).toEqual(fatesWanted);
    expect(new Set(done).size).toBe(done.length);
    expect(done.filter((key) => key.startsWith("good"))).toHaveLength(1000);
    const poisons = Object.keys(fatesWanted).length;
    const failed = Object.values(fatesWanted).filter((fate) => fate !== "done").length;
    if (processDeaths === 0)
      expect(JSON.parse(stdout).counts).toMatchObject({ done: 1000 + poisons - failed, failed, cancelled: 0 });
    // Bounded: those that have to be killed take 5 s each time.
    expect(elapsedMs).toBeLessThan(60_000);
    report(`poison in a ${isolation} at concurrency ${concurrency}`, {
      poisons,
      good: 1000,
      failed,
      "deaths of the whole process": processDeaths,
      ms: elapsedMs,
    });
  },
  120_000,
);

test("requested results: one that cannot be sent back fails only its item", async () => {
  const poisons = ["huge-result", "circular-result", "function-result", "hostile-result", "then-twice"];
  workplace.write({
    "values/run.mjs": `
      import { runTask } from ${JSON.stringify(join(productRoot, "dist/src/index.js"))};
      const fates = {};
      const onOutcome = ({ key, status, error, value }) => {
        fates[key] = error?.code ?? status;
        if (key === "good 7") fates.value = value;
      };
      const task = { file: ${JSON.stringify(fixture("poison.ts"))}, exportName: "Poisoned" };
      const { counts } = await runTask(task, { backbone: "mp", maxFailures: "none", backboneOptions: { numProcess: "2" }, hooks: { onOutcome } });
      process.stdout.write(JSON.stringify({ counts, fates }));
    `,
  });
  const { stdout, stderr } = spawnSync(process.execPath, [workplace.path("values/run.mjs")], {
    cwd: workplace.path("values"),
    env: {
      ...process.env,
      KAGURAZAKA_CACHE_DIR: workplace.path("cache"),
      FAULTS_ITEMS: "60",
      FAULTS_POISONS: poisons.join(),
    },
    encoding: "utf8",
    timeout: 60_000,
  });
  const { counts, fates } = JSON.parse(stdout || `{"stderr":${JSON.stringify(stderr)}}`);
  expect(counts).toMatchObject({ done: 61, failed: 4 });
  expect(fates.value).toBe(7);
  expect(Object.fromEntries(poisons.map((key) => [key, fates[key]]))).toEqual({
    "huge-result": "not-json",
    "circular-result": "not-json",
    "function-result": "not-json",
    "hostile-result": "not-json",
    "then-twice": "done",
  });
});

test.each([
  ["thread", "exit"],
  ["process", "exit"],
  ["process", "SIGSEGV"],
] as const)(
  "in a %s, an item that ends its worker by %s fails as crash after it was alone; those beside it are done and never blamed",
  async (isolation, how) => {
    const { code, stderr, outcomes, notes } = await runTask(
      `blame-${isolation}-${how}`,
      "Blame",
      ["--concurrency", "16", "--isolation", isolation],
      { FAULTS_KILLER: how },
    );
    expect(code, stderr).toBe(3);
    const failed = outcomes.filter(({ status }) => status === "failed");
    expect(failed.map(({ key, code }) => [key, code])).toEqual([["killer", "crash"]]);
    const done = outcomes.filter(({ status }) => status === "done").map(({ key }) => key);
    expect(done).toHaveLength(63);
    expect(new Set(done).size).toBe(63);
    const alone = begunAlone(notes, "killer");
    expect(alone.slice(-2)).toEqual([true, true]);
    if (how !== "exit") expect(stderr).toContain(how);
    report(`crash blame, ${how} of a ${isolation}`, {
      "killer tried": alone.length,
      innocents: done.length,
      "innocents begun": notes.filter((line) => line.startsWith("begin innocent")).length,
    });
  },
);

/** For each time the item began: whether nothing else was running in its thread until the thread's end. */
function begunAlone(notes: readonly string[], key: string): boolean[] {
  const open = new Map<string, Set<string>>();
  const answers: boolean[] = [];
  for (const line of notes) {
    const [, what, name, thread] = /^(begin|end) (.+) (\S+)$/.exec(line)!;
    const running = open.get(thread!) ?? open.set(thread!, new Set()).get(thread!)!;
    if (what === "end") running.delete(name!);
    else {
      if (name === key) answers.push(running.size === 0);
      running.add(name!);
    }
  }
  return answers;
}

test.each([
  ["thread", 1],
  ["thread", 4],
  ["process", 1],
  ["process", 4],
] as const)(
  "items that throw after they are done cost their neighbours nothing, each worker a %s, at concurrency %i",
  async (isolation, concurrency) => {
    const { code, stderr, outcomes, elapsedMs } = await runTask(`late-${isolation}-${concurrency}`, "LateThrowers", [
      "--concurrency",
      `${2 * concurrency}`,
      "--isolation",
      isolation,
    ]);
    expect(outcomes.filter(({ status }) => status !== "done").map(({ key, code }) => [key, code])).toEqual([]);
    expect(outcomes).toHaveLength(60);
    expect(code, stderr).toBe(0);
    report(`late throws in a ${isolation} at concurrency ${concurrency}`, {
      "late throwers": 30,
      innocents: 30,
      ms: elapsedMs,
    });
  },
);
