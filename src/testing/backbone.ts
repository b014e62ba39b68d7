import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import inline from "../../backbones/inline.js";
import type { WorkerBackbone } from "../contracts/backbone.js";
import { declare, type It } from "./it.js";
import { comparable, good, keysOf, mixture, until } from "./sample-items.js";
import { runSample, type SampleRun, type SampleRunRequest } from "./sample-run.js";
import type { SampleItem } from "./sample-task.js";

export interface BackboneSuite {
  readonly it: It;
  /** The backbone's own options, by their declared names. @defaultValue its defaults */
  readonly options?: Readonly<Record<string, unknown>>;
  /** Items at once in one worker, in the cases about concurrency. @defaultValue 3 */
  readonly concurrency?: number;
}

/**
 * What every backbone must do, by running real items through the whole runner. `inline`, the plain one, is the referee
 * where two runs are compared.
 */
export function testBackbone(backbone: WorkerBackbone, { it, options, concurrency = 3 }: BackboneSuite): void {
  const run = (request: Omit<SampleRunRequest, "backbone" | "options">): Promise<SampleRun> =>
    runSample({ backbone, options, ...request });
  const test = (title: string, body: () => Promise<void>, notBecause?: string | false): void =>
    declare(it, `${backbone.name}: ${title}`, body, notBecause);
  const cannotKill = !backbone.killable && "this backbone cannot end a worker that does not want to end";

  test("says what it is: contract 2, a name, a help line, its kinds and a help line for each option", async () => {
    assert.equal(backbone.contract, 2);
    assert.match(backbone.name, /^\S+$/);
    assert.ok(backbone.help.length > 0);
    assert.ok(backbone.kinds.length > 0);
    for (const [name, spec] of Object.entries(backbone.options)) assert.ok(spec.help, `${name} has no help`);
  });

  test("settles every item exactly once and ends every worker it started", async () => {
    const { outcomes, result, workers, journal } = await run({ items: good(500) });
    assert.deepEqual(keysOf(outcomes), keysOf(good(500)));
    assert.equal(result.exitCode, 0, result.error?.message);
    assert.equal(result.counts.done, 500);
    assert.equal(journal.filter(({ event }) => event === "start").length, 500);
    assert.ok(workers.started >= 1);
    assert.equal(workers.exited, workers.started);
    assert.deepEqual(workers.late, []);
  });

  test("nothing to do is done at once", async () => {
    const { result, workers } = await run({ items: [] });
    assert.deepEqual([result.exitCode, result.counts.total], [0, 0]);
    assert.equal(workers.exited, workers.started);
  });

  test("agrees with inline on outcomes, attempts, reasons, errors and values", async () => {
    const [mine, theirs] = await Promise.all([
      run({ items: mixture }),
      runSample({ backbone: inline, items: mixture }),
    ]);
    assert.deepEqual(comparable(mine.outcomes), comparable(theirs.outcomes));
    assert.deepEqual(mine.result.counts, theirs.result.counts);
    assert.equal(mine.result.exitCode, theirs.result.exitCode);
    assert.equal(mine.result.stats.retries, theirs.result.stats.retries);
  });

  test("carries items and values of every JSON shape, and a large one", async () => {
    const payloads = [
      "ä€😀\u0000\n",
      -0.5,
      true,
      null,
      [],
      {},
      [[1, { a: [] }]],
      { "": { "\u2028": 1 } },
      "x".repeat(2 ** 20),
    ];
    const items = payloads.map((payload, i): SampleItem => ({ id: `key ${i} \n "quoted" ü`, payload }));
    const { outcomes, result } = await run({ items });
    assert.equal(result.counts.done, items.length);
    assert.deepEqual(keysOf(outcomes), keysOf(items));
  });

  test("processes as many items at once as it has slots, and not one more", async () => {
    const slots = backbone.size(await optionsOf(backbone, options)).workers * concurrency;
    const meeting = Array.from({ length: slots }, (_, i): SampleItem => ({ id: `m${i}`, act: "meet", n: slots }));
    const crowd = Array.from({ length: 2 * slots }, (_, i): SampleItem => ({ id: `w${i}`, act: "wait", ms: 30 }));
    const { result, journal } = await run({ items: [...meeting, ...crowd], settings: { concurrency, retries: 0 } });
    assert.equal(result.counts.done, 3 * slots, "they all met");
    assert.equal(mostAtOnce(journal), slots);
  });

  test("makes one instance per worker: set up once, torn down once; the coordinator's is only finalized", async () => {
    const { workers: count } = backbone.size(await optionsOf(backbone, options));
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
    assert.equal(result.exitCode, 7);
    assert.match(result.error!.message, /no model here/);
    assert.equal(result.counts.done, 0);
    assert.equal(journal.filter(({ event }) => event === "start").length, 0);
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
    const ended = journal.filter(({ event }) => event === "end").length;
    assert.ok(ended < 40, "there was something left");
    assert.equal(result.counts.done, ended);
    assert.equal(result.counts.cancelled + result.counts.failed, result.counts.total - ended);
    assert.equal(result.counts.failed, 0);
  });

  test(
    "an item that ends its worker fails as crash; all others are processed",
    async () => {
      const { result, outcomes, workers } = await run({
        items: [...good(10), { id: "poison", act: "exit" }, ...good(10, "more")],
      });
      assert.deepEqual([result.counts.done, result.counts.failed], [20, 1]);
      assert.equal(outcomes.find(({ key }) => key === "poison")?.error?.code, "crash");
      assert.equal(workers.exited, workers.started);
    },
    cannotKill,
  );

  test(
    "an item that blocks its worker is ended by its time limit; all others are processed",
    async () => {
      const { result, outcomes } = await run({
        items: [...good(5), { id: "spin", act: "spin", ms: 60_000 }, ...good(5, "more")],
        settings: { timeout: 200, retries: 0 },
      });
      assert.deepEqual([result.counts.done, result.counts.failed], [10, 1]);
      assert.equal(outcomes.find(({ key }) => key === "spin")?.error?.code, "timeout");
    },
    cannotKill,
  );

  test(
    "a killed run ends at once, whatever its items do",
    async () => {
      const { result, workers } = await run({
        items: [{ id: "spin", act: "spin", ms: 60_000 }],
        async during(running, seen) {
          await until(() => seen().some(({ event }) => event === "start"));
          running.kill();
        },
      });
      assert.equal(result.counts.cancelled, 1);
      assert.deepEqual(workers.late, []);
    },
    cannotKill,
  );

  test(
    "no worker lives on after the run, even with something left open in it",
    async () => {
      await run({
        items: [{ id: "leak", act: "leak" }, ...good(3)],
        async after(seen) {
          await delay(100);
          const before = seen().length;
          await delay(150);
          assert.equal(seen().length, before, "a timer of a worker still fires");
        },
      });
    },
    cannotKill,
  );
}

/** Overlap of start and end in the journal. Ends sort before starts of the same millisecond. */
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

/** The options as the backbone gets them: parsed, defaults filled in. */
async function optionsOf(
  backbone: WorkerBackbone,
  options: Readonly<Record<string, unknown>> = {},
): Promise<Record<string, unknown>> {
  const defaults = Object.entries(backbone.options).map(([name, spec]) => [name, spec.default] as const);
  return { ...Object.fromEntries(defaults), ...options };
}
