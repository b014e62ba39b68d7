import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import type { SampleItem } from "../../src/testing/sample-task.js";
import { counts, createPlace, type Place, until } from "./kagurazaka.js";

/** What happens when items, workers or the user go wrong. */
const good = (n: number): SampleItem[] => Array.from({ length: n }, (_, i) => ({ id: `good-${i}` }));
const inline = ["--backbone", "inline"];
const fast = ["--backoff", "1ms:2ms"];
const attemptsOf = (place: Place, id: string): number[] =>
  place.journal("start").flatMap(({ key, attempt }) => (key === id ? [attempt!] : []));
/** In a container without an init orphans are not reaped: a zombie counts as dead. */
const isAlive = (pid: number): boolean => {
  const state = spawnSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" }).stdout.trim();
  return state !== "" && !state.startsWith("Z");
};

describe.concurrent("an item that fails", () => {
  test("is tried again twice with rising attempt numbers, then fails; the others are processed", async () => {
    const place = createPlace();
    const { json, code, stderr } = await place.sample(
      [{ id: "bad", act: "throw" }, { id: "shaky", act: "throw", times: 2 }, ...good(3)],
      fast,
    );
    expect(json.counts).toEqual(counts({ done: 4, failed: 1 }));
    expect(code).toBe(3);
    expect(attemptsOf(place, "bad")).toEqual([1, 2, 3]);
    expect(attemptsOf(place, "shaky")).toEqual([1, 2, 3]);
    expect(stderr).toMatch(/retries +4/);
    const failed = JSON.parse(place.read(".kagurazaka/sample/failed.jsonl"));
    expect(failed).toMatchObject({
      key: "bad",
      attempts: 3,
      message: "no good: bad",
      item: { id: "bad", act: "throw" },
    });
    expect(stderr).toMatch(/failed bad/);
    expect(stderr).toMatch(/sample-task\.[jt]s:\d+/);
    expect(stderr).toMatch(/→ try the failed items again: .*--retry-failed/);
  });

  test("is tried --retries times more, none for a PermanentError", async () => {
    const place = createPlace();
    await place.sample(
      [
        { id: "bad", act: "throw" },
        { id: "hopeless", act: "permanent" },
      ],
      [...fast, "--retries", "4"],
    );
    expect(attemptsOf(place, "bad")).toEqual([1, 2, 3, 4, 5]);
    expect(attemptsOf(place, "hopeless")).toEqual([1]);
    const none = createPlace();
    await none.sample([{ id: "bad", act: "throw" }], ["--retries=0"]);
    expect(attemptsOf(none, "bad")).toEqual([1]);
  });

  test("waits for its backoff without holding a slot", async () => {
    const place = createPlace();
    await place.sample([{ id: "shaky", act: "throw", times: 1 }, ...good(5)], [...inline, "--backoff", "3s:3s"]);
    const order = place.journal("start").map(({ key }) => key);
    expect(order).toEqual(["shaky", "good-0", "good-1", "good-2", "good-3", "good-4", "shaky"]);
  });

  test("that asks for patience is tried again at no cost, after that time", async () => {
    const place = createPlace();
    const { json, code } = await place.sample(
      [{ id: "busy", act: "retry-after", ms: 300 }],
      [...inline, "--retries", "0"],
    );
    expect(code).toBe(0);
    expect(json.counts).toEqual(counts({ done: 1 }));
    expect(attemptsOf(place, "busy")).toEqual([1, 1]);
    const [first, second] = place.journal("start");
    expect(second!.atMs - first!.atMs).toBeGreaterThanOrEqual(290);
  });
});

describe.concurrent("a time limit", () => {
  test("ends an item that honours its signal, at once, and nothing else", async () => {
    const place = createPlace();
    const { json } = await place.sample(
      [{ id: "slow", act: "wait-signal", ms: 30_000 }, ...good(5)],
      ["--timeout", "200ms", "--retries", "0"],
    );
    expect(json.counts).toEqual(counts({ done: 5, failed: 1 }));
    expect(json.elapsedMs).toBeLessThan(2000);
    expect(place.read(".kagurazaka/sample/failed.jsonl")).toMatch(/"class":"timeout: the item ran longer than # ms"/);
  });

  test("ends an item that ignores its signal by replacing the worker; the others of that worker are processed", async () => {
    const place = createPlace();
    const list: SampleItem[] = [
      { id: "deaf", act: "wait", ms: 60_000 },
      ...good(120).map((item) => ({ ...item, act: "wait" as const, ms: 50 })),
    ];
    const { json, stderr } = await place.sample(list, [
      "--timeout",
      "200ms",
      "--retries",
      "0",
      "--num-process",
      "1",
      "--concurrency",
      "3",
    ]);
    expect(json.counts, stderr).toEqual(counts({ done: 120, failed: 1 }));
    expect(place.journal("setup")).toHaveLength(2);
  });

  test("ends an item that blocks its worker's loop", async () => {
    const place = createPlace();
    const { json, stderr } = await place.sample(
      [{ id: "spin", act: "spin", ms: 60_000 }, ...good(5)],
      ["--timeout", "200ms", "--retries", "0"],
    );
    expect(json.counts, stderr).toEqual(counts({ done: 5, failed: 1 }));
    expect(place.read(".kagurazaka/sample/failed.jsonl")).toMatch(/"class":"timeout/);
  });

  test("inline says that it cannot stop a loop that blocks", async () => {
    const place = createPlace();
    const { stderr, json } = await place.sample(
      [{ id: "spin", act: "spin", ms: 300 }, ...good(1)],
      [...inline, "--timeout", "100ms"],
    );
    expect(stderr).toMatch(/inline cannot stop a loop that blocks/);
    expect(json.counts.total).toBe(2);
  });
});

describe.concurrent("too many failures", () => {
  const bad = (n: number): SampleItem[] => Array.from({ length: n }, (_, i) => ({ id: `bad-${i}`, act: "permanent" }));

  test("the first 20 failing alike stop the run with the full error, exit 4", async () => {
    const place = createPlace();
    const { json, code, stderr } = await place.sample([...bad(40), ...good(40)], inline);
    expect(code).toBe(4);
    expect(json.counts.failed).toBeGreaterThanOrEqual(20);
    expect(json.counts.failed).toBeLessThan(40);
    expect(json.exitCode).toBe(4);
    expect(stderr).toMatch(/the first 20 items all failed with PermanentError: no good: bad-#/);
    expect(stderr).toMatch(/--max-failures none/);
  });

  test("they do not when anything went well, or with --max-failures none", async () => {
    const mixed = await createPlace().sample([...good(1), ...bad(30)], inline);
    expect([mixed.code, mixed.json.counts.failed]).toEqual([3, 30]);
    const none = await createPlace().sample(bad(30), [...inline, "--max-failures", "none"]);
    expect([none.code, none.json.counts.failed]).toEqual([3, 30]);
  });

  test("--max-failures N stops after more than N, exit 4, and the rest runs next time", async () => {
    const place = createPlace();
    const slow = good(30).map((item) => ({ ...item, act: "wait" as const, ms: 20 }));
    const { json, code, stderr } = await place.sample([...bad(4), ...slow], [...inline, "--max-failures", "3"]);
    expect(code).toBe(4);
    expect(json.counts.failed).toBe(4);
    expect(stderr).toMatch(/4 items failed, --max-failures allows 3/);
    const rest = await place.sample(null, [...inline, "--skip-failed"]);
    expect(rest.json.counts.done).toBe(30 - json.counts.done);
  });

  test("--max-failures P% waits for 1,000 outcomes", async () => {
    const list = [...good(600), ...bad(300), ...good(400).map(({ id }) => ({ id: `more-${id}` }))];
    const { json, code } = await createPlace().sample(list, [...inline, "--max-failures", "5%"]);
    expect(code).toBe(4);
    expect(json.counts.done + json.counts.failed).toBeGreaterThanOrEqual(1000);
    const small = await createPlace().sample([...good(20), ...bad(10)], [...inline, "--max-failures", "5%"]);
    expect(small.code).toBe(3);
  });

  test("--allow-failures N and P% make it exit 0", async () => {
    const list = [...good(8), ...bad(2)];
    const codes = await Promise.all(
      ["2", "1", "20%", "19%"].map(
        async (allowed) => (await createPlace().sample(list, [...inline, "--allow-failures", allowed])).code,
      ),
    );
    expect(codes).toEqual([0, 3, 0, 3]);
  });
});

describe.concurrent("a run that does not move", () => {
  test("--stall stops it with the oldest key, exit 5, and it can be resumed", async () => {
    const place = createPlace();
    const { code, json, stderr } = await place.sample(
      [...good(2), { id: "stuck", act: "wait", ms: 60_000 }],
      ["--stall", "2s", "--grace", "100ms"],
    );
    expect(code).toBe(5);
    expect(json.counts).toEqual(counts({ done: 2, cancelled: 1 }));
    expect(stderr).toMatch(/no item has settled .*stuck/);
    expect((await place.sample(good(2))).json.counts).toEqual(counts({ skipped: 2 }));
  });

  test("ctx.progress() is a sign of life", async () => {
    const { code, json } = await createPlace().sample(
      [{ id: "long", act: "progress", ms: 1500 }],
      [...inline, "--stall", "700ms"],
    );
    expect([code, json.counts.done]).toEqual([0, 1]);
  });
});

describe.concurrent("a run that cannot go on", () => {
  test("setup() that throws stops it once, exit 7, before any item", async () => {
    const place = createPlace();
    const { code, json, stderr } = await place.sample(good(5), ["--setup", "throw"]);
    expect(code).toBe(7);
    expect(json.counts.done).toBe(0);
    expect(stderr.match(/no model here/g)).toHaveLength(1);
    expect(stderr).toMatch(/error \[environment\] a worker could not be set up/);
    expect(place.journal("start")).toEqual([]);
    expect((await place.sample(null)).json.counts).toEqual(counts({ done: 5 }));
  });

  test("an item that ends its worker fails as crash after two lonely tries; all others are processed", async () => {
    const place = createPlace();
    const { json, stderr } = await place.sample([
      ...good(10),
      { id: "poison", act: "exit" },
      ...good(10).map(({ id }) => ({ id: `more-${id}` })),
    ]);
    expect(json.counts, stderr).toEqual(counts({ done: 20, failed: 1 }));
    expect(place.read(".kagurazaka/sample/failed.jsonl")).toMatch(/"class":"crash/);
    expect(attemptsOf(place, "poison").length).toBeLessThanOrEqual(3);
  });
});

describe.concurrent("signals", () => {
  const slow = (n: number, ms: number): SampleItem[] => good(n).map((item) => ({ ...item, act: "wait", ms }));

  test("while an item waits for longer than a timer can, the run is quiet, and ends when it is told to", async () => {
    const place = createPlace();
    const running = place.startSample([{ id: "later", act: "retry-after", ms: 30 * 86_400_000 }], ["--grace", "30d"]);
    await until("the item has been sent away", () => place.journal("start").length === 1);
    await new Promise((resolve) => setTimeout(resolve, 300));
    running.child.kill("SIGINT");
    const { code, json, stderr } = await running.ended;
    expect([code, json.counts], stderr).toEqual([130, counts({ cancelled: 1 })]);
    expect(stderr).not.toContain("TimeoutOverflowWarning");
  });

  for (const [signal, exit] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const) {
    for (const backbone of ["inline", "mp"]) {
      test(`${signal} lets running items finish, exits ${exit}, and the same command goes on (${backbone})`, async () => {
        const place = createPlace();
        const running = place.startSample(slow(20, 150), ["--backbone", backbone]);
        await until("items are running", () => place.journal("start").length >= 3);
        running.child.kill(signal);
        const { code, json, stderr } = await running.ended;
        expect(code).toBe(exit);
        expect(json.exitCode).toBe(exit);
        expect(stderr).toMatch(new RegExp(`${signal}: letting up to \\d+ items finish`));
        expect(stderr).toMatch(/→ go on: /);
        expect(place.journal("end"), "what was started was finished").toHaveLength(place.journal("start").length);
        expect(json.counts.done).toBe(place.journal("end").length);
        expect(json.counts.failed).toBe(0);
        const rest = await place.sample(slow(20, 1), ["--backbone", backbone]);
        // The items changed with their wait, but their keys did not.
        expect(rest.json.counts).toEqual(counts({ skipped: json.counts.done, done: 20 - json.counts.done }));
      });
    }
  }

  test("what outlasts --grace is cancelled and runs again next time", async () => {
    const place = createPlace();
    const running = place.startSample([{ id: "long", act: "wait", ms: 60_000 }, ...good(1)], ["--grace", "200ms"]);
    await until("items are running", () => place.journal("start").length >= 2);
    const sent = Date.now();
    running.child.kill("SIGINT");
    const { code, json } = await running.ended;
    expect([code, json.counts]).toEqual([130, counts({ done: 1, cancelled: 1 })]);
    expect(Date.now() - sent).toBeLessThan(5000);
  });

  test("a second signal ends it at once", async () => {
    const place = createPlace();
    const running = place.startSample([{ id: "long", act: "wait", ms: 60_000 }]);
    await until("items are running", () => place.journal("start").length >= 1);
    running.child.kill("SIGINT");
    await running.says("once more to end now");
    const sent = Date.now();
    running.child.kill("SIGINT");
    expect((await running.ended).code).toBe(130);
    expect(Date.now() - sent).toBeLessThan(3000);
  });
});

describe.concurrent("children of items", () => {
  test("die with their item: child and grandchild, when it ends", async () => {
    const place = createPlace();
    const { json } = await place.sample([{ id: "parent", act: "spawn", ms: 50 }]);
    expect(json.counts).toEqual(counts({ done: 1 }));
    const [spawned] = place.journal("spawned");
    await until(
      "the family is gone",
      () => !isAlive(spawned!.child as number) && !isAlive(spawned!.grandchild as number),
    );
  });

  test("die with their item when its worker is replaced", async () => {
    const place = createPlace();
    await place.sample([{ id: "parent", act: "spawn", ms: 60_000 }], ["--timeout", "300ms", "--retries", "0"]);
    const [spawned] = place.journal("spawned");
    await until(
      "the family is gone",
      () => !isAlive(spawned!.child as number) && !isAlive(spawned!.grandchild as number),
    );
  });

  test("die with a run that is ended by signals", async () => {
    const place = createPlace();
    const running = place.startSample([{ id: "parent", act: "spawn", ms: 60_000 }], ["--grace", "100ms"]);
    await until("the child is there", () => place.journal("spawned").length === 1);
    running.child.kill("SIGTERM");
    expect((await running.ended).code).toBe(143);
    const [spawned] = place.journal("spawned");
    await until(
      "the family is gone",
      () => !isAlive(spawned!.child as number) && !isAlive(spawned!.grandchild as number),
    );
  });
});

describe.concurrent("speed limits", () => {
  test("--rate bounds how many items start", async () => {
    const place = createPlace();
    const { json } = await place.sample(good(11), ["--rate", "20/s"]);
    expect(json.counts.done).toBe(11);
    const starts = place.journal("start").map(({ atMs }) => atMs);
    expect(Math.max(...starts) - Math.min(...starts)).toBeGreaterThanOrEqual(300);
  });

  test("--concurrency items are processed at once, all workers together", async () => {
    const place = createPlace();
    const list: SampleItem[] = Array.from({ length: 6 }, (_, i) => ({ id: `m${i}`, act: "meet", n: 6 }));
    const { json } = await place.sample(list, [...inline, "--concurrency", "6"]);
    expect(json.counts).toEqual(counts({ done: 6 }));
    const other = createPlace();
    const { stderr } = await other.sample(good(6), ["--num_process", "4", "--concurrency", "2"]);
    expect(stderr).toMatch(/backbone .* mp, 2 workers\n/);
    expect(other.journal("setup").length).toBeLessThanOrEqual(2);
  });

  test("--chunksize changes nothing but how items travel", async () => {
    const place = createPlace();
    expect((await place.sample(good(50), ["--chunksize", "7"])).json.counts).toEqual(counts({ done: 50 }));
  });
});
