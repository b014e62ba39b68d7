import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { ActivityFile, activityWriterTo } from "../../backbones/mp/activity-file.js";
import { fillDisk } from "../faults/harness/filler.js";
import { mayMount, mountSmallDisk } from "../faults/harness/small-disk.js";

const base = mkdtempSync(join(tmpdir(), "kagurazaka-activity-file-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));
const room = join(base, "room");
mkdirSync(room);

/** Whether the coordinator reads what a worker writes into the file. */
function works(file: ActivityFile): boolean {
  const activity = new SharedArrayBuffer(8 * 400);
  const cells = new Float64Array(activity).fill(7);
  activityWriterTo(file.fd, activity)(0, cells.length);
  const seen = new SharedArrayBuffer(activity.byteLength);
  file.readInto(seen);
  return new Float64Array(seen).every((cell) => cell === 7);
}

const notBecause = mayMount ? "" : " (skipped: mounting a small disk takes root on Linux)";
describe.skipIf(!mayMount)(`the activity of a worker process${notBecause}`, () => {
  test.each([0, 16])("where /dev/shm has %i KB left it is in the next directory, and the file has no name", (leave) => {
    using disk = mountSmallDisk(join(base, "shm"), 256);
    using filler = fillDisk(disk.dir, leave);
    using file = new ActivityFile([disk.dir, room]);
    expect(works(file)).toBe(true);
    expect(readdirSync(disk.dir)).toEqual(["filler"]);
    expect(readdirSync(room)).toEqual([]);
    filler[Symbol.dispose]();
    using first = new ActivityFile([disk.dir, join(base, "not there")]);
    // The space is reserved from the start: a disk that fills up later does not matter.
    using _ = fillDisk(disk.dir);
    expect(works(first)).toBe(true);
  });

  test("without space in any directory it is an environment error, and no descriptor stays open", () => {
    using disk = mountSmallDisk(join(base, "shm"), 256);
    using _ = fillDisk(disk.dir);
    expect(() => new ActivityFile([disk.dir, join(base, "not there")])).toThrow(/cannot make a file in .*shm or /);
    expect(() => new ActivityFile([join(base, "not there"), disk.dir])).toThrow(
      expect.objectContaining({ code: "environment", message: expect.stringContaining("ENOSPC") }),
    );
    expect(readFileSync("/proc/mounts", "utf8")).toContain(disk.dir);
    const open = readdirSync("/proc/self/fd").length;
    for (let i = 0; i < 20; i++) expect(() => new ActivityFile([disk.dir])).toThrow();
    expect(readdirSync("/proc/self/fd").length).toBeLessThan(open + 10);
  });
});
