import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { counts, createPlace } from "../e2e/kagurazaka.js";
import { leftovers } from "./harness/disk.js";
import { report } from "./harness/seeds.js";
import { mayMount, mountSmallDisk } from "./harness/small-disk.js";
import { checkOutOfRoom, checkWholeFiles } from "./scenarios/out-of-room.js";

/** Programs and native libraries that find no room say so in words of their own: no error code tells it. */
const FILES = 24;
const KILOBYTES = 40;
const textOf = (i: number): string => `${i} `.repeat((KILOBYTES * 1024) / 4).slice(0, KILOBYTES * 1024);
const inputs = (): Record<string, string> =>
  Object.fromEntries(Array.from({ length: FILES }, (_, i) => [`in/${i % 3}/f${i}.txt`, textOf(i)]));
const wanted = (path: string): string => textOf(Number(/(\d+)\.txt/.exec(path)![1]));

const task = `
  import { readFileSync, writeFileSync } from "node:fs";
  import { once } from "node:events";
  import { FinishCheckByOutputFileExistence, InputByExts, KagurazakaTask, moemoecueNormal, NoHardShard, OutputByTemplate } from "kagurazaka";
  const modes = {
    hardShardMode: NoHardShard({ inputPath: "in", outputPath: "out" }),
    inputMode: InputByExts({ exts: [".txt"] }),
    outputMode: OutputByTemplate({ pattern: "{rel_dir}/{stem}{ext}" }),
    finishCheckMode: FinishCheckByOutputFileExistence(),
  };
  @moemoecueNormal(modes)
  export class Spawns extends KagurazakaTask {
    async process({ input, output }, ctx) {
      const child = ctx.spawn("cp", [input.path, output.path], { stdio: "ignore" });
      const [code] = await once(child, "exit");
      if (code !== 0) throw new Error("the copier gave up");
    }
  }
  @moemoecueNormal(modes)
  export class Native extends KagurazakaTask {
    async process({ input, output }) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      try { writeFileSync(output.path, readFileSync(input.path)); }
      catch { throw new Error("unable to save the picture"); }
    }
  }`;

const exec = ["@exec", "--json", "--in", "in", "--out", "out"];
const spawns = ["task.ts", "Spawns", "--json", "--num_process", "2", "--concurrency", "4"];
const ways: Readonly<Record<string, readonly string[]>> = {
  "@exec --stdout-to output": [...exec, "--stdin", "input", "--stdout-to", "output", "--", "cat"],
  "@exec, a program that writes {output.path}": [...exec, "--", "cp", "{}", "{output.path}"],
  "ctx.spawn in threads": spawns,
  "ctx.spawn in processes": [...spawns, "--isolation", "process"],
  "a library with words of its own": ["task.ts", "Native", "--json", "--num_process", "2"],
  "a library, inline": ["task.ts", "Native", "--json", "--backbone", "inline", "--concurrency", "3"],
};

const notBecause = mayMount ? "" : " (skipped: mounting a small disk takes root on Linux)";
describe.skipIf(!mayMount)(`an output root without room${notBecause}`, () => {
  test.each(Object.entries(ways))(
    "%s: one message, exit 7, no item failed for it; with room the same command finishes",
    async (way, args) => {
      const place = createPlace({ ...inputs(), "task.ts": task });
      using disk = mountSmallDisk(place.path("out"), 400);
      const stopped = await place.run(args);
      const message = checkOutOfRoom(stopped, /no space is left in the output root .*\/out: .+\(while processing /);
      const found = checkWholeFiles(disk.dir, wanted);
      expect(found).toBeGreaterThan(0);
      expect(found).toBeLessThan(FILES);
      expect(stopped.json.counts.failed, "a full disk is no item's fault").toBeLessThanOrEqual(1);
      disk.resize(8192);
      const again = await place.run(args);
      expect(again.code, again.stderr).toBe(0);
      expect(again.json.counts).toEqual(counts({ done: FILES - found, skipped: found }));
      expect(checkWholeFiles(disk.dir, wanted)).toBe(FILES);
      expect(leftovers(disk.dir)).toEqual([]);
      report(`full disk, ${way}`, { found, failed: stopped.json.counts.failed, message: message.length });
    },
  );

  test("little room, but enough: an item that fails does so for itself", async () => {
    const place = createPlace({ "in/a.txt": "a", "in/b.txt": "b" });
    using disk = mountSmallDisk(place.path("out"), 600);
    const args = [...exec, "--retries", "0", "--"];
    const { code, json, stderr } = await place.run([...args, "sh", "-c", 'grep a "$0" > "$1"', "{}", "{output.path}"]);
    expect([code, json.counts], stderr).toEqual([3, counts({ done: 1, failed: 1 })]);
    expect(stderr).not.toContain("no space");
    expect(leftovers(disk.dir)).toEqual([]);
    expect(readFileSync(place.path("out/a.txt"), "utf8")).toBe("a\n");
  });

  test("no room for another file, though for bytes: exit 7 too", async () => {
    const place = createPlace(inputs());
    using disk = mountSmallDisk(place.path("out"), 8192);
    disk.resize(8192, 40);
    const args = ways["@exec, a program that writes {output.path}"]!;
    // The last one is wanted by the program, or by us for its staging directory.
    checkOutOfRoom(await place.run(args), /no space is left in the output root .*: (?:cp: exit code 1 |ENOSPC)/);
    const found = checkWholeFiles(disk.dir, wanted);
    expect(found).toBeGreaterThan(0);
    disk.resize(8192, 4000);
    const again = await place.run(args);
    expect(again.json.counts, again.stderr).toEqual(counts({ done: FILES - found, skipped: found }));
    expect(checkWholeFiles(disk.dir, wanted)).toBe(FILES);
  });
});
