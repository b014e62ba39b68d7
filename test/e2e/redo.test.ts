import { utimesSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { counts, createPlace, type Place } from "./kagurazaka.js";

/** `--redo`: finished items that something else has made. */
const task = (
  mark: string,
  { version = 1, check = "finishCheckMode: FinishCheckByOutputFileExistence()," } = {},
): string => `
import { defineOptions, FinishCheckByOutputFileExistence, InputByExts, KagurazakaTask, moemoecueNormal, NoHardShard,
  OutputByAppendingExt, type FileItem } from "kagurazaka";
import { writeFileSync } from "node:fs";
const options = defineOptions({ word: { type: "string", default: "a" } });
@moemoecueNormal({
  hardShardMode: NoHardShard({ inputPath: "in", outputPath: "out" }),
  inputMode: InputByExts({ exts: [".txt"] }),
  outputMode: OutputByAppendingExt({ ext: ".out" }),
  ${check}
})
export class Mark extends KagurazakaTask<FileItem, typeof options> {
  static options = options;
  static version = ${version};
  process({ output }: FileItem) { writeFileSync(output.path, "${mark}" + this.options.word); }
}`;

const plain = (mark: string): string => `
import { KagurazakaTask } from "kagurazaka";
import { appendFileSync } from "node:fs";
export class Mark extends KagurazakaTask<{ n: number }> {
  *generateTasks() { for (let n = 0; n < 4; n++) yield { n }; }
  isExecuted() { return true; }
  process({ n }: { n: number }) { appendFileSync("made.txt", "${mark}" + n + "\\n"); }
}`;

const inputs = Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`in/${i}.txt`, `${i}`]));
const run = (place: Place, ...more: string[]) =>
  place.run(["task.ts", "Mark", "--json", "--backbone", "inline", ...more]);
const marks = (place: Place): string[] => [...new Set(Object.values(place.files("out")))];

describe.concurrent("--redo", () => {
  test("code: results of other code are kept with a count, and made again when asked, once", async () => {
    const place = createPlace({ ...inputs, "task.ts": task("one ") });
    await run(place);
    place.write({ "task.ts": task("two ") });
    const kept = await run(place);
    expect(kept.json.counts).toEqual(counts({ skipped: 6 }));
    expect(kept.stderr).toContain("6 results were made by other code and are kept; --redo code makes them again");
    const redone = await run(place, "--redo", "code");
    expect(redone.json.counts).toEqual(counts({ done: 6 }));
    expect(marks(place)).toEqual(["two a"]);
    const again = await run(place, "--redo", "code");
    expect(again.json.counts).toEqual(counts({ skipped: 6 }));
    expect(again.stderr).not.toContain("other code");
  });

  test("options and version: only what they made otherwise; several causes at once", async () => {
    const place = createPlace({ ...inputs, "task.ts": task("x ") });
    await run(place, "--only", "{0,1,2}.txt", "--word", "old");
    const { stderr } = await run(place, "--word", "new");
    expect(stderr).toContain('3 results were made by other options (word was "old") and are kept');
    expect((await run(place, "--word", "new", "--redo", "options")).json.counts).toEqual(
      counts({ done: 3, skipped: 3 }),
    );
    expect(marks(place)).toEqual(["x new"]);
    place.write({ "task.ts": task("x ", { version: 2 }) });
    const dry = await run(place, "--word", "new", "--redo", "version", "--redo", "options", "--dry-run");
    expect(JSON.parse(dry.stdout)).toMatchObject({ total: 6, run: 6 });
    expect((await run(place, "--word", "new", "--redo", "version")).json.counts).toEqual(counts({ done: 6 }));
  });

  test("a redo that was cut short goes on where it was", async () => {
    const place = createPlace({ ...inputs, "task.ts": task("one ") });
    await run(place);
    place.write({ "task.ts": task("two ") });
    expect((await run(place, "--redo", "code", "--limit", "2")).json.counts.done).toBe(2);
    expect((await run(place, "--redo", "code")).json.counts).toEqual(counts({ done: 4, skipped: 2 }));
    expect(marks(place)).toEqual(["two a"]);
  });

  test("without a check of files the ledger decides; a task's own isExecuted is not asked about what is redone", async () => {
    const place = createPlace({ ...inputs, "task.ts": task("one ", { check: "" }) });
    await run(place);
    place.write({ "task.ts": task("two ", { check: "" }) });
    expect((await run(place, "--redo", "code")).json.counts).toEqual(counts({ done: 6 }));
    expect(marks(place)).toEqual(["two a"]);

    const own = createPlace({ "task.ts": plain("one ").replace("return true", "return false") });
    await run(own);
    own.write({ "task.ts": plain("two ") });
    expect((await run(own)).json.counts).toEqual(counts({ skipped: 4 }));
    expect((await run(own, "--redo", "code")).json.counts).toEqual(counts({ done: 4 }));
    expect(own.read("made.txt").split("two").length - 1).toBe(4);
  });

  test("inputs: what has changed since, by the outputs' times or by the run that recorded it", async () => {
    for (const check of [undefined, ""]) {
      const place = createPlace({ ...inputs, "task.ts": task("one ", check === undefined ? {} : { check }) });
      for (const name of Object.keys(inputs)) utimesSync(place.path(name), 1e9, 1e9);
      await run(place);
      const later = new Date(Date.now() + 5000);
      utimesSync(place.path("in/4.txt"), later, later);
      expect((await run(place)).json.counts).toEqual(counts({ skipped: 6 }));
      const redone = await run(place, "--redo", "inputs");
      expect(redone.json.counts).toEqual(counts({ done: 1, skipped: 5 }));
    }
  });

  test("options: the words after -- are the options of a task that reads them raw", async () => {
    const place = createPlace({ "in/a.txt": "a" });
    const exec = (word: string, ...more: string[]) =>
      place.run(["@exec", "--in", "in", "--out", "out", "--json", ...more, "--", "echo", word]);
    await exec("one");
    const kept = await exec("two");
    expect(kept.json.counts).toEqual(counts({ skipped: 1 }));
    expect(kept.stderr).toContain(
      "1 result was made by other options (the words after -- were different) and are kept",
    );
    expect((await exec("two", "--redo", "options")).json.counts).toEqual(counts({ done: 1 }));
    expect(place.read("out/a.txt")).toBe("two\n");
  });

  test("explain says it; a cause that does not exist is refused with those that do", async () => {
    const place = createPlace({ ...inputs, "task.ts": task("one ") });
    await run(place);
    place.write({ "task.ts": task("two ") });
    const explained = await place.run(["explain", "3.txt", "task.ts", "Mark", "--redo", "code"]);
    expect(explained.stdout).toMatch(/would run[\s\S]*--redo asks for it again/);
    const wrong = await run(place, "--redo", "colour");
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringMatching(/one of code, options, version, inputs/)]);
  });
});
