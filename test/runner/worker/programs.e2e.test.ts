import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { PidBoard } from "../../../dist/src/runner/worker/programs/board.js";
import { ItemPrograms } from "../../../dist/src/runner/worker/programs/item-programs.js";
import { SpawnerPool } from "../../../dist/src/runner/worker/programs/pool.js";
import type { ProgramEnd, ProgramOptions } from "../../../src/contracts/task.js";
import { until } from "../../faults/harness/command.js";
import { processesWith } from "../../faults/harness/processes.js";

/** Programs that a spawner starts for one attempt. */
interface Attempt {
  readonly programs: ItemPrograms;
  readonly spawned: (readonly [seq: number, pid: number])[];
  readonly spawners: () => number[];
  readonly run: (script: string, options?: ProgramOptions) => Promise<ProgramEnd>;
}

const spawnerProgram = new URL("../../../dist/src/runner/worker/programs/process.cjs", import.meta.url).pathname;
const linux = process.platform === "linux";
const dir = mkdtempSync(join(tmpdir(), "spawner-test-"));
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

let runs = 0;
function attempt(concurrency = 2): Attempt & { pool: SpawnerPool } {
  const spawned: (readonly [number, number])[] = [];
  const run = `spawner-test-${process.pid}-${runs++}`;
  const pool = new SpawnerPool({
    setup: { run, owner: run, shape: { slots: concurrency, queue: 0 } },
    processStarted: (seq, pid) => void spawned.push([seq, pid]),
  });
  closing.push(() => pool.close());
  const programs = new ItemPrograms(7, pool);
  return {
    pool,
    programs,
    spawned,
    spawners: () => spawned.filter(([seq]) => seq === 0).map(([, pid]) => pid),
    run: (script, options = {}) => programs.run(["sh", "-c", script], options),
  };
}

const isAlive = (pid: number): boolean => {
  const state = spawnSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" }).stdout.trim();
  return state !== "" && !state.startsWith("Z");
};
const nothing = { text: "", leftOut: 0 };

describe("a program that is run", () => {
  test("ends with its code, or the signal that ended it", async () => {
    const { run } = attempt();
    expect(await run("exit 0")).toEqual({ code: 0, signal: null, stdout: nothing, stderr: nothing });
    expect(await run("exit 137")).toMatchObject({ code: 137, signal: null });
    expect(await run("kill -KILL $$")).toMatchObject({ code: null, signal: "SIGKILL" });
    expect(await run("kill -SEGV $$")).toMatchObject({ code: null, signal: "SIGSEGV" });
  });

  test("is given its words, directory, name and environment", async () => {
    const { programs } = attempt();
    const words = ["a b", "", "ünï", "new\nline", "$(x)", "\ud800".slice(1)];
    const said = await programs.run(["sh", "-c", 'printf "%s|" "$PWD" "$MINE" "$HOME" "$@"', "sh", ...words], {
      cwd: dir,
      env: { MINE: "yes" },
    });
    expect(said.stdout.text.split("|")).toEqual([dir, "yes", process.env.HOME, ...words, ""]);
    expect((await programs.run(["sh", "-c", "echo $0 $MINE"])).stdout.text).toBe("sh\n");
    if (linux) {
      // Nothing of ours stands open in it, where we were given nothing ourselves.
      const open = spawnSync("ls", ["/proc/self/fd"], { encoding: "utf8" }).stdout;
      expect((await programs.run(["ls", "/proc/self/fd"])).stdout.text).toBe(open);
      expect((await programs.run(["cat", "/proc/self/cmdline"])).stdout.text).toBe("cat\0/proc/self/cmdline\0");
    }
  });

  test("reads nothing, a text or a file; writes a file, to be shown, or nowhere", async () => {
    const { run } = attempt();
    const [from, to] = [join(dir, "from"), join(dir, "to")];
    writeFileSync(from, "of a file\n");
    writeFileSync(to, "something that stood there before");
    expect((await run("cat")).stdout).toEqual(nothing);
    for (const text of ["of a text, ünï 😀\n", "", "long ".repeat(200_000)])
      expect((await run("cat", { stdin: { text }, keepBytes: 2_000_000 })).stdout.text === text).toBe(true);
    expect((await run("cat; echo err >&2", { stdin: { path: from }, stdout: { path: to } })).stderr.text).toBe("err\n");
    expect(readFileSync(to, "utf8")).toBe("of a file\n");
    expect(await run("echo a; echo b >&2", { stdout: "none", stderr: "none" })).toMatchObject({
      stdout: nothing,
      stderr: nothing,
    });
  });

  test("says a lot: the end is kept, whole characters only, and how much came before is known", async () => {
    const { run } = attempt();
    const { stdout, stderr } = await run("echo short; yes ä | head -c 3000000 >&2", { keepBytes: 1001 });
    expect(stdout).toEqual({ text: "short\n", leftOut: 0 });
    expect(stderr).toEqual({ text: `\n${"ä\n".repeat(333)}`, leftOut: 2_999_000 });
    expect((await run("echo next >&2")).stderr, "the file is empty again").toEqual({ text: "next\n", leftOut: 0 });
  });

  test("is not there, may not be run, has no directory or no input: said with the system's code", async () => {
    const { programs, run } = attempt();
    await expect(programs.run(["no-such-program-at-all"], {})).rejects.toMatchObject({
      code: "ENOENT",
      syscall: "spawn no-such-program-at-all",
    });
    await expect(programs.run([dir], {})).rejects.toMatchObject({ code: "EACCES" });
    await expect(run("true", { cwd: join(dir, "gone") })).rejects.toMatchObject({ code: "ENOENT" });
    await expect(run("true", { stdin: { path: join(dir, "gone") } })).rejects.toMatchObject({ syscall: "open" });
    await expect(programs.run(["echo", "zero\0byte"], {})).rejects.toMatchObject({ code: "ERR_INVALID_ARG_VALUE" });
    expect((await run("echo well")).stdout.text).toBe("well\n");
  });

  test("is stopped with all it has started, in time or with force", async () => {
    const { programs, run } = attempt();
    const ready = (name: string): string => join(dir, `${name}-${runs}`);
    const polite = run(`trap 'echo bye; exit 3' TERM; touch ${ready("polite")}; sleep 60 & wait`, {});
    const stubborn = run(`trap '' TERM; touch ${ready("stubborn")}; sleep 60; sleep 60`, { killAfterMs: 100 });
    await until("both are ready", () => existsSync(ready("polite")) && existsSync(ready("stubborn")));
    programs.stop();
    expect(await polite).toMatchObject({ code: 3, stdout: { text: "bye\n" } });
    expect(await stubborn).toMatchObject({ signal: "SIGKILL" });
    expect(await run("sleep 60", {}), "one that is run when all is to stop").toMatchObject({ signal: "SIGTERM" });
  });

  test("leaves processes behind: they are reported, and killed when the attempt ends; their output is dropped", async () => {
    const { programs, run, spawned } = attempt(1);
    const { stdout } = await run("(sleep 0.3; echo late; sleep 60) & echo $!");
    const left = Number(stdout.text);
    expect(isAlive(left)).toBe(true);
    expect(spawned.filter(([seq]) => seq === 7)).toHaveLength(1);
    expect((await run("sleep 0.6; echo mine")).stdout.text).toBe("mine\n");
    programs.end();
    await until("it is gone", () => !isAlive(left));
  });

  test("is made known when it lives a while, by the number of its item", async () => {
    const { run, spawned } = attempt();
    const { stdout } = await run("echo $$; sleep 0.4");
    expect(spawned.filter(([seq]) => seq !== 0)).toEqual([[7, Number(stdout.text)]]);
  });
});

describe("a spawner", () => {
  test("that is killed takes its programs along and fails them; the next is started by another", async () => {
    const { run, spawners } = attempt(1);
    const pid = Number((await run("echo $PPID")).stdout.text);
    expect(spawners()).toEqual([pid]);
    const file = join(dir, "pid");
    // Killed before it has noted whom it started, the spawner could not tell.
    const failed = run(`sleep 0.3; echo $$ > ${file}; exec sleep 60`).catch((error: Error) => error.message);
    await until("it runs", () => {
      try {
        return readFileSync(file, "utf8") !== "";
      } catch {
        return false;
      }
    });
    process.kill(pid, "SIGKILL");
    expect(await failed).toMatch(/the process that starts programs exited: SIGKILL/);
    await until("the program is gone", () => !isAlive(Number(readFileSync(file, "utf8"))));
    expect(Number((await run("echo $PPID")).stdout.text)).not.toBe(pid);
  });

  test("leads its own session, knows the run, and ends with its programs when the worker exits", async () => {
    const { pool, run, spawners } = attempt(1);
    run("sleep 60").catch(() => {});
    const childOf = (parent: number | undefined): string =>
      spawnSync("ps", ["-o", "pid=", "--ppid", String(parent)], { encoding: "utf8" }).stdout.trim();
    await until("the program runs", () => childOf(spawners()[0]) !== "");
    const [pid] = spawners();
    const session = spawnSync("ps", ["-o", "sid=", "-p", String(pid)], { encoding: "utf8" }).stdout.trim();
    expect(session).toBe(String(pid));
    const runId = `spawner-test-${process.pid}-${runs - 1}`;
    if (linux) expect(processesWith(`KAGURAZAKA_RUN=${runId}`)).toHaveLength(1);
    const child = childOf(pid);
    pool.close();
    await until("both are gone", () => !isAlive(pid!) && !isAlive(Number(child)));
  });

  test("ends without a word when a program ends whose worker has exited", async () => {
    using board = new PidBoard();
    const child = spawn(process.execPath, [spawnerProgram], { stdio: ["pipe", "pipe", "pipe", board.fd] });
    let said = "";
    child.stderr!.on("data", (piece) => (said += piece));
    const ended = once(child, "close");
    child.stdout!.destroy();
    const job = { id: 1, slot: 0, argv: ["true"], env: {}, keepBytes: 100 };
    child.stdin!.write(`${JSON.stringify({ env: process.env, tmpDir: dir })}\n${JSON.stringify(job)}\n`);
    expect([await ended, said]).toEqual([[0, null], ""]);
  });

  test("is one for each program at once, and no more than there are cores", async () => {
    const { run, spawners } = attempt(64);
    await run("true");
    expect(spawners()).toHaveLength(1);
    const parents = await Promise.all(Array.from({ length: 12 }, () => run("echo $PPID; sleep 0.1")));
    expect(new Set(parents.map(({ stdout }) => stdout.text)).size).toBe(spawners().length);
    expect(spawners().length).toBeLessThanOrEqual(12);
  });

  test.runIf(linux)(
    "after 2000 programs holds no file and no process of theirs",
    async () => {
      const { run, programs, spawners } = attempt(2);
      const open = (): number[] => spawners().map((pid) => readdirSync(`/proc/${pid}/fd`).length);
      await Promise.all([run("echo a; echo b >&2"), run("echo a; echo b >&2")]);
      await Promise.allSettled([programs.run(["nope"], {}), programs.run(["nope"], {})]);
      const before = open();
      let started = 0;
      const lane = async (): Promise<void> => {
        while (started++ < 2000)
          if (started % 40 === 0) await expect(programs.run(["nope"], {})).rejects.toThrow("ENOENT");
          else if (started % 10 === 0)
            await run("echo x; cat", { stdin: { text: "y" }, stdout: { path: "/dev/null" } });
          else await programs.run(["true"], {});
      };
      await Promise.all([lane(), lane()]);
      expect(open()).toEqual(before);
      const children = spawners().map(
        (pid) => spawnSync("ps", ["-o", "pid=", "--ppid", String(pid)], { encoding: "utf8" }).stdout,
      );
      expect(children).toEqual(["", ""]);
      expect(readdirSync(tmpdir()).filter((name) => name.startsWith(`kagurazaka-run-${spawners()[0]}-`))).toEqual([]);
    },
    60_000,
  );
});

afterEach(() => rmSync(join(dir, "pid"), { force: true }));
