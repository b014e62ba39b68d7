import { describe, expect, test } from "vitest";
import type { SampleEvent, SampleItem } from "../../src/testing/sample-task.js";
import { counts, createPlace, type Place } from "../e2e/kagurazaka.js";

const items = (n: number, more: Partial<SampleItem> = {}): SampleItem[] =>
  Array.from({ length: n }, (_, i) => ({ id: `i${i}`, ...more }));

const placesOf = (events: readonly SampleEvent[]): string[] => [
  ...new Set(events.map(({ pid, thread }) => `${pid}-${thread}`)),
];

function checkWhole(place: Place, n: number): void {
  const started = place.journal("start").map(({ key }) => key);
  expect(started.toSorted()).toEqual(
    items(n)
      .map(({ id }) => id)
      .toSorted(),
  );
  // Every one that was set up was torn down.
  const instances = (event: string) => place.journal(event).map(({ instance }) => instance);
  expect(instances("teardown").toSorted()).toEqual(instances("setup").toSorted());
}

const logged = (place: Place, run: string): { worker: number; why: string }[] =>
  place
    .read(`.kagurazaka/sample/runs/${run}/log.jsonl`)
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line))
    .filter(({ event }) => event === "recycled");

const leak = `
import { KagurazakaTask } from "kagurazaka";
import { appendFileSync } from "node:fs";
import { threadId } from "node:worker_threads";
const kept: unknown[] = [];
export class Leak extends KagurazakaTask<{ id: number }> {
  *generateTasks() { for (let id = 0; id < 24; id++) yield { id }; }
  async process({ id }: { id: number }) {
    kept.push(Buffer.alloc(30e6, 1));
    // Memory is looked at ten times a second.
    await new Promise((resolve) => setTimeout(resolve, 110));
    appendFileSync("starts", \`\${id} \${process.pid}-\${threadId}\\n\`);
  }
}`;

describe.each(["thread", "process"])("a worker that is a %s", (isolation) => {
  const mp = ["--backbone", "mp", "--isolation", isolation];

  test.each([2, 6])(
    "makes room for a fresh one after N items, %i at once: torn down, nothing lost, nothing done twice",
    async (concurrency) => {
      const place = createPlace();
      const flags = [...mp, "--num_process", "2", "--recycle_after", "5", "--concurrency", `${concurrency}`];
      const { json, stderr } = await place.sample(items(60), flags);
      expect(json, stderr).toMatchObject({ exitCode: 0, counts: counts({ done: 60 }) });
      checkWhole(place, 60);
      const starts = place.journal("start");
      for (const { instance } of place.journal("setup"))
        expect(starts.filter((one) => one.instance === instance).length).toBeLessThanOrEqual(5);
      // The last ones may have had less to do.
      expect(placesOf(starts).length).toBeGreaterThanOrEqual(12);
      const notes = logged(place, json.run);
      expect(notes.length).toBeGreaterThanOrEqual(10);
      expect(notes[0]!.why).toBe("after 5 items");
      expect(stderr).not.toContain("after 5 items");
    },
  );

  test("may be a fresh one for every item", async () => {
    const place = createPlace();
    const { json, stderr } = await place.sample(items(8), [...mp, "--recycle_after", "1"]);
    expect(json, stderr).toMatchObject({ exitCode: 0, counts: counts({ done: 8 }) });
    checkWhole(place, 8);
    expect(placesOf(place.journal("start"))).toHaveLength(8);
  });

  test("makes room for a fresh one when it uses too much memory", async () => {
    const place = createPlace({ "leak.ts": leak });
    const args = ["leak.ts", "Leak", "--json", "--num_process", "2", ...mp];
    const { json, stderr } = await place.run([...args, "--recycle_rss", "200MB"]);
    expect(json, stderr).toMatchObject({ exitCode: 0, counts: counts({ done: 24 }) });
    const lines = place.read("starts").trim().split("\n");
    expect(lines).toHaveLength(24);
    const byWorker = new Map<string, number>();
    for (const line of lines) {
      const worker = line.split(" ")[1]!;
      byWorker.set(worker, (byWorker.get(worker) ?? 0) + 1);
    }
    expect(byWorker.size).toBeGreaterThan(3);
    expect(Math.max(...byWorker.values())).toBeLessThanOrEqual(8);
  });

  test("that crashes while workers are recycled costs one item", async () => {
    const place = createPlace();
    const poisoned: SampleItem[] = [
      ...items(20),
      { id: "poison", act: "exit" },
      ...items(20).map(({ id }) => ({ id: `${id}+` })),
    ];
    const { json, stderr } = await place.sample(poisoned, [...mp, "--recycle_after", "3"]);
    expect(json, stderr).toMatchObject({ exitCode: 3, counts: counts({ done: 40, failed: 1 }) });
  });

  test("is ended when its teardown takes longer than --grace", async () => {
    const place = createPlace({
      "slow.ts": `
        import { KagurazakaTask } from "kagurazaka";
        export class Slow extends KagurazakaTask<{ id: number }> {
          *generateTasks() { for (let id = 0; id < 4; id++) yield { id }; }
          process() {}
          async teardown() { await new Promise(() => setInterval(() => {}, 1000)); }
        }`,
    });
    const flags = ["--num_process", "2", "--recycle_after", "1", "--grace", "300ms", "--json", ...mp];
    const { json, stderr } = await place.run(["slow.ts", "Slow", ...flags]);
    expect(json, stderr).toMatchObject({ exitCode: 0, counts: counts({ done: 4 }) });
  });
});
