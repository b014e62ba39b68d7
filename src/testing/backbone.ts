import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import inline from "../../backbones/inline.js";
import type { WorkerBackbone } from "../contracts/backbone.js";
import { assertAgree, assertDescribed, assertDrained, assertUnfit, countOf, DESCRIBED, until } from "./assertions.js";
import { casesOf, type It } from "./it.js";
import { filledFields } from "./mode-fields.js";
import { good, keysOf, mixture, payloads } from "./sample-items.js";
import { runSample, type SampleRun, type SampleRunRequest } from "./sample-run.js";
import type { SampleItem } from "./sample-task.js";

export interface BackboneSuite {
  readonly it: It;
  /** The backbone's own options, by their declared names. @defaultValue its defaults */
  readonly options?: Readonly<Record<string, unknown>>;
  /** Items at once for each worker, in the cases about concurrency. @defaultValue 3 */
  readonly concurrency?: number;
}

/** What every worker backbone must do, tested with real runs. Outcomes are compared with those of `inline`. */
export function testBackbone(backbone: WorkerBackbone, { it, options, concurrency = 3 }: BackboneSuite): void {
  const run = (request: Omit<SampleRunRequest, "backbone" | "options">): Promise<SampleRun> =>
    runSample({ backbone, options, ...request });
  const workers = (): number => backbone.size(filledFields(backbone.options, options ?? {})).workers;
  const { test, unless } = casesOf(it, backbone.name);
  const killing = unless(!backbone.killable && "this backbone cannot end a worker whose loop is blocked");

  test(DESCRIBED, async () => assertDescribed(backbone));

  test("settles every item exactly once and ends every worker it started", async () => {
    const { outcomes, result, workers, journal } = await run({ items: good(500) });
    assert.deepEqual(keysOf(outcomes), keysOf(good(500)));
    assert.equal(result.exitCode, 0, result.error?.message);
    assert.equal(result.counts.done, 500);
    assert.equal(countOf("start", journal), 500);
    assert.ok(workers.started >= 1);
    assert.equal(workers.exited, workers.started);
    assert.deepEqual(workers.late, []);
  });

  test("a run without items ends at once", async () => {
    const { result, workers } = await run({ items: [] });
    assert.deepEqual([result.exitCode, result.counts.total], [0, 0]);
    assert.equal(workers.exited, workers.started);
  });

  test("agrees with inline on outcomes, attempts, reasons, errors and values", async () => {
    const [mine, theirs] = await Promise.all([
      run({ items: mixture }),
      runSample({ backbone: inline, items: mixture }),
    ]);
    assertAgree(mine, theirs);
  });

  test("carries items and values of every JSON shape, and a large one", async () => {
    const { outcomes, result } = await run({ items: payloads });
    assert.equal(result.counts.done, payloads.length);
    assert.deepEqual(keysOf(outcomes), keysOf(payloads));
  });

  test("processes as many items at once as it has slots, and not one more", async () => {
    const slots = workers() * concurrency;
    const meeting = Array.from({ length: slots }, (_, i): SampleItem => ({ id: `m${i}`, act: "meet", n: slots }));
    const crowd = Array.from({ length: 2 * slots }, (_, i): SampleItem => ({ id: `w${i}`, act: "wait", ms: 30 }));
    const { result, journal } = await run({
      items: [...meeting, ...crowd],
      settings: { concurrency: slots, retries: 0 },
    });
    assert.equal(result.counts.done, 3 * slots, "they all met");
    assert.equal(mostAtOnce(journal), slots);
  });

  test("makes one instance per worker: set up once, torn down once; the coordinator's is only finalized", async () => {
    const count = workers();
    const meeting = Array.from({ length: count }, (_, i): SampleItem => ({ id: `m${i}`, act: "meet", n: count }));
    const { journal } = await run({ items: [...meeting, ...good(20)] });
    const instances = (event: string): string[] =>
      journal
        .filter((one) => one.event === event)
        .map(({ instance }) => instance)
        .sort();
    assert.equal(new Set(instances("setup")).size, count);
    assert.equal(instances("setup").length, count);
    assert.deepEqual(instances("teardown"), instances("setup"));
    assert.equal(instances("finalize").length, 1);
    assert.ok(!instances("setup").includes(instances("finalize")[0]!));
  });

  test("setup() that throws stops the run with exit 7 before any item", async () => {
    const { result, journal } = await run({ items: good(10), task: { setup: "throw" } });
    assertUnfit(result, journal);
  });

  test("what items log arrives with their keys", async () => {
    const items: SampleItem[] = [
      { id: "a", act: "log", message: "from a" },
      ...good(5),
      { id: "b", act: "log", message: "from b" },
    ];
    const { logs } = await run({ items });
    const expected = ["a", "b"].map((id) => ({ key: id, level: "warn", message: `from ${id}`, fields: { id } }));
    assert.deepEqual(
      [...logs].sort((one, other) => (one.key < other.key ? -1 : 1)),
      expected,
    );
  });

  test("ctx.random() is the same as under inline", async () => {
    const items = good(6).map((item): SampleItem => ({ ...item, act: "context" }));
    const randoms = ({ journal }: SampleRun): unknown[] =>
      journal
        .filter(({ event }) => event === "context")
        .map(({ key, random }) => [key, random])
        .sort();
    const [mine, theirs] = await Promise.all([
      run({ items, settings: { seed: 5 } }),
      runSample({ backbone: inline, items, settings: { seed: 5 } }),
    ]);
    assert.deepEqual(randoms(mine), randoms(theirs));
    assert.equal(randoms(mine).length, 6);
  });

  test("a drained run finishes what it started and cancels the rest", async () => {
    const items = good(40).map((item): SampleItem => ({ ...item, act: "wait", ms: 40 }));
    const { result, journal } = await run({
      items,
      async during(running, seen) {
        await until(() => seen().some(({ event }) => event === "end"));
        running.drain();
      },
    });
    assertDrained(result, journal, 40);
  });

  killing("an item that ends its worker fails as crash; all others are processed", async () => {
    const { result, outcomes, workers } = await run({
      items: [...good(10), { id: "poison", act: "exit" }, ...good(10, "more")],
    });
    assert.deepEqual([result.counts.done, result.counts.failed], [20, 1]);
    assert.equal(outcomes.find(({ key }) => key === "poison")?.error?.code, "crash");
    assert.equal(workers.exited, workers.started);
  });

  killing("an item that blocks its worker is ended by its time limit; all others are processed", async () => {
    const { result, outcomes } = await run({
      items: [...good(5), { id: "spin", act: "spin", ms: 60_000 }, ...good(5, "more")],
      settings: { timeout: "200ms", retries: 0 },
    });
    assert.deepEqual([result.counts.done, result.counts.failed], [10, 1]);
    assert.equal(outcomes.find(({ key }) => key === "spin")?.error?.code, "timeout");
  });

  killing("a killed run ends at once, whatever its items do", async () => {
    const { result, workers } = await run({
      items: [{ id: "spin", act: "spin", ms: 60_000 }],
      async during(running, seen) {
        await until(() => seen().some(({ event }) => event === "start"));
        running.kill();
      },
    });
    assert.equal(result.counts.cancelled, 1);
    assert.deepEqual(workers.late, []);
  });

  killing("no worker lives on after the run, even with something left open in it", async () => {
    await run({
      items: [{ id: "leak", act: "leak" }, ...good(3)],
      async after(seen) {
        await delay(100);
        const before = seen().length;
        await delay(150);
        assert.equal(seen().length, before, "a timer of a worker still fires");
      },
    });
  });
}

/** The most items that ran at once, by the journal. Ends sort before starts of the same millisecond. */
function mostAtOnce(journal: SampleRun["journal"]): number {
  const steps = journal
    .filter(({ event }) => event === "start" || event === "end")
    .map(({ event, atMs }) => ({ atMs, by: event === "start" ? 1 : -1 }));
  steps.sort((one, other) => one.atMs - other.atMs || one.by - other.by);
  let now = 0;
  let most = 0;
  for (const { by } of steps) {
    now += by;
    most = Math.max(most, now);
  }
  return most;
}
