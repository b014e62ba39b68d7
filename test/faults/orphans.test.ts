import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { fixture, type Started, sleep, startCommand, until } from "./harness/command.js";
import { readNotes } from "./harness/disk.js";
import { processesNamed, processesWith } from "./harness/processes.js";
import { createDice, report } from "./harness/seeds.js";
import { mayMount } from "./harness/small-disk.js";
import { openWorkplace, type Workplace } from "./harness/workplace.js";

let workplace: Workplace;
beforeAll(() => {
  workplace = openWorkplace("orphans");
});
afterAll(() => workplace[Symbol.dispose]());

const markers: string[] = [];
afterEach(() => {
  // A test that fails must not leave processes behind.
  for (const marker of markers.splice(0)) for (const pid of processesWith(marker)) process.kill(pid, "SIGKILL");
});

interface Running {
  readonly command: Started;
  readonly starts: () => string[];
  /** All that was started by this command, itself included while it lives, and is there still. */
  readonly left: () => number[];
  readonly guardians: () => number[];
}

let runs = 0;
function start(
  isolation: string,
  { env, extra = [], within }: { env?: Record<string, string>; extra?: readonly string[]; within?: readonly string[] },
): Running {
  const name = `run-${runs++}`;
  const marker = `FAULTS_MARKER=${process.pid}-${name}`;
  markers.push(marker);
  workplace.write({ [`${name}/.keep`]: "" });
  const notes = workplace.path(`${name}-starts`);
  const args = [fixture("stubborn.ts"), "Stubborn", "--backbone", "mp", "--num_process", "2", "--concurrency", "4"];
  const how = ["--isolation", isolation, "--progress", "none", "--retries", "0", ...extra];
  const command = startCommand([...args, ...how], {
    cwd: workplace.path(name),
    env: {
      KAGURAZAKA_CACHE_DIR: workplace.path("cache"),
      FAULTS_STARTS: notes,
      FAULTS_MARKER: marker.split("=")[1]!,
      ...env,
    },
    ...(within ? { within } : {}),
  });
  const runsDir = join(workplace.path(name), ".kagurazaka", "Stubborn", "runs");
  return {
    command,
    starts: () => readNotes(notes),
    left: () => processesWith(marker),
    guardians: () => readdirSync(runsDir).flatMap(processesNamed),
  };
}

const linux = process.platform === "linux";

describe.runIf(linux).each(["thread", "process"])("programs that ignore SIGTERM, each worker a %s", (isolation) => {
  test("are gone when their items have ended, and so is the shell that would have outlived us", async () => {
    const run = start(isolation, {});
    const { code, stderr } = await run.command.ended;
    expect(code, stderr).toBe(0);
    expect(run.starts()).toHaveLength(8);
    await until("nothing is left", () => run.left().length === 0, 2000);
    await until("the guardian is gone", () => run.guardians().length === 0, 2000);
  });

  test("are gone when their items ran out of time", async () => {
    const run = start(isolation, { env: { FAULTS_SLEEP_MS: "60000", FAULTS_ITEMS: "4" }, extra: ["--timeout", "1s"] });
    const { code, stderr } = await run.command.ended;
    expect(code, stderr).toBe(3);
    await until("nothing is left", () => run.left().length === 0, 2000);
  });

  test("are gone after Ctrl-C", async () => {
    const run = start(isolation, { env: { FAULTS_SLEEP_MS: "60000" }, extra: ["--grace", "200ms"] });
    await until("items run", () => run.starts().length === 4);
    expect(run.left().length).toBeGreaterThan(10);
    run.command.kill("SIGINT");
    const { code, stderr } = await run.command.ended;
    expect(code, stderr).toBe(130);
    await until("nothing is left", () => run.left().length === 0, 2000);
  });

  test.each(["", "spin"])("are gone after SIGKILL of the coordinator, workers included %s", async (then) => {
    const env = { FAULTS_SLEEP_MS: "60000", FAULTS_THEN: then, FAULTS_LEAVER: "1" };
    const run = start(isolation, { env });
    await until("items run", () => run.starts().length === (then === "spin" ? 2 : 4));
    const before = run.left().length;
    expect(before).toBeGreaterThan(10);
    const at = performance.now();
    run.command.signal("SIGKILL");
    await run.command.ended;
    await until("nothing is left", () => run.left().length === 0, 5000);
    report(`SIGKILL of the coordinator with a ${isolation} for each worker`, {
      processes: before,
      "gone after ms": performance.now() - at,
    });
    await until("the guardian is gone", () => run.guardians().length === 0, 5000);
  });

  test("are gone after SIGKILL of the coordinator at any moment", async () => {
    const dice = createDice(isolation.length);
    let caught = 0;
    for (let round = 0; round < 6; round++) {
      const run = start(isolation, { env: { FAULTS_SLEEP_MS: "5", FAULTS_ITEMS: "4000" } });
      await until("items run", () => run.starts().length > 0);
      await sleep(dice.number(150));
      caught += run.left().length;
      run.command.signal("SIGKILL");
      await run.command.ended;
      await until("nothing is left", () => run.left().length === 0, 5000);
    }
    expect(caught).toBeGreaterThan(20);
  });

  test("what has left its group on purpose stays after a run that ended in order", async () => {
    const run = start(isolation, { env: { FAULTS_ITEMS: "2", FAULTS_LEAVER: "1" } });
    const { code, stderr } = await run.command.ended;
    expect(code, stderr).toBe(0);
    await until("the guardian is gone", () => run.guardians().length === 0, 2000);
    await sleep(300);
    expect(run.left()).toHaveLength(2);
  });
});

test("children of items know their run, key and attempt", async () => {
  workplace.write({
    "told.ts": `
      import { KagurazakaTask } from "kagurazaka";
      import { text } from "node:stream/consumers";
      export class Told extends KagurazakaTask<{ key: string }> {
        *generateTasks() { yield { key: "a b" }; yield { key: "zero \\0 byte" }; }
        keyOf({ key }) { return key; }
        async process(_, ctx) {
          const child = ctx.spawn("sh", ["-c", 'echo "$KAGURAZAKA_RUN|$KAGURAZAKA_KEY|$KAGURAZAKA_ATTEMPT|$MINE"'], { env: { PATH: process.env.PATH, MINE: "yes" } });
          const said = (await text(child.stdout)).trim();
          if (said !== [ctx.run, ctx.key.includes("\\0") ? "" : ctx.key, "1", "yes"].join("|")) throw new Error(said);
        }
      }`,
  });
  const { code, stderr } = await startCommand([workplace.path("told.ts"), "Told", "--progress", "none"], {
    cwd: workplace.dir,
    env: { KAGURAZAKA_CACHE_DIR: workplace.path("cache") },
  }).ended;
  expect(code, stderr).toBe(0);
});

const notBecause = mayMount ? "" : " (skipped: hiding /bin/sh takes root on Linux)";
test.runIf(mayMount)(`without /bin/sh there is one warning, and the run goes on${notBecause}`, async () => {
  const hidden = 'mount --bind /dev/null "$(readlink -f /bin/sh)" && exec "$@"';
  const within = ["unshare", "--mount", "bash", "-c", hidden, "bash"];
  const run = start("thread", { env: { FAULTS_PROGRAM: "sleep" }, within });
  const { code, stderr } = await run.command.ended;
  expect(code, stderr).toBe(0);
  expect(stderr.match(/cannot start \/bin\/sh/g), stderr).toHaveLength(1);
  await until("nothing is left", () => run.left().length === 0, 2000);
});
