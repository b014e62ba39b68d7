import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { FileSink } from "../../../src/data/stores/file-sink.js";

test("pieces of all sizes are written in their order, counted and hashed", () => {
  const dir = mkdtempSync(join(tmpdir(), "kagurazaka-sink-"));
  const path = join(dir, "file");
  const sink = new FileSink(path);
  const sizes = [3, 700_000, 10, 2_000_000, 0, 600_000, 500_000, 500_000, 40, 1 << 20, 1];
  const pieces = sizes.map((size, i) => Buffer.alloc(size, i + 1));
  for (const piece of pieces) sink.write(piece);
  const sha256 = sink.finish();
  const written = readFileSync(path);
  expect(written.equals(Buffer.concat(pieces))).toBe(true);
  expect(sink.bytes).toBe(written.length);
  expect(sha256).toBe(createHash("sha256").update(written).digest("hex"));
  rmSync(dir, { recursive: true });
});
