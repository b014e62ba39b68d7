import fc from "fast-check";
import { expect, test } from "vitest";
import { chunkOf, headerOf, named, planOf, TestExecution, useFakeClock } from "./fake-session.js";

useFakeClock();

const deeds = [
  "begin",
  "begin all",
  "done",
  "fail",
  "crash",
  "lose",
  "leave",
  "block",
  "pass",
  "pass long",
  "renew",
] as const;
const step = fc.record({ deed: fc.constantFrom(...deeds), who: fc.nat(9), which: fc.nat(9) });
const ending = fc.constantFrom("finish", "drain", "stop", "stop shard");

const script = fc.record({
  workers: fc.integer({ min: 1, max: 3 }),
  slots: fc.integer({ min: 1, max: 3 }),
  queue: fc.constantFrom(0, 0, 3),
  items: fc.integer({ min: 1, max: 25 }),
  steps: fc.array(step, { maxLength: 25 }),
  ending,
});

test("whatever workers do, every item leaves exactly once and is never in two places", async () => {
  await fc.assert(
    fc.asyncProperty(script, async ({ workers, slots, queue, items, steps, ending }) => {
      const settings = { timeout: 20_000, retries: 1, grace: 1000, backoff: { minMs: 100, maxMs: 100 } };
      const run = new TestExecution({ workers, slots, queue, settings });
      const [first, second] = [named(items, "a"), named(items, "b")];
      await run.run(planOf(chunkOf(first, headerOf(0)), chunkOf(second, headerOf(1))));
      for (const { deed, who, which } of steps) {
        await act(run, deed, who, which);
        const inFlight = run.workers.flatMap((worker) => worker.items);
        expect(new Set(inFlight).size).toBe(inFlight.length);
      }
      if (ending === "drain") run.dispatcher.drain(500);
      if (ending === "stop") run.dispatcher.stop();
      if (ending === "stop shard") run.dispatcher.stopShard(1);
      for (const worker of run.workers) worker.isBlocked = false;
      await run.finish();
      expect(run.outcomes.map(({ key }) => key).toSorted()).toEqual([...first, ...second].toSorted());
      expect(run.dispatcher.snapshot()).toMatchObject({ inFlight: 0, waiting: 0 });
      if (ending === "finish" && !run.cause) expect(run.keysOf("cancelled")).toEqual([]);
    }),
    { numRuns: 100, seed: 11 },
  );
});

async function act(run: TestExecution, deed: (typeof deeds)[number], who: number, which: number): Promise<void> {
  const worker = run.workers[who % Math.max(1, run.workers.length)];
  if (deed === "renew") run.dispatcher.renewWorkers();
  if (deed === "pass" || deed === "pass long" || !worker) return run.pass(deed === "pass long" ? 13_000 : 150);
  const key = worker.items[which % Math.max(1, worker.items.length)];
  const isIdle = worker.running.length < worker.start.setup.shape.slots;
  if (deed === "begin" && key !== undefined && isIdle && !worker.running.includes(key)) worker.begin(key);
  if (deed === "begin all")
    for (const one of worker.items) {
      if (worker.running.length === worker.start.setup.shape.slots) break;
      if (!worker.running.includes(one)) worker.begin(one);
    }
  if (deed === "done" && key !== undefined) worker.done([key]);
  if (deed === "fail" && key !== undefined) worker.fail(key);
  if (deed === "crash") worker.crash();
  if (deed === "lose") worker.lose();
  if (deed === "leave") worker.leave("at its limit");
  if (deed === "block") worker.isBlocked = true;
  await run.pass();
}
