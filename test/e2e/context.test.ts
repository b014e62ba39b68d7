import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { SampleItem } from "../../src/testing/sample-task.js";
import { counts, createPlace, taskFile } from "./kagurazaka.js";

/** What a task is given: ctx, its instances, its options. */
describe.concurrent("ctx", () => {
  const items: SampleItem[] = Array.from({ length: 8 }, (_, i) => ({ id: `item-${i}`, act: "context" }));

  const contexts = async (
    args: readonly string[],
  ): Promise<{ byKey: Map<string, Record<string, unknown>>; run: string }> => {
    const place = createPlace();
    const { json, stderr } = await place.sample(items, args);
    expect(json.counts, stderr).toEqual(counts({ done: 8 }));
    return { byKey: new Map(place.journal("context").map((event) => [event.key!, event])), run: json.run };
  };

  test("has key, attempt, run, a signal that is not aborted, and an empty tmpDir that is gone afterwards", async () => {
    const { byKey, run } = await contexts([]);
    expect([...byKey.keys()].sort()).toEqual(items.map(({ id }) => id));
    for (const context of byKey.values()) {
      expect(context).toMatchObject({ attempt: 1, run, aborted: false });
      const { path, names } = context.tmpDir as { path: string; names: string[] };
      expect(names).toEqual([]);
      expect(existsSync(path)).toBe(false);
    }
  });

  test("random() is the same for the same seed and key, whatever the order and the backbone, and another for another seed", async () => {
    const [one, two, three] = await Promise.all([
      contexts(["--backbone", "inline", "--seed", "7"]),
      contexts(["--backbone", "mp", "--seed", "7", "--shuffle", "--concurrency", "3"]),
      contexts(["--backbone", "inline", "--seed", "8"]),
    ]);
    const randoms = ({ byKey }: { byKey: Map<string, Record<string, unknown>> }): [string, unknown][] =>
      [...byKey].map(([key, { random }]): [string, unknown] => [key, random]).sort();
    expect(randoms(two)).toEqual(randoms(one));
    expect(randoms(three)).not.toEqual(randoms(one));
    const numbers = randoms(one).flatMap(([, random]) => random as number[]);
    expect(new Set(numbers).size).toBe(16);
    for (const number of numbers) expect(number >= 0 && number < 1).toBe(true);
  });
});

describe.concurrent("instances", () => {
  test("setup and teardown once per worker and never in the coordinator's instance, finalize once there, with the counts", async () => {
    const place = createPlace();
    const meeting: SampleItem[] = Array.from({ length: 3 }, (_, i) => ({ id: `m${i}`, act: "meet", n: 3 }));
    await place.sample([...meeting, { id: "bad", act: "permanent" }], ["--num-process", "3"]);
    const setups = place.journal("setup").map(({ instance }) => instance);
    expect(new Set(setups).size).toBe(3);
    expect(
      place
        .journal("teardown")
        .map(({ instance }) => instance)
        .sort(),
    ).toEqual(setups.sort());
    const [finalized, ...more] = place.journal("finalize");
    expect(more).toEqual([]);
    expect(setups).not.toContain(finalized!.instance);
    expect(finalized!.counts).toEqual(counts({ done: 3, failed: 1 }));
    expect(new Set(place.journal("start").map(({ instance }) => instance)).size, "all three workers worked").toBe(3);
  });

  test("finalize that throws ends the run with its reason; what was done is recorded", async () => {
    const place = createPlace();
    const { code, stderr, json } = await place.sample([{ id: "a" }], ["--backbone", "inline", "--finalize", "throw"]);
    expect(stderr).toMatch(/finalize\(\) failed: cannot sum up/);
    expect([code, json.counts.done]).toEqual([1, 1]);
    expect((await place.sample(null, ["--backbone", "inline"])).json.counts).toEqual(counts({ skipped: 1 }));
  });

  test("finalize is not called for a run that was stopped", async () => {
    const place = createPlace();
    await place.sample(
      [{ id: "a" }, { id: "b", act: "permanent" }, { id: "c", act: "permanent" }],
      ["--backbone", "inline", "--max-failures", "0"],
    );
    expect(place.journal("finalize")).toEqual([]);
  });
});

describe.concurrent("a task of its own", () => {
  for (const backbone of ["inline", "mp"]) {
    test(`isExecuted is asked in the worker with final paths, before anything is made (${backbone})`, async () => {
      const place = createPlace({ "in/a.txt": "a", "in/sub/b.txt": "b", "out/a.txt.up": "here" });
      const args = [taskFile("asks.ts"), "Asks", "--backbone", backbone, "--json"];
      const { json, stderr } = await place.run(args);
      expect(json.counts, stderr).toEqual(counts({ done: 1, skipped: 1 }));
      expect(stderr).toContain(`asked ${backbone === "mp" ? "worker" : "main"} ${place.path("out/a.txt.up")} true`);
      expect(stderr).toContain(`asked ${backbone === "mp" ? "worker" : "main"} ${place.path("out/sub/b.txt.up")} true`);
      expect(place.files("out")).toEqual({ "a.txt.up": "here", "sub/b.txt.up": "B" });
      expect((await place.run(args)).json.counts).toEqual(counts({ skipped: 2 }));
      expect((await place.run([...args, "--force"])).json.counts).toEqual(counts({ done: 2 }));
      expect(place.files("out")).toEqual({ "a.txt.up": "A", "sub/b.txt.up": "B" });
    });
  }

  test("its options are typed, defaulted, and set by flag, YAML or code; rawArgs takes the rest", async () => {
    const place = createPlace({ "base.yaml": "task:\n  times: 3\n  tags: [x, y]\n" });
    const options = async (...args: string[]): Promise<unknown> => {
      const { stderr } = await place.run([taskFile("asks.ts"), "Options", "--backbone", "inline", "--force", ...args]);
      const printed = /options (\{.*\}) (\[.*\])/.exec(stderr);
      expect(printed, stderr).not.toBeNull();
      return [JSON.parse(printed![1]!), JSON.parse(printed![2]!)];
    };
    expect(await options()).toEqual([{ times: 1, wait: 500, tags: [], dry: false, level: "low" }, []]);
    expect(await options("--cfg", "base.yaml", "--times", "4", "--wait", "2s", "--dry")).toEqual([
      { times: 4, wait: 2000, tags: ["x", "y"], dry: true, level: "low" },
      [],
    ]);
    expect(await options("--level=high", "--unknown", "value", "--", "--limit", "more")).toEqual([
      { times: 1, wait: 500, tags: [], dry: false, level: "high" },
      ["--unknown", "value", "--limit", "more"],
    ]);
  });

  test("verify throws before anything is published; side files go along; mess is cleaned up", async () => {
    const place = createPlace({ "in/good.txt": "good", "in/bad.txt": "bad", "in/side.txt": "side" });
    const { json, code } = await place.run([taskFile("asks.ts"), "Verifies", "--json", "--retries", "0"]);
    expect([code, json.counts]).toEqual([3, counts({ done: 2, failed: 1 })]);
    expect(place.files("out")).toEqual({ "good.txt.up": "good", "side.txt.up": "side", "side.txt.up.notes": "notes" });
    expect(place.everything("out/.kagurazaka").filter((name) => name.includes("staging"))).toEqual([]);
  });
});
