import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createPlace, type Place } from "./kagurazaka.js";

/** How a run's own process ends: by the task's code, by signals, and where nobody reads what it says. */

const bin = new URL("../../src/bin.cjs", import.meta.url).pathname;

function placeWith(members: string, { top = "" } = {}): Place {
  return createPlace({
    "t.ts": `import { KagurazakaTask } from "kagurazaka";
import { execFileSync } from "node:child_process";
import { writeSync } from "node:fs";
${top}
const never = new Promise<never>(() => {});
export class T extends KagurazakaTask<{ n: number }> {
  *generateTasks() { for (let n = 0; n < 3; n++) yield { n }; }
  keyOf({ n }) { return "k" + n; }
  process(item: { n: number }) {}
  ${members}
}`,
  });
}

const args = ["t.ts", "T", "--progress", "none"];
const ledger = (place: Place): string =>
  place
    .everything(".kagurazaka")
    .filter((name) => /ledger\/.*\.jsonl$/.test(name))
    .map((name) => place.read(join(".kagurazaka", name)))
    .join("");
const recorded = (place: Place): number => new Set(ledger(place).match(/"k":"k\d+"/g)).size;
const endOf = (place: Place) => {
  const name = place.everything(".kagurazaka").find((name) => name.endsWith("/run.json"))!;
  return JSON.parse(place.read(join(".kagurazaka", name))) as { state: string; exitCode: number };
};

describe.concurrent("code of the task that ends the coordinator's process is no success", () => {
  test.each([
    ["the top level", "", "process.exit(0);", "mp", /with code 0, in .*t\.ts:4/],
    [
      "generateTasks()",
      "*generateTasks() { yield { n: 1 }; process.exit(0); }",
      "",
      "mp",
      /T\.generateTasks \(.*t\.ts:10/,
    ],
    ["an item of inline", "process({ n }) { if (n === 1) process.exit(0); }", "", "inline", /T\.process \(.*t\.ts:10/],
    ["setup() of inline", "setup() { process.exit(0); }", "", "inline", /T\.setup /],
    ["finalize()", "async finalize() { await 0; process.exit(3); }", "", "mp", /with code 3, in T\.finalize /],
    ["idFor()", "static idFor() { process.exit(0); return 'x'; }", "", "mp", /idFor /],
  ])("%s calls process.exit", async (_, members, top, backbone, says) => {
    const { code, stderr } = await placeWith(members, { top }).run([...args, "--backbone", backbone]);
    expect(code, stderr).toBe(1);
    expect(stderr).toMatch(/error \[task-ended\] the task ended this process: process\.exit was called/);
    expect(stderr).toMatch(says);
  });

  test.each([
    ["the top level", "", "await new Promise(() => {});", "mp", "the top level of t.ts"],
    [
      "generateTasks()",
      "async *generateTasks() { yield { n: 1 }; await never; }",
      "",
      "inline",
      "generateTasks() of T",
    ],
    ["setup() of inline", "async setup() { await never; }", "", "inline", "setup() of T"],
    ["check()", "async check() { await never; }", "", "mp", "check() of T"],
    ["finalize()", "async finalize() { await never; }", "", "mp", "finalize() of T"],
  ])("%s never settles", async (_, members, top, backbone, name) => {
    const { code, stderr } = await placeWith(members, { top }).run([...args, "--backbone", backbone]);
    expect(code, stderr).toBe(1);
    expect(stderr).toContain(
      `error [task-ended] ${name} never ends: it awaits a promise that nothing is left to settle`,
    );
  });

  test("an item of inline that never settles ends the run; with --timeout it fails, and the others go on", async () => {
    const place = placeWith("async process({ n }) { if (n === 1) await never; }");
    const { code, stderr } = await place.run([...args, "--backbone", "inline"]);
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(
        /\[task-ended\] an item never ends: it awaits a promise that nothing is left to settle: k1/,
      ),
    ]);
    const timed = await place.run([...args, "--backbone", "inline", "--timeout", "100ms", "--retries", "0"]);
    expect([timed.code, recorded(place)], timed.stderr).toEqual([3, 3]);
  });

  test.each([
    ["exits", "process.exit(5);", /worker 0 ended in teardown\(\): .*code:? 5/],
    ["rejects by itself", "void Promise.reject(new Error('x')); await never;", /worker 0 ended in teardown\(\): x/],
    ["never ends", "await never;", /teardown\(\) of 1 worker has not ended within 1\.0s \(--grace\)/],
  ])("a teardown() that %s is told", async (_, code, says) => {
    const place = placeWith(`async teardown() { ${code} }`);
    const flags = ["--num_process", "1", "--grace", "1s"];
    for (const isolation of ["thread", "process"]) {
      const ended = await place.run([...args, ...flags, "--isolation", isolation, "--force"]);
      expect([ended.code, ended.stderr]).toEqual([0, expect.stringMatching(says)]);
    }
    expect(recorded(place)).toBe(3);
  });

  test("a listing that never settles, with workers in processes and in --dry-run", async () => {
    const place = placeWith("async *generateTasks() { yield { n: 1 }; await never; }");
    const [run, dryRun] = await Promise.all([
      place.run([...args, "--isolation", "process", "--num_process", "1"]),
      place.run([...args, "--dry-run"]),
    ]);
    for (const { code, stderr } of [run, dryRun]) {
      expect(code, stderr).toBe(1);
      expect(stderr).toContain("generateTasks() of T never ends");
    }
    expect(recorded(place)).toBe(1);
  });
});

describe.concurrent("messages are not what a run is about", () => {
  const shell = (place: Place, script: string) =>
    new Promise<{ code: number | null; stdout: string }>((resolve) => {
      const child = spawn("sh", ["-c", script, "sh", process.execPath, bin, ...args], { cwd: place.dir });
      let stdout = "";
      child.stdout.on("data", (piece) => (stdout += piece));
      child.on("close", (code) => resolve({ code, stdout }));
    });
  const talks = "process() { console.log('said'); }";

  test("a reader that goes away costs nothing", async () => {
    const place = placeWith(talks);
    const { child, ended } = place.start(args);
    child.stderr!.destroy();
    expect((await ended).code).toBe(0);
    expect(recorded(place)).toBe(3);
  });

  test.runIf(process.platform === "linux")(
    "nor does a full disk, also where something else writes to descriptor 1",
    async () => {
      const place = placeWith("process() { writeSync(1, 'raw '.repeat(50_000)); }");
      const { code, stdout } = await shell(place, 'exec "$@" --json 2> /dev/full');
      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ counts: { done: 3 }, exitCode: 0 });
    },
  );

  test.runIf(process.platform === "linux")(
    "an object of --json that does not arrive is exit 7, and the run is recorded",
    async () => {
      const place = placeWith(talks);
      const { stdout } = await shell(place, '"$@" --json 2> e > /dev/full; echo $?');
      expect(stdout).toBe("7\n");
      expect(place.read("e")).toContain(
        "error [environment] standard output cannot be written: No space left on device\n",
      );
      expect(recorded(place)).toBe(3);
    },
  );

  test("a run with --json that is killed at its start leaves nobody who holds its standard error", async () => {
    const place = placeWith(talks);
    for (let ms = 0; ms < 300; ms += 20) {
      const child = spawn(process.execPath, [bin, ...args, "--json"], {
        cwd: place.dir,
        stdio: ["ignore", "pipe", "pipe"],
      });
      for (const stream of [child.stdout, child.stderr]) stream.resume();
      setTimeout(() => child.kill("SIGKILL"), ms);
      await once(child, "close");
    }
  });

  test.each(["inline", "mp"])("--json has standard output for itself, on %s", async (backbone) => {
    const print = (text: string): string =>
      `writeSync(1, "${text}\\n"); execFileSync("echo", ["${text} of a child"], { stdio: "inherit" }); console.log("${text} log");
      execFileSync("sh", ["-c", "echo ${text} by name > /dev/stdout"], { stdio: "inherit" });`;
    const place = placeWith(`process() { ${print("item")} } finalize() { ${print("end")} }`, { top: print("top") });
    const { stdout, stderr } = await place.run([...args, "--backbone", backbone, "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ counts: { done: 3 } });
    expect(stdout.split("\n")).toHaveLength(2);
    for (const text of ["item", "end", "top"])
      for (const line of [text, `${text} of a child`, `${text} log`, `${text} by name`]) expect(stderr).toContain(line);
  });
});

describe.concurrent("signals", () => {
  // The first item sends the signal; the others come later.
  const members = `static defaults = { num_process: 1 };
    async process({ n }) { if (n === 0) process.kill(process.pid, "SIGHUP"); else await new Promise((r) => setTimeout(r, 200)); }`;

  test("SIGHUP ends a run in order: exit 129, and what ran is recorded", async () => {
    const place = placeWith(members);
    const { code, stderr } = await place.run(args, { _: "/usr/bin/node" });
    expect(code, stderr).toBe(129);
    expect(stderr).toContain("SIGHUP: letting up to");
    expect(endOf(place)).toMatchObject({ state: "ended" });
    expect(recorded(place)).toBeGreaterThan(0);
  });

  test.runIf(process.platform === "linux")("a SIGHUP that the parent ignores is ignored", () => {
    const place = placeWith(members);
    const script = `trap '' HUP; "$@"; exit $?`;
    const { status } = spawnSync("sh", ["-c", script, "sh", process.execPath, bin, ...args], { cwd: place.dir });
    expect(status).toBe(0);
    expect(recorded(place)).toBe(3);
  });

  test("the second signal ends a run whose finalize() takes long; everything is recorded", async () => {
    const place = placeWith(`async finalize() {
      process.kill(process.pid, "SIGINT");
      setTimeout(() => process.kill(process.pid, "SIGINT"), 100);
      await new Promise((r) => setTimeout(r, 600_000));
    }`);
    const { code, stderr } = await place.run(args);
    expect(code, stderr).toBe(130);
    expect(endOf(place)).toMatchObject({ state: "ended", exitCode: 130 });
    expect(recorded(place)).toBe(3);
  });

  test("after the first signal, finalize() has the time of --grace", async () => {
    const place = placeWith(`async finalize() {
      process.kill(process.pid, "SIGTERM");
      await new Promise((r) => setTimeout(r, 600_000));
    }`);
    const { code } = await place.run([...args, "--grace", "100ms"]);
    expect(code).toBe(143);
    expect(endOf(place)).toMatchObject({ state: "ended" });
  });
});

describe.concurrent("what is missing on this machine is no defect of kagurazaka", () => {
  test("a working directory that was removed", () => {
    const place = placeWith("");
    const script = 'mkdir gone && cd gone && rmdir ../gone && exec "$@"';
    const words = [process.execPath, bin, "@word-count", "--in", place.dir, "--out", place.path("out")];
    const { status, stderr } = spawnSync("sh", ["-c", script, "sh", ...words], { cwd: place.dir, encoding: "utf8" });
    expect(status).toBe(7);
    expect(stderr).toContain("error [environment] the working directory is gone");
  });
});

test.runIf(process.platform === "linux")("a loop that prints does not fill the memory", async () => {
  const place = placeWith(`static defaults = { num_process: 1 };
    process({ n }) { if (n === 0) for (let i = 0; i < 4000; i++) process.stdout.write("x".repeat(100_000)); }
    finalize() { require("node:fs").writeFileSync("rss", String(process.resourceUsage().maxRSS)); }`);
  place.write({
    "t.ts": place
      .read("t.ts")
      .replace("import { writeSync }", "import { writeFileSync, writeSync }")
      .replace('require("node:fs").', ""),
  });
  const { child, ended } = place.start(args);
  child.stderr!.destroy();
  expect((await ended).code).toBe(0);
  expect(Number(readFileSync(place.path("rss"), "utf8")) / 1024).toBeLessThan(300);
});
