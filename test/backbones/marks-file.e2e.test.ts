import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { ActivityFile, activityWriterTo } from "../../backbones/mp/activity-file.js";
import { fillDisk } from "../faults/harness/filler.js";
import { mayMount, mountSmallDisk } from "../faults/harness/small-disk.js";

const base = mkdtempSync(join(tmpdir(), "kagurazaka-marks-file-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));
const room = join(base, "room");
mkdirSync(room);

/** What a worker writes into it is read back. */
function works(file: ActivityFile): boolean {
  const marks = new SharedArrayBuffer(8 * 400);
  const cells = new Float64Array(marks).fill(7);
  activityWriterTo(file.fd, marks)(0, cells.length);
  const seen = new SharedArrayBuffer(marks.byteLength);
  file.readInto(seen);
  return new Float64Array(seen).every((cell) => cell === 7);
}

const notBecause = mayMount ? "" : " (skipped: mounting a small disk takes root on Linux)";
describe.skipIf(!mayMount)(`the marks of a worker process${notBecause}`, () => {
  test.each([0, 16])(
    "where /dev/shm has %i KB left they lie in the next directory, and nothing of them has a name",
    (leave) => {
      using disk = mountSmallDisk(join(base, "shm"), 256);
      using filler = fillDisk(disk.dir, leave);
      using file = new ActivityFile([disk.dir, room]);
      expect(works(file)).toBe(true);
      expect(readdirSync(disk.dir)).toEqual(["filler"]);
      expect(readdirSync(room)).toEqual([]);
      filler[Symbol.dispose]();
      using first = new ActivityFile([disk.dir, join(base, "not there")]);
      // The room is taken from the start: whoever fills the disk later takes nothing from it.
      using _ = fillDisk(disk.dir);
      expect(works(first)).toBe(true);
    },
  );

  test("where no directory has room it is the environment's fault, and no descriptor stays open", () => {
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
