import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { text } from "node:stream/consumers";
import { Worker } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import { type Outcome, runTask } from "../../dist/src/index.js";
import type { SampleItem } from "../../src/testing/sample-task.js";
import { counts, createPlace, type Place, sampleTask, taskFile, until } from "./kagurazaka.js";

process.env.KAGURAZAKA_CACHE_DIR ??= createPlace().path("cache");

/** `runTask()`: the whole product without a command line. */
function sampleOptions(place: Place, items: readonly SampleItem[]) {
  place.write({ "plan.jsonl": items.map((item) => `${JSON.stringify(item)}\n`).join("") });
  return {
    runDir: place.path("state"),
    taskOptions: { plan: place.path("plan.jsonl"), journal: place.path("journal") },
  };
}

describe.concurrent("runTask", () => {
  test("aborted by its signal before its end, it resolves with exit code 130 and an error", async () => {
    const place = createPlace();
    const abort = new AbortController();
    const items = Array.from({ length: 20 }, (_, i) => ({ id: `i${i}` }));
    const result = await runTask(sampleTask, {
      ...sampleOptions(place, items),
      backbone: "inline",
      signal: abort.signal,
      hooks: { onOutcome: () => abort.abort() },
    });
    expect(result).toMatchObject({ exitCode: 130, error: { code: "interrupted" } });
    expect(result.counts.cancelled).toBeGreaterThan(0);
  });

  test("aborted before it began, it runs nothing; a dry run ends as well", async () => {
    const place = createPlace();
    const options = { ...sampleOptions(place, [{ id: "a" }]), backbone: "inline", signal: AbortSignal.abort() };
    for (const dryRun of [false, true])
      expect(await runTask(sampleTask, { ...options, dryRun })).toMatchObject({
        exitCode: 130,
        error: { code: "interrupted" },
        counts: { done: 0 },
      });
    expect(place.journal("start")).toEqual([]);
  });

  test.each(["inline", "mp"])(
    "rejects with what a hook throws, after recording what has settled (%s)",
    async (backbone) => {
      const place = createPlace();
      const items = Array.from({ length: 20 }, (_, i) => ({ id: `i${i}` }));
      const options = { ...sampleOptions(place, items), backbone };
      const mine = new Error("mine");
      const hooks = {
        onOutcome: () => {
          throw mine;
        },
      };
      await expect(runTask(sampleTask, { ...options, hooks })).rejects.toBe(mine);
      const done = place.journal("start").length;
      const rest = await runTask(sampleTask, options);
      expect([rest.counts, done > 0]).toEqual([counts({ skipped: done, done: 20 - done }), true]);
    },
  );

  test("process.exit(0) in code of the task is no success of the program", async () => {
    const place = createPlace({
      "t.ts": `import { KagurazakaTask } from "kagurazaka";
        export class T extends KagurazakaTask<any> { *generateTasks() { yield { n: 1 }; } async process() { await 0; process.exit(0); } }`,
    });
    const index = JSON.stringify(new URL("../../dist/src/index.js", import.meta.url).href);
    const code = `const { runTask } = await import(${index}); await runTask({ file: "t.ts" }, { backbone: "inline" });`;
    const ended = spawnSync(process.execPath, ["--input-type=module", "-e", code], {
      cwd: place.dir,
      encoding: "utf8",
    });
    expect([ended.status, ended.stderr]).toEqual([1, expect.stringMatching(/\[task-ended\].*in T\.process /)]);
    const own = `${code.replace("await runTask", "setTimeout(() => process.exit(0), 50); await runTask").replace("t.ts", "u.ts")}`;
    place.write({
      "u.ts": place.read("t.ts").replace("process.exit(0)", "await new Promise((r) => setTimeout(r, 5000))"),
    });
    expect(spawnSync(process.execPath, ["--input-type=module", "-e", own], { cwd: place.dir }).status).toBe(0);
  });

  test("aborted when everything has settled, it is a success", async () => {
    const place = createPlace();
    const abort = new AbortController();
    const hooks = { onOutcome: () => abort.abort() };
    const options = { ...sampleOptions(place, [{ id: "a" }]), backbone: "inline", signal: abort.signal, hooks };
    expect(await runTask(sampleTask, options)).toMatchObject({ exitCode: 0, error: undefined });
  });

  test("inline in a worker thread leaves that thread's output as it was, also where the run fails", async () => {
    const place = createPlace();
    const { runDir, taskOptions } = sampleOptions(place, [{ id: "a" }]);
    const options = JSON.stringify({ backbone: "inline", runDir, taskOptions, retries: 0 });
    const code = `
      const { runTask } = await import(${JSON.stringify(new URL("../../dist/src/index.js", import.meta.url).href)});
      const before = process.stdout.write;
      const options = ${options};
      await runTask(${JSON.stringify(sampleTask)}, options);
      await runTask(${JSON.stringify(sampleTask)}, { ...options, taskOptions: { ...options.taskOptions, plan: "none" } }).catch(() => {});
      console.log(process.stdout.write === before ? "as before" : "replaced");`;
    const thread = new Worker(`import("data:text/javascript," + ${JSON.stringify(encodeURIComponent(code))})`, {
      eval: true,
      stdout: true,
    });
    expect(await text(thread.stdout)).toContain("as before\n");
  });

  test("resolves with counts, stats and exit code; items that fail do not reject", async () => {
    const place = createPlace();
    const result = await runTask(sampleTask, {
      ...sampleOptions(place, [
        { id: "a" },
        { id: "b", act: "permanent" },
        { id: "c", act: "throw", times: 1 },
        { id: "d", act: "filter", message: "no" },
      ]),
      backbone: "mp",
      backboneOptions: { numProcess: 2 },
      backoff: { minMs: 1, maxMs: 2 },
      retries: 1,
    });
    expect(result).toMatchObject({
      task: "sample",
      backbone: "mp",
      exitCode: 3,
      outputRoot: null,
      failedInTotal: 1,
      counts: counts({ done: 2, failed: 1, filtered: 1 }),
    });
    expect(result.error).toBeUndefined();
    expect(result.stats).toMatchObject({
      retries: 1,
      counts: result.counts,
      failures: [{ class: "PermanentError: no good: b", count: 1 }],
    });
    expect(result.stats.slowest.map(({ key }) => key).sort()).toEqual(["a", "b", "c", "d"]);
  });

  test.each([
    {},
    { force: "new", retryFailed: false, limit: 3, shuffle: true, durable: true },
    { backbone: "mp", redo: ["code"], concurrency: 4, skipFailed: true },
    { retryFailed: true },
  ])("with dryRun and %j runs no item, writes nothing, and says what would run", async (more) => {
    const place = createPlace();
    const heard: unknown[] = [];
    const options = { ...sampleOptions(place, [{ id: "a" }, { id: "b" }, { id: "" }]), ...more };
    const before = place.everything();
    const hooks = {
      onStart: (info: unknown) => heard.push(info),
      onOutcome: (outcome: unknown) => heard.push(outcome),
    };
    const result = await runTask(sampleTask, { backbone: "inline", ...options, dryRun: true, hooks });
    expect(place.everything()).toEqual(before);
    expect([heard, result.exitCode]).toEqual([[], 0]);
    const due = "retryFailed" in more && more.retryFailed ? 0 : 2;
    expect(result.plan).toMatchObject({ run: due });
    expect(result.counts).toMatchObject({ done: 0, cancelled: due });
  });

  test("hooks.onOutcome hears of every item once, with values", async () => {
    const place = createPlace();
    const heard: Outcome[] = [];
    const options = {
      ...sampleOptions(place, [{ id: "a" }, { id: "b", act: "permanent" }, { id: "c", act: "throw", times: 1 }]),
      backoff: "1ms",
      hooks: { onOutcome: (outcome: Outcome) => void heard.push(outcome) },
    };
    await runTask(sampleTask, { ...options, backbone: "mp" });
    const byKey = Object.fromEntries(heard.map((outcome) => [outcome.key, outcome]));
    expect(heard).toHaveLength(3);
    expect(byKey.a).toMatchObject({ status: "done", attempts: 1, value: { id: "a", attempt: 1 } });
    expect(byKey.b).toMatchObject({
      status: "failed",
      attempts: 1,
      error: { name: "PermanentError", message: "no good: b" },
    });
    expect(byKey.c).toMatchObject({ status: "done", attempts: 2, value: { id: "c", attempt: 2 } });
    heard.length = 0;
    await runTask(sampleTask, { ...options, backbone: "inline" });
    expect(heard.map(({ key, status }) => `${key} ${status}`).sort()).toEqual(["a skipped", "b failed", "c skipped"]);
  });

  test("two run at once in one process on different roots", async () => {
    const place = createPlace({ "one/a.txt": "a", "two/b.txt": "b", "two/c.txt": "c" });
    const run = (name: string, backbone: string) =>
      runTask(
        { file: taskFile("files.ts"), exportName: "Shout" },
        { backbone, mixin: { hardShardMode: { inputPath: place.path(name), outputPath: place.path(`${name}.out`) } } },
      );
    const [one, two] = await Promise.all([run("one", "mp"), run("two", "inline")]);
    expect([one.counts, two.counts]).toEqual([counts({ done: 1 }), counts({ done: 2 })]);
    expect(place.files("one.out")).toEqual({ "a.txt.up": "A" });
    expect(place.files("two.out")).toEqual({ "b.txt.up": "B", "c.txt.up": "C" });
  });

  test("an aborted signal drains: what runs settles, the rest runs next time", async () => {
    const place = createPlace();
    const options = sampleOptions(
      place,
      Array.from({ length: 20 }, (_, i) => ({ id: `i${i}`, act: "wait", ms: 100 })),
    );
    const abort = new AbortController();
    const running = runTask(sampleTask, {
      ...options,
      backbone: "mp",
      backboneOptions: { numProcess: 2 },
      signal: abort.signal,
    });
    await until("items are running", () => place.journal("start").length >= 3);
    abort.abort();
    const stopped = await running;
    expect(stopped.counts.done).toBe(place.journal("start").length);
    expect(stopped.counts.done).toBeLessThan(20);
    const rest = await runTask(sampleTask, { ...options, backbone: "inline" });
    expect(rest.counts).toEqual(counts({ skipped: stopped.counts.done, done: 20 - stopped.counts.done }));
  });

  test("rejects with what is wrong when nothing could run, all mistakes together", async () => {
    const place = createPlace();
    mkdirSync(place.path("in"));
    const wrong = runTask(
      { file: taskFile("files.ts"), exportName: "Shout" },
      { retries: -1, tiemout: 3, mixin: { hardShardMode: { inputPath: place.path("in") } } },
    );
    await expect(wrong).rejects.toMatchObject({
      mistakes: expect.arrayContaining([
        expect.objectContaining({ code: "bad-value" }),
        expect.objectContaining({ code: "placeholder" }),
      ]),
    });
    await expect(wrong).rejects.toThrow(/there is no option "tiemout"\. Did you mean "timeout"\?/);
    await expect(runTask("@word-conut")).rejects.toMatchObject({ code: "task-not-found" });
    expect(place.everything()).toEqual(["in"]);
  });

  test("leaves nothing running and no handler behind", async () => {
    const place = createPlace();
    const listeners = () =>
      (["SIGINT", "SIGTERM", "exit", "uncaughtException", "unhandledRejection"] as const).map((name) =>
        process.listenerCount(name),
      );
    const before = listeners();
    const { write } = process.stdout;
    await runTask(sampleTask, { ...sampleOptions(place, [{ id: "a" }]), backbone: "mp" });
    expect(listeners()).toEqual(before);
    expect(process.stdout.write).toBe(write);
  });

  test("@name runs a ready-made task", async () => {
    const place = createPlace({ "in/a.txt": "a b" });
    const { counts: found, outputRoot } = await runTask("@word-count", {
      backbone: "inline",
      mixin: [`hard_shard_mode.input_path=${place.path("in")}`, `hard_shard_mode.output_path=${place.path("out")}`],
    });
    expect([found, outputRoot]).toEqual([counts({ done: 1 }), place.path("out")]);
  });
});
