import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { activityLayout } from "../../../src/contracts/activity.js";
import type { FileItem } from "../../../src/contracts/item.js";
import type { TaskContext, TaskInstance } from "../../../src/contracts/task.js";
import { keyOfCurrentItem } from "../../../src/runner/worker/current-item.js";
import { fail, TestAttempts } from "./worker-task.js";

const write = (item: unknown, text = "new"): void => writeFileSync((item as FileItem).output.path, text);
/** Writes the output, and then … */
const writes =
  (then: (ctx: TaskContext) => unknown) =>
  (item: unknown, ctx: TaskContext): unknown => {
    write(item);
    return then(ctx);
  };
const published = ({ root }: TestAttempts): string[] => readdirSync(root).filter((name) => !name.startsWith("."));
const staged = ({ task }: TestAttempts): string[] =>
  readdirSync(task.shards[0]!.stagingDir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name);

describe("the steps of an attempt", () => {
  test("are isExecuted, at the final places; the work, in staging; verify, before anything is published; the end, after", async () => {
    const steps: unknown[][] = [];
    const look = (step: string) => (item: unknown) => {
      const { path, finalPath } = (item as FileItem).output;
      if (step === "process") write(item);
      steps.push([step, path === finalPath, existsSync(path), existsSync(finalPath)]);
      return false;
    };
    const worker: TestAttempts = new TestAttempts({
      isExecuted: look("isExecuted"),
      process: look("process"),
      verify: look("verify"),
    });
    const { status } = await worker.run("a");
    expect(steps).toEqual([
      ["isExecuted", true, false, false],
      ["process", false, true, false],
      ["verify", false, true, false],
    ]);
    expect([status, published(worker), staged(worker)]).toEqual(["done", ["a.json"], []]);
  });

  test("the item is published before it is reported, and its slot is free", async () => {
    const seen: unknown[] = [];
    const worker = new TestAttempts({ process: (item) => write(item) });
    const push = worker.ended.push.bind(worker.ended);
    worker.ended.push = (...ended) => {
      seen.push(published(worker));
      return push(...ended);
    };
    expect(await worker.run("a", { firstSeq: 5 })).toEqual({ key: "a", seq: 5, cell: 0, status: "done" });
    expect(seen).toEqual([["a.json"]]);
  });

  test("an item that isExecuted accepts is skipped: nothing is created", async () => {
    const worker = new TestAttempts({ isExecuted: async () => true, process: (item) => write(item) });
    expect(await worker.run()).toMatchObject({ status: "skipped", reason: "isExecuted" });
    expect([published(worker), readdirSync(worker.task.shards[0]!.stagingDir)]).toEqual([[], []]);
  });

  test("one that is to be redone is not asked about", async () => {
    const worker = new TestAttempts({ isExecuted: () => true, process: (item) => write(item) });
    expect(await worker.run("a", { forced: true })).toMatchObject({ status: "done" });
    expect(published(worker)).toEqual(["a.json"]);
  });

  const late = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  const spin = (ms: number): void => {
    for (const end = performance.now() + ms; performance.now() < end; );
  };
  test.each([
    ["settles", writes(async () => late(40))],
    ["returns from a loop", writes(() => spin(40))],
    ["is filtered", writes(async (ctx) => late(40).then(() => ctx.filtered("empty")))],
  ])("an item that %s after its time limit has failed, and nothing of it is published", async (_how, process) => {
    const worker = new TestAttempts({ process }, { timeoutMs: 20 });
    expect(await worker.run()).toMatchObject({
      status: "failed",
      error: { code: "timeout", message: "the item ran longer than 20 ms" },
    });
    expect([published(worker), staged(worker)]).toEqual([[], []]);
  });

  test("what an item throws after its time limit is the cause of the timeout", async () => {
    const process = async (): Promise<void> => {
      await late(40);
      throw new Error("the signal aborted");
    };
    const { error } = await new TestAttempts({ process }, { timeoutMs: 20 }).run();
    expect(error).toMatchObject({ code: "timeout", cause: { message: "the signal aborted" } });
  });

  test.each([
    ["returned", writes((ctx) => ctx.filtered("empty"))],
    ["said, with another answer", writes(async (ctx) => void ctx.filtered("empty"))],
  ])("a filtered item, %s: nothing is verified or published", async (_how, process) => {
    const worker = new TestAttempts({ process, verify: () => expect.unreachable() }, { wantValues: true });
    expect(await worker.run()).toMatchObject({ status: "filtered", reason: "empty" });
    expect([published(worker), staged(worker)]).toEqual([[], []]);
  });

  test.each<[string, Partial<TaskInstance>, string]>([
    ["process throws", { process: writes(() => fail("no good")) }, "no good"],
    ["process rejects", { process: writes(async () => fail("no good")) }, "no good"],
    ["verify throws", { process: (item) => write(item), verify: () => fail("half of it") }, "half of it"],
    ["isExecuted throws", { isExecuted: () => fail("no database") }, "no database"],
    ["nothing was written", {}, 'the task returned without writing output ("a.json")'],
    [
      "what was returned cannot be looked at",
      // biome-ignore lint/suspicious/noThenProperty: that is the point.
      { process: () => Object.defineProperty({}, "then", { get: () => fail("a trap") }) },
      "a trap",
    ],
  ])(
    "fails where %s; what it has written is gone, and the next one begins with nothing",
    async (_how, instance, message) => {
      const worker = new TestAttempts(instance);
      expect(await worker.run()).toMatchObject({ status: "failed", error: { message } });
      expect([published(worker), staged(worker)]).toEqual([[], []]);
      await worker.run("b", { forced: true }, (item) => write(item));
      expect(published(worker)).toEqual(instance.verify ? [] : ["b.json"]);
    },
  );

  test("a failure under which the root has gone is one of the environment", async () => {
    const worker = new TestAttempts({
      process: () => {
        rmSync(worker.root, { recursive: true });
        return fail("ENOENT");
      },
    });
    expect((await worker.run()).error).toMatchObject({
      code: "environment",
      message: `the output root ${worker.root} is gone`,
    });
    expect(existsSync(worker.root)).toBe(false);
  });

  test("the stack of a failure ends where the task's own code does", async () => {
    const { error } = await new TestAttempts({ process: () => fail("no good") }).run();
    expect(error?.stack).toMatch(/worker-task\.ts/);
    expect(error?.stack).not.toMatch(/src\/runner/);
  });
});

describe("a work that answers at once", () => {
  test("makes no promise", () => {
    const worker = new TestAttempts({});
    const pending = worker.attempts.run(worker.begin("a"), (item) => write(item));
    expect([pending, worker.ended[0]?.status]).toEqual([undefined, "done"]);
  });

  test("makes one where isExecuted or verify is asked too", async () => {
    for (const more of [{ isExecuted: () => false }, { verify: () => {} }]) {
      const worker = new TestAttempts(more);
      const pending = worker.attempts.run(worker.begin("a"), (item) => write(item));
      expect([pending, worker.ended]).toEqual([expect.any(Promise), []]);
      await pending;
      expect(worker.ended[0]?.status).toBe("done");
    }
  });
});

describe("the value of an item", () => {
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  const ends = (value: unknown, wantValues = true) =>
    new TestAttempts({ process: writes(() => value) }, { wantValues }).run();

  test("is sent back as JSON when requested", async () => {
    expect(await ends({ at: new Date(0), no: undefined })).toMatchObject({ value: { at: "1970-01-01T00:00:00.000Z" } });
    expect(await ends(undefined)).not.toHaveProperty("value");
    expect(await ends(null)).toMatchObject({ status: "done", value: null });
    expect(await ends({ x: 1 }, false)).not.toHaveProperty("value");
  });

  test.each([
    ["a function", () => {}, "it is a function"],
    ["circular", circular, "it is not JSON-like"],
    ["a BigInt", 1n, "it is not JSON-like"],
    ["too large", "x".repeat(64 * 1024 * 1024), "it has 67108866 characters as JSON, the limit is 67108864"],
  ])("that is %s fails the item, and nothing is published", async (_what, value, why) => {
    const worker = new TestAttempts({ process: writes(() => value) }, { wantValues: true });
    const { error } = await worker.run();
    expect(error).toMatchObject({ code: "not-json", message: `what process() returned cannot be sent back: ${why}` });
    expect([published(worker), staged(worker)]).toEqual([[], []]);
  });

  test("that is not requested may be anything", async () => {
    expect(await ends(circular, false)).toMatchObject({ status: "done" });
  });
});

describe("activity", () => {
  const slotOf = ({ cells }: TestAttempts, slot: number) => [
    ...cells.slice(activityLayout.slot(slot), activityLayout.slot(slot + 1)),
  ];

  test("shows which item a slot runs and since when, until it is reported", async () => {
    const worker = new TestAttempts({}, { slots: 2 });
    const ctx = worker.begin("a", { slot: 1, firstSeq: 9 });
    expect(slotOf(worker, 1)).toEqual([9, ctx.startedMs, 0]);
    expect(slotOf(worker, 0)).toEqual([0, 0, 0]);
    let during: number | undefined;
    await worker.attempts.run(ctx, async (item) => {
      await null;
      during = slotOf(worker, 1)[0];
      write(item);
    });
    expect([during, worker.ended[0]?.cell]).toEqual([9, 0]);
  });

  test("is handed on where it is no shared memory: at the begin, at the end, and when a slot rests", async () => {
    const worker = new TestAttempts({ process: async (item) => write(item) });
    await worker.run();
    worker.attempts.rest(0);
    expect(worker.written).toEqual([
      [1, 2],
      [1, 1],
      [1, 1],
    ]);
  });

  test("ctx.progress() leaves its time", () => {
    const worker = new TestAttempts({});
    const ctx = worker.begin("a");
    ctx.progress();
    expect(slotOf(worker, 0)[activityLayout.progress]).toBeGreaterThanOrEqual(ctx.startedMs);
  });

  test("the next item begins where the last one ended, unless the slot rested", async () => {
    const worker = new TestAttempts({ process: (item) => write(item) });
    await worker.run("a");
    const between = performance.now();
    const first = worker.begin("b").startedMs;
    worker.attempts.rest(0);
    while (performance.now() < between + 2);
    expect(worker.begin("c").startedMs).toBeGreaterThan(first);
  });
});

describe("abort", () => {
  test.each([
    ["timeout", "TimeoutError"],
    ["cancelled", "AbortError"],
  ] as const)("fires the signal of that item alone: %s", async (reason, name) => {
    const worker = new TestAttempts({}, { slots: 2 });
    const waits = (_item: unknown, { signal }: TaskContext) =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    const [one, other] = [worker.begin("a", { firstSeq: 1 }), worker.begin("b", { slot: 1, firstSeq: 2 })];
    const pending = worker.attempts.run(one, waits);
    void worker.attempts.run(other, waits);
    worker.attempts.abort(77, reason);
    worker.attempts.abort(1, reason);
    await pending;
    expect([other.signal.aborted, worker.ended]).toMatchObject([
      false,
      [{ key: "a", status: "failed", error: { name } }],
    ]);
  });

  test("before the signal was looked at, it has fired when it is", () => {
    const worker = new TestAttempts({});
    const ctx = worker.begin("a");
    worker.attempts.abort(1, "timeout");
    expect(ctx.signal.aborted).toBe(true);
  });
});

describe("inspect", () => {
  test("calls isExecuted and verify with the final paths; nothing is processed, published or reported", async () => {
    const asked: string[] = [];
    const note = (step: string) => (item: unknown) => {
      asked.push(`${step} ${readFileSync((item as FileItem).output.path, "utf8")}`);
      return true;
    };
    const worker = new TestAttempts({
      isExecuted: note("isExecuted"),
      verify: note("verify"),
      process: () => expect.unreachable(),
    });
    writeFileSync(join(worker.root, "a.json"), "old");
    expect(await worker.attempts.inspect(worker.begin("a"), true)).toBe(true);
    expect(await worker.attempts.inspect(worker.begin("a"), false)).toBeUndefined();
    expect(asked).toEqual(["isExecuted old", "verify old", "verify old"]);
    expect([worker.ended, published(worker)]).toEqual([[], ["a.json"]]);
  });

  test("does not call verify unless isExecuted accepts, and rejects with the error of the task", async () => {
    const worker = new TestAttempts({ isExecuted: () => false, verify: () => fail("no good") });
    expect(await worker.attempts.inspect(worker.begin("a"), true)).toBe(false);
    await expect(worker.attempts.inspect(worker.begin("a"), false)).rejects.toThrow("no good");
  });
});

describe("what an item has for itself", () => {
  test("a directory that is gone with the attempt", async () => {
    let dir = "";
    const worker = new TestAttempts({
      process(item, ctx) {
        dir = ctx.tmpDir;
        writeFileSync(join(dir, "x"), "");
        write(item);
      },
    });
    await worker.run();
    expect([dir === "", existsSync(dir)]).toEqual([false, false]);
  });

  test("a directory that survives a failed attempt, and is removed when the item is done", async () => {
    let dir = "";
    const worker = new TestAttempts({
      process(item, ctx) {
        if (ctx.hasKept) return write(item);
        dir = ctx.keptDir;
        writeFileSync(join(dir, "x"), "");
        fail("once more");
      },
    });
    await worker.run("a");
    expect(readdirSync(dir)).toEqual(["x"]);
    expect(await worker.run("a", { attempts: { 0: 2 } })).toMatchObject({ status: "done" });
    expect(existsSync(dir)).toBe(false);
  });

  test("a staging directory for each slot, so that two of one name do not meet", async () => {
    const worker = new TestAttempts({}, { slots: 2 });
    const paths: string[] = [];
    const pending = [0, 1].map((slot) =>
      worker.attempts.run(worker.begin("a", { slot, firstSeq: slot + 1 }), async (item) => {
        paths.push((item as FileItem).output.path);
        write(item, `${slot}`);
      }),
    );
    await Promise.all(pending);
    expect(new Set(paths).size).toBe(2);
    expect(worker.ended.map(({ status }) => status)).toEqual(["done", "done"]);
  });

  test.each([1, 2])("its key on what it prints and logs, with %i slots", async (slots) => {
    const keys: unknown[] = [];
    const worker = new TestAttempts(
      {
        async process(item, ctx) {
          keys.push(keyOfCurrentItem());
          await null;
          keys.push(keyOfCurrentItem());
          ctx.log.warn("careful");
          write(item);
        },
      },
      { slots },
    );
    await worker.run("a");
    expect([keys, keyOfCurrentItem(), worker.logged]).toEqual([["a", "a"], null, ["a warn careful"]]);
  });
});
