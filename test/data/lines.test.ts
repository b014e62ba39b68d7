import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { writeJsonl } from "../../src/data/lists/jsonl-writer.js";
import { type ReadLinesOptions, readLines } from "../../src/data/lists/lines.js";
import { createDirectory } from "./tree.js";

const write = (content: string | Uint8Array, name = "x.txt"): string => {
  const path = join(createDirectory(), name);
  writeFileSync(path, content);
  return path;
};

/** What came out, and the error it ended with. */
async function read(path: string, options: ReadLinesOptions = {}) {
  const lines: string[] = [];
  try {
    for await (const some of readLines(path, options)) lines.push(...some);
  } catch (error) {
    return { lines, error: error as Error };
  }
  return { lines, error: undefined };
}

describe("lines", () => {
  const text = "\ufeffone\r\n\n  \r\n two \n\té😀いろは\n\r\r\na\0b\nlast";
  const expected = ["one", " two ", "\té😀いろは", "a\0b", "last"];
  const size = Buffer.byteLength(text);

  test.each(["x.txt", "x.txt.gz"])(
    "%s: byte order marks, CRLF, blank lines, a missing last newline, at every chunk size",
    async (name) => {
      const path = write(name.endsWith(".gz") ? gzipSync(text) : text, name);
      for (let chunkBytes = 1; chunkBytes <= size + 1; chunkBytes++) {
        expect(await read(path, { chunkBytes }), `chunks of ${chunkBytes}`).toEqual({
          lines: expected,
          error: undefined,
        });
      }
    },
  );

  test(".zst by name", async () => {
    const path = join(createDirectory(), "x.zst");
    await writeJsonl(path, [[1, "two"]]);
    expect(await read(path)).toEqual({ lines: ["1", '"two"'], error: undefined });
  });

  test("separated by NUL, nothing in them is special, at every chunk size", async () => {
    const path = write("\ufeffa\r\0b\nc\0\0 \0é");
    for (let chunkBytes = 1; chunkBytes < 16; chunkBytes++) {
      const { lines } = await read(path, { nullSeparated: true, chunkBytes });
      expect(lines).toEqual(["\ufeffa\r", "b\nc", " ", "é"]);
    }
  });

  test("an empty file, and one of blank lines only, have none", async () => {
    for (const content of ["", "\n\r\n \n", "\ufeff"]) expect((await read(write(content))).lines).toEqual([]);
  });

  test("bytes that are not UTF-8 are an error at their line, after the lines before it", async () => {
    const path = write(Buffer.concat([Buffer.from("a\n\nb\n"), Buffer.from([0x63, 0xff, 0x0a]), Buffer.from("d\n")]));
    for (const chunkBytes of [1, 4, 1 << 20]) {
      const { lines, error } = await read(path, { chunkBytes });
      expect(lines).toEqual(["a", "b"]);
      expect(error).toMatchObject({ code: "generate-tasks", where: `${path}:4` });
    }
  });

  test("what is packed under a plain name is called by its name", async () => {
    const { error } = await read(write(gzipSync("a\n")));
    expect(error).toMatchObject({ message: expect.stringContaining("gzip"), hint: expect.stringContaining(".gz") });
  });

  test("a line above the cap is an error at its line", async () => {
    const path = write(`a\nb\n${"x".repeat(100)}`);
    const { lines, error } = await read(path, { chunkBytes: 8, maxLineBytes: 50 });
    expect(lines).toEqual(["a", "b"]);
    expect(error).toMatchObject({ code: "generate-tasks", where: `${path}:3` });
  });
});
