import { expect, test, vi } from "vitest";

/** Writes this many more bytes, then the disk is full. */
const disk = vi.hoisted(() => ({ left: Number.POSITIVE_INFINITY }));
vi.mock("node:fs", async (original) => {
  const fs = await original<typeof import("node:fs")>();
  const writeSync = (fd: number, bytes: Uint8Array, at: number, length: number, position?: number): number => {
    if (disk.left === 0) throw Object.assign(new Error("full"), { code: "ENOSPC" });
    const taken = Math.min(length, disk.left);
    disk.left -= taken;
    return fs.writeSync(fd, bytes, at, taken, position);
  };
  return { ...fs, writeSync };
});
const { Spool } = await import("../../../src/data/loader/spool.js");

test("rows behind a write that failed in its middle are read as they are", () => {
  using spool = new Spool();
  const first = spool.append([{ a: 1 }]);
  disk.left = 7;
  expect(() => spool.append([{ b: "lost" }])).toThrow(/no space is left/);
  disk.left = Number.POSITIVE_INFINITY;
  const second = spool.append([{ c: "kept" }]);
  expect(spool.read(first.at, first.bytes)).toEqual([{ a: 1 }]);
  expect(spool.read(second.at, second.bytes)).toEqual([{ c: "kept" }]);
});
