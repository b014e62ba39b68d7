import { readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { TaskContext } from "../../src/index.js";
import Checksum from "../../tasks/checksum.js";
import Compress from "../../tasks/compress.js";
import WordCount from "../../tasks/word-count.js";
import { createTree } from "../data/tree.js";
import { itemOf } from "./item-of.js";

/** `process` and `verify` here use the signal alone. */
const ctx = { signal: new AbortController().signal } as unknown as TaskContext;

describe("word-count", () => {
  const count = (content: string | Uint8Array) => {
    const root = createTree({});
    writeFileSync(join(root, "a.txt"), content);
    const item = itemOf(root, "a.txt", ".json");
    new WordCount().process(item);
    return JSON.parse(readFileSync(item.output.path, "utf8"));
  };

  test.each([
    ["", { lines: 0, words: 0, characters: 0, bytes: 0 }],
    ["one", { lines: 0, words: 1, characters: 3, bytes: 3 }],
    [" two  words\r\n", { lines: 1, words: 2, characters: 13, bytes: 13 }],
    ["é\u00a0いろは\u3000😀 x\u2028y\n\n", { lines: 2, words: 5, characters: 13, bytes: 28 }],
    ["\u200b", { lines: 0, words: 1, characters: 1, bytes: 3 }],
  ])("counts %j", (content, counts) => {
    expect(count(content)).toEqual(counts);
  });

  test("bytes that are not UTF-8 do not stop it", () => {
    expect(count(new Uint8Array([0x61, 0xff, 0x20, 0x62]))).toEqual({ lines: 0, words: 2, characters: 4, bytes: 4 });
  });

  test("words are the pieces between White_Space, characters the code points, in any script", () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.oneof(
            fc.constantFrom(" ", "\n", "\u0085", "\u2003", "\ufeff", "\u180e"),
            fc.string({ unit: "grapheme", maxLength: 1 }),
          ),
        }),
        (text) => {
          const words = text.split(/\p{White_Space}+/u).filter((word) => word !== "").length;
          expect(count(text)).toMatchObject({ words, characters: [...text].length });
        },
      ),
    );
  });
});

describe("checksum", () => {
  const run = async (root: string, path: string, algorithm: "sha256" | "sha512" | "sha1" | "md5") => {
    const item = itemOf(root, path, ".checksum");
    const task = new Checksum();
    task.options = { algorithm };
    const digest = await task.process(item, ctx);
    return { digest, line: readFileSync(item.output.path, "utf8") };
  };

  test.each([
    ["sha256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
    ["sha1", "a9993e364706816aba3e25717850c26c9cd0d89d"],
    ["md5", "900150983cd24fb0d6963f7d28e17f72"],
  ] as const)("%s of abc", async (algorithm, digest) => {
    const root = createTree({ "a/b.txt": "abc" });
    expect(await run(root, "a/b.txt", algorithm)).toEqual({ digest, line: `${digest}  a/b.txt\n` });
  });
});

describe("compress", () => {
  const run = async (root: string, path: string, ext: string, level = 6) => {
    const item = itemOf(root, path, ext);
    const task = new Compress();
    task.options = { level };
    await task.process(item, ctx);
    await task.verify(item, ctx);
    return { item, task, bytes: readFileSync(item.output.path) };
  };
  const content = "some words, and some more words\n".repeat(5000);

  test("the output's extension is the format", async () => {
    const root = createTree({ "a.txt": content, empty: "" });
    expect(gunzipSync((await run(root, "a.txt", ".gz")).bytes).toString()).toBe(content);
    expect(brotliDecompressSync((await run(root, "a.txt", ".br")).bytes).toString()).toBe(content);
    expect(gunzipSync((await run(root, "empty", ".gz", 11)).bytes).length).toBe(0);
    await expect(run(root, "a.txt", ".zip")).rejects.toThrow(/cannot tell the format from "\.zip"/);
  });

  test("same bytes in, same bytes out, whatever the file's name and time", async () => {
    const root = createTree({ "a.txt": content, "b.txt": content });
    utimesSync(join(root, "b.txt"), 1, 1);
    for (const ext of [".gz", ".br"]) {
      const [a, b] = [await run(root, "a.txt", ext), await run(root, "b.txt", ext)];
      expect(a.bytes.equals(b.bytes)).toBe(true);
    }
  });

  test("the level counts", async () => {
    const root = createTree({ "a.txt": Array.from({ length: 20_000 }, (_, i) => Math.sin(i)).join() });
    const size = async (level: number) => statSync((await run(root, "a.txt", ".gz", level)).item.output.path).size;
    expect(await size(9)).toBeLessThan(await size(1));
  });

  test("an output that does not unpack to the input's size is not verified", async () => {
    const root = createTree({ "a.txt": content });
    const { item, task, bytes } = await run(root, "a.txt", ".gz");
    writeFileSync(item.input.path, content + "more");
    await expect(task.verify(item, ctx)).rejects.toThrow(/unpacks to 160000 bytes/);
    writeFileSync(item.output.path, bytes.subarray(0, bytes.length - 9));
    await expect(task.verify(item, ctx)).rejects.toThrow();
  });
});
