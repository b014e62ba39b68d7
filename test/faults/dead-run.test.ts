import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { counts, createPlace, type Ended, type Place } from "../e2e/kagurazaka.js";
import { report } from "./harness/seeds.js";

/** A native crash in a thread takes the whole process along. The next run finds out which item it was. */
const task = `
import { defineOptions, InputByExts, KagurazakaTask, moemoecueNormal, NoHardShard, OutputByAppendingExt,
  FinishCheckByOutputFileExistence, type FileItem } from "kagurazaka";
import { appendFileSync, writeFileSync } from "node:fs";
import { threadId } from "node:worker_threads";

@moemoecueNormal({
  hardShardMode: NoHardShard({ inputPath: "in", outputPath: "out" }),
  inputMode: InputByExts({ exts: [".txt"] }),
  outputMode: OutputByAppendingExt({ ext: ".done" }),
  finishCheckMode: FinishCheckByOutputFileExistence(),
})
export class Crash extends KagurazakaTask<FileItem> {
  async process({ input, output }: FileItem) {
    appendFileSync("begun.txt", input.fileName + " " + process.pid + ":" + threadId + "\\n");
    if (input.fileName.includes("crash")) process.kill(process.pid, "SIGSEGV");
    await new Promise((resolve) => setTimeout(resolve, 10));
    writeFileSync(output.path, "");
  }
}`;

const inputs = (crashing: readonly number[], count = 60): Record<string, string> =>
  Object.fromEntries(
    Array.from({ length: count }, (_, i) => [
      `in/${String(i).padStart(3, "0")}${crashing.includes(i) ? "-crash" : ""}.txt`,
      "",
    ]),
  );

const run = (place: Place, ...more: string[]): Promise<Ended> =>
  place.run(["task.ts", "Crash", "--json", "--num_process", "2", ...more]);

/** Runs the command until it ends by itself. */
async function untilItEnds(place: Place, ...more: string[]): Promise<{ ended: Ended; deaths: number }> {
  for (let deaths = 0; deaths < 10; deaths++) {
    const ended = await run(place, ...more);
    if (ended.signal === null) return { ended, deaths };
    expect(ended.signal).toBe("SIGSEGV");
  }
  throw new Error("it dies again and again");
}

describe.concurrent("a run that dies whole", () => {
  test("its suspects go first, in processes: the item fails as crash, all others are done", async () => {
    const place = createPlace({ ...inputs([17], 600), "task.ts": task });
    const { ended, deaths } = await untilItEnds(place);
    expect(deaths).toBe(1);
    expect(ended.stderr).toMatch(
      /the last run's process crashed. The \d+ items? that (?:was|were) running goe?s? first/,
    );
    expect([ended.code, ended.json.counts.failed]).toEqual([3, 1]);
    expect(place.read("out/.kagurazaka/Crash/failed.jsonl")).toMatch(/"017-crash.txt".*SIGSEGV/);
    expect(Object.keys(place.files("out"))).toHaveLength(599);
    expect(existsSync(place.path("out/.kagurazaka/Crash/under-way"))).toBe(false);
    // Once the suspects are through, the rest runs in threads again.
    const begun = place.read("begun.txt").trim().split("\n");
    expect(begun.at(-1)).toMatch(/:[1-9]\d*$/);
    expect(begun.filter((line) => line.startsWith("018")).length).toBeLessThanOrEqual(2);
    const third = await run(place, "--skip-failed");
    expect([third.code, third.json.counts]).toEqual([0, counts({ skipped: 600 })]);
  });

  test("each crashing item costs one death of the run at most, and none with --isolation process", async () => {
    const place = createPlace({ ...inputs([5, 25, 45]), "task.ts": task });
    const { ended, deaths } = await untilItEnds(place);
    report("crashing items in threads", { items: 3, deaths });
    expect(deaths).toBeLessThanOrEqual(3);
    expect(place.read("out/.kagurazaka/Crash/failed.jsonl").trim().split("\n")).toHaveLength(3);
    expect(Object.keys(place.files("out")), ended.stderr).toHaveLength(57);

    const careful = createPlace({ ...inputs([5, 25, 45]), "task.ts": task });
    const { json } = await run(careful, "--isolation", "process");
    expect(json.counts).toEqual(counts({ done: 57, failed: 3 }));
  });

  test("a run of suspects that is cut short leaves them suspects", async () => {
    const place = createPlace({ ...inputs([30], 300), "task.ts": task.replace("10));", "200));") });
    const first = await run(place);
    expect(first.signal).toBe("SIGSEGV");
    const second = place.start(["task.ts", "Crash", "--num_process", "2"]);
    await second.says("go first");
    second.child.kill("SIGINT");
    second.child.kill("SIGINT");
    await second.ended;
    const third = place.start(["task.ts", "Crash", "--num_process", "2"]);
    await third.says("go first");
    third.child.kill("SIGKILL");
    await third.ended;
  });

  test("records too, before anything was recorded", async () => {
    const place = createPlace({
      "task.ts": `
import { KagurazakaTask } from "kagurazaka";
export class Crash extends KagurazakaTask<{ n: number }> {
  *generateTasks() { for (let n = 0; n < 200; n++) yield { n }; }
  process({ n }: { n: number }) { if (n === 0) process.kill(process.pid, "SIGSEGV"); }
}`,
    });
    const { ended, deaths } = await untilItEnds(place);
    const { done, skipped, failed } = ended.json.counts;
    expect({ deaths, failed, finished: done + skipped }).toEqual({ deaths: 1, failed: 1, finished: 199 });
  });
});
