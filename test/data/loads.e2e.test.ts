import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import zlib from "node:zlib";
import { expect, test } from "vitest";
import { writeJsonl } from "../../src/data/lists/jsonl-writer.js";
import { loadsOf } from "../house/loads.js";
import { createDirectory } from "./tree.js";

/** Readers and codecs are the coordinator's: a worker that loads one starts slower for nothing. */
const task = new URL("../fixtures/tasks/lists.ts", import.meta.url).pathname;

function tell(dir: string, mode: string) {
  const cache = join(dir, "cache");
  mkdirSync(cache);
  return loadsOf([task, "Tell", "--num-process", "1", "--mixin", `input_mode=${mode}`], dir, cache);
}

test("a table in .zst: the parser and, where Node has none, the codec are loaded, by no worker", async () => {
  const dir = createDirectory();
  await writeJsonl(join(dir, "table.zst"), [["id", 1, 2]]);
  const { status, stderr, main, mainFiles, workers, workerFiles } = tell(
    dir,
    "{use: InputFromCsv, csv_path: table.zst}",
  );
  expect(status, stderr).toBe(0);
  expect(mainFiles).toContain("src/data/csv/parser.js");
  expect(main.has("@bokuweb/zstd-wasm")).toBe(!("createZstdDecompress" in zlib));
  expect([...workers]).toEqual(["piscina"]);
  expect(workerFiles.filter((file) => /^src\/data\/(?!lists\/lazy|files\/walk|bytes\/source-name)/.test(file))).toEqual(
    [],
  );
});

test("lines need neither", () => {
  const dir = createDirectory();
  writeFileSync(join(dir, "lines.txt"), "a\n");
  const { status, main, mainFiles } = tell(dir, "{use: InputByLines, lines_path: lines.txt, as: text}");
  expect(status).toBe(0);
  expect([...main, ...mainFiles].filter((name) => /data\/csv|zstd/.test(name))).toEqual([]);
});
