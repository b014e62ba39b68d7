import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { hashUnit, shardOf } from "../../../src/base/hash.js";
import type { InputDefinition, ListEnv, ResolvedModes } from "../../../src/contracts/modes.js";
import type { RunSettings } from "../../../src/contracts/run-config.js";
import { readKeys } from "../../../src/data/lists/key-list.js";
import type { Limit } from "../../../src/runner/plan/planner.js";
import { tempDir } from "../temp-dir.js";
import {
  byId,
  fileMode,
  files,
  ids,
  inputMode,
  keysFrom,
  outputMode,
  type Planned,
  plan,
  type Request,
  softShard,
} from "./test-plan.js";

describe("a selection", () => {
  const select = async (settings: Partial<RunSettings>, count = 40) =>
    (await plan({ list: ids(count), instance: byId, settings })).keys;
  const all = ids(40).map(({ id }) => id);

  test("--shard takes a part by hash of key; the parts are all there is", async () => {
    const parts = await Promise.all([0, 1, 2].map((index) => select({ shard: { index, of: 3 } })));
    expect(parts[1]).toEqual(all.filter((key) => shardOf(key, 3) === 1));
    expect(parts.flat().toSorted()).toEqual(all.toSorted());
  });

  test("--only selects items that match one of the globs", async () => {
    expect(await select({ only: ["k1", "k3?"] }, 33)).toEqual(keysFrom(1, 30, 31, 32));
  });

  test("--keys selects the keys in the file", async () => {
    const file = join(tempDir(), "keys");
    writeFileSync(file, "k3\nk1\r\n\nk99\nk3");
    const keys = await readKeys(file);
    expect(keys).toEqual(["k3", "k1", "k99"]);
    expect(await select({ keys })).toEqual(keysFrom(1, 3));
    await expect(readKeys(`${file}.none`)).rejects.toMatchObject({ code: "bad-value", where: "--keys" });
  });

  test("--sample P% takes those with small hashes, and more of them with a larger share", async () => {
    expect(await select({ sample: { percent: 30 } })).toEqual(all.filter((key) => hashUnit(key) < 0.3));
  });

  test("--sample N takes the N smallest hashes", async () => {
    const ranked = all.toSorted((a, b) => hashUnit(a) - hashUnit(b));
    expect(await select({ sample: { count: 5 } })).toEqual(ranked.slice(0, 5));
    expect(await select({ sample: { count: 0 } })).toEqual([]);
  });

  test("--shuffle gives all of them, in an order that the seed alone decides", async () => {
    const [one, same, other] = await Promise.all([1, 1, 2].map((seed) => select({ shuffle: true, seed })));
    expect(one!.toSorted()).toEqual(all.toSorted());
    expect(same).toEqual(one);
    expect(other).not.toEqual(one);
    expect(one).not.toEqual(all);
  });

  test("--limit ends the list early, and closes its source", async () => {
    let given = 0;
    let closed = false;
    const list = (function* () {
      try {
        for (;;) yield { id: `k${given++}` };
      } finally {
        closed = true;
      }
    })();
    const { keys, listed } = await plan({ list, instance: byId, settings: { limit: 3 } });
    expect([keys, listed, closed]).toEqual([keysFrom(0, 1, 2), 3, true]);
    expect(given).toBeLessThan(5000);
  });

  test("a limit is one for all shards of a run", async () => {
    const limit: Limit = { left: 4 };
    const first = await plan({ list: ids(3), instance: byId, limit });
    const second = await plan({ list: ids(3), instance: byId, limit });
    expect([first.keys.length, second.keys.length]).toEqual([3, 1]);
  });
});

describe("the order of the stages", () => {
  const ledger = { k0: { status: "done" }, k1: { status: "done" } } as const;

  test("the soft shard is by the position in the list, before any filter", async () => {
    const request = { list: ids(10), instance: byId, modes: softShard(1, 3), settings: { only: ["k[4-9]"] } };
    expect((await plan(request)).keys).toEqual(keysFrom(4, 7));
  });

  test("the soft shard is by the position in the list, also where no key can repeat", async () => {
    const inputs = files(...keysFrom(0, 1, 2, 3, 4).map((name) => [".", name] as const));
    const { keys } = await plan({ modes: { inputMode: fileMode(inputs), ...softShard(1, 2) } });
    expect(keys).toEqual(keysFrom(1, 3));
  });

  test("repeats are counted over the whole list, so that a record has one name in every soft shard", async () => {
    const list = [{ a: 1 }, { a: 1 }, { a: 1 }];
    const whole = (await plan({ list })).keys;
    const parts = await Promise.all([0, 1, 2].map((part) => plan({ list, modes: softShard(part, 3) })));
    expect(parts.map(({ keys }) => keys)).toEqual(whole.map((key) => [key]));
  });

  test("a sample is taken after the filters", async () => {
    const { keys } = await plan({ list: ids(40), instance: byId, settings: { only: ["k3?"], sample: { count: 4 } } });
    expect(keys).toHaveLength(4);
    expect(keys.every((key) => key.startsWith("k3"))).toBe(true);
  });

  test("finished items are part of the sample and are not replaced by others", async () => {
    const settings = { sample: { count: 3 } };
    const before = await plan({ list: ids(40), instance: byId, settings });
    const done = Object.fromEntries(before.keys.slice(0, 2).map((key) => [key, { status: "done" } as const]));
    const { keys, skipped } = await plan({ list: ids(40), instance: byId, settings, ledger: done });
    expect([keys, skipped.length]).toEqual([before.keys.slice(2), 2]);
  });

  test("a limit counts items that run, not finished or refused ones", async () => {
    const list = [...ids(2), null, ...ids(9).slice(2)];
    const { keys, skipped, refused } = await plan({ list, instance: byId, settings: { limit: 3 }, ledger });
    expect([keys, skipped.length, refused.length]).toEqual([keysFrom(2, 3, 4), 2, 1]);
  });

  test("a limit takes the first of the shuffled", async () => {
    const settings = { shuffle: true, seed: 7 };
    const whole = await plan({ list: ids(40), instance: byId, settings });
    const { keys } = await plan({ list: ids(40), instance: byId, settings: { ...settings, limit: 5 } });
    expect(keys).toEqual(whole.keys.slice(0, 5));
  });

  test("a refused item outside the selection is not reported", async () => {
    const list = [{ id: "k0" }, { id: "k0", n: 1 }, { id: "other" }, { id: "other", n: 1 }];
    const { refused } = await plan({ list, instance: byId, settings: { only: ["k*"] } });
    expect(refused.map(({ key }) => key)).toEqual(["k0#2"]);
  });
});

describe("an item that is finished", () => {
  test("by the ledger is skipped, with the reason", async () => {
    const ledger = { k0: { status: "done" }, k1: { status: "filtered" }, k2: { status: "failed" } } as const;
    const { keys, skipped } = await plan({ list: ids(4), instance: byId, ledger });
    expect([keys, skipped]).toEqual([keysFrom(2, 3), ["k0: in the ledger", "k1: filtered before"]]);
  });

  test("by having failed, with --skip-failed", async () => {
    const ledger = { k0: { status: "failed" } } as const;
    const { skipped } = await plan({ list: ids(1), instance: byId, ledger, settings: { skipFailed: true } });
    expect(skipped).toEqual(["k0: failed before"]);
  });

  test("by its output, whatever the ledger says", async () => {
    const root = tempDir();
    writeFileSync(join(root, "k0.json"), "12345");
    writeFileSync(join(root, "k1.json"), "1");
    const modes = {
      outputMode: outputMode((key) => `${key}.json`),
      finishCheckMode: {
        definition: {
          contract: 1,
          kind: "finish-check",
          name: "ToyCheck",
          help: "",
          fields: {},
          rule: () => ({ by: "files", minBytes: 5, select: (outputs) => outputs }),
        },
        fields: {},
      },
    } satisfies Partial<ResolvedModes>;
    const ledger = { k2: { status: "done" } } as const;
    const request = { list: ids(3), instance: byId, modes, ledger, root: { inputPath: "/in", outputPath: root } };
    const { keys, skipped } = await plan(request);
    expect([keys, skipped]).toEqual([keysFrom(1, 2), ["k0: output exists"]]);
  });

  test("is not known where the task decides: it is asked in the worker", async () => {
    const instance = { ...byId, isExecuted: () => true };
    expect((await plan({ list: ids(1), instance, ledger: { k0: { status: "done" } } })).keys).toEqual(["k0"]);
  });

  test("in an older epoch runs again", async () => {
    const ledger = { k0: { status: "done", epoch: 1 }, k1: { status: "done", epoch: 2 } } as const;
    const { keys } = await plan({ list: ids(2), instance: byId, ledger, requiredEpoch: 2 });
    expect(keys).toEqual(["k0"]);
  });
});

describe("forced", () => {
  const headers = ({ chunks }: Planned) =>
    chunks.map(({ header, count }) => `${count} of ${header.shard}, forced: ${header.forced}`);

  test("are all items of an epoch that was opened", async () => {
    expect(headers(await plan({ list: ids(3), instance: byId, ignoresTask: true, shard: 2 }))).toEqual([
      "3 of 2, forced: true",
    ]);
  });

  test("are items that are stale, in a chunk of their own", async () => {
    const ledger = { k1: { status: "done" } } as const;
    const planned = await plan({ list: ids(3), instance: byId, ledger, isStale: (key) => key === "k1" });
    expect([headers(planned), planned.keys]).toEqual([
      ["2 of 0, forced: false", "1 of 0, forced: true"],
      keysFrom(0, 2, 1),
    ]);
  });
});

describe("packed chunks", () => {
  const isPacked = ({ chunks }: Planned) => chunks.map((chunk) => chunk.keyBytesAt(0) !== undefined);
  const list = [{ a: 1 }, { a: 2 }, { a: 3 }];

  test("carry plain records where everything runs, with the same names", async () => {
    const planned = await plan({ list, runsAll: true });
    expect(isPacked(planned)).toEqual([true]);
    expect(planned.keys).toEqual((await plan({ list })).keys);
  });

  test.each<[string, Request]>([
    ["something selects", { list }],
    [
      "the task names its items",
      { list, runsAll: true, instance: { keyOf: (item) => `${Math.random()}${String(item)}` } },
    ],
    ["the task has a template", { runsAll: true, modes: { inputMode: inputMode(list) } }],
  ])("are none where %s", async (_where, request) => {
    expect(isPacked(await plan(request))).toEqual([false]);
  });

  test("leave out what is not plain, in the order of the list; repeats are numbered alike", async () => {
    const odd = [{ a: 1 }, { a: 1.5 }, null, { a: 2 }, { a: 1 }, { a: "ä" }];
    const planned = await plan({ list: odd, runsAll: true });
    const general = await plan({ list: odd });
    expect([planned.keys, planned.json]).toEqual([general.keys, general.json]);
    expect(planned.refused).toEqual(general.refused);
  });
});

describe("the source", () => {
  const given = [{ a: 1 }, { a: 2 }];
  test.each<[string, unknown]>([
    ["an array", given],
    ["a generator", new Set(given)],
    [
      "an async generator",
      (async function* () {
        yield* given;
      })(),
    ],
    ["a promise of one", Promise.resolve(given)],
  ])("is %s", async (_what, list) => {
    expect((await plan({ list })).json).toEqual(['{"a":1}', '{"a":2}']);
  });

  test.each<[string, Iterable<unknown>]>([
    [
      "a generator",
      (function* () {
        yield* given;
        throw new Error("the database is gone");
      })(),
    ],
    [
      "a generator, where everything runs",
      (function* () {
        yield* given;
        throw new Error("the database is gone");
      })(),
    ],
  ])("that throws ends the plan, after what it gave before: %s", async (what, list) => {
    const { keys, error } = await plan({ list, runsAll: what.includes("everything") });
    expect(keys).toHaveLength(2);
    expect(error).toMatchObject({
      code: "generate-tasks",
      message: "listing the items failed: Error: the database is gone",
    });
  });

  test.each([
    ["5", 5, "generateTasks() returned 5, which is not iterable"],
    ["an object", {}, "generateTasks() returned an object that is not iterable"],
  ])("that is %s is a mistake", async (_what, list, message) => {
    expect((await plan({ list })).error).toMatchObject({
      code: "generate-tasks",
      message: expect.stringContaining(message),
    });
  });

  test("is asked for the files of this shard, without those of the output root, and may warn", async () => {
    const envs: ListEnv[] = [];
    const definition: Partial<InputDefinition> = {
      list(_fields, env) {
        envs.push(env);
        env.warn("passed over: x");
        return [];
      },
    };
    const root = { inputPath: "/in", outputPath: "/in/out" };
    const { warned } = await plan({ modes: { inputMode: fileMode([], definition) }, root, shard: 1 });
    expect(envs).toMatchObject([{ inputRoot: "/in", root: 1, leaveOut: ["/in/out"] }]);
    expect(warned).toEqual(["passed over: x"]);
  });
});
