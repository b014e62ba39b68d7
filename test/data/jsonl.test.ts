import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { type JsonlRecord, type ReadJsonlOptions, readJsonl } from "../../src/data/lists/jsonl.js";
import { openJsonlWriter, writeJsonl } from "../../src/data/lists/jsonl-writer.js";
import { createDirectory } from "./tree.js";

const write = (content: string | Uint8Array, name = "x.jsonl"): string => {
  const path = join(createDirectory(), name);
  writeFileSync(path, content);
  return path;
};

/** What came out, and the error it ended with. */
async function read(path: string, options: ReadJsonlOptions = {}) {
  const records: JsonlRecord[] = [];
  try {
    for await (const batch of readJsonl(path, options)) records.push(...batch);
  } catch (error) {
    return { records, error: error as Error };
  }
  return { records, error: undefined };
}

describe("reading", () => {
  const text = '\ufeff{"a":1}\r\n\n  \r\n{"b":"é😀いろは"}\n\t[1]\n"\u2028"\nnull';
  const expected = [
    { line: 1, value: { a: 1 } },
    { line: 4, value: { b: "é😀いろは" } },
    { line: 5, value: [1] },
    { line: 6, value: "\u2028" },
    { line: 7, value: null },
  ];
  const size = Buffer.byteLength(text);

  test.each(["x.jsonl", "x.jsonl.gz"])(
    "%s: byte order marks, CRLF, blank lines, a missing last newline, at every chunk size",
    async (name) => {
      const path = write(name.endsWith(".gz") ? gzipSync(text) : text, name);
      for (let chunkBytes = 1; chunkBytes <= size + 1; chunkBytes++) {
        expect(await read(path, { chunkBytes }), `chunks of ${chunkBytes}`).toEqual({
          records: expected,
          error: undefined,
        });
      }
    },
  );

  test("integers beyond 2^53 keep their value; the line of one with too many digits is named", async () => {
    const [a, b] = [{ id: 9007199254740993n }, { id: 7, text: "9007199254740993" }];
    const path = write(`{"id":9007199254740993}\n{"id":7,"text":"9007199254740993"}\n${"1".repeat(500)}\n`);
    const { records, error } = await read(path);
    expect(records.map(({ value }) => value)).toEqual([a, b]);
    expect(error).toMatchObject({ where: `${path}:3`, message: expect.stringContaining("an integer of 500 digits") });
  });

  test("an empty file, and one of blank lines only, have no records", async () => {
    for (const content of ["", "\n\n \n", "\ufeff"]) expect((await read(write(content))).records).toEqual([]);
  });

  test("a bad line is named, and what stands before it comes out first", async () => {
    const path = write('{"a":1}\n\n{"b":\n{"c":3}\n');
    for (const chunkBytes of [1, 5, 9, 1 << 20]) {
      const { records, error } = await read(path, { chunkBytes });
      expect(records).toEqual([{ line: 1, value: { a: 1 } }]);
      expect(error).toMatchObject({
        code: "generate-tasks",
        where: `${path}:3`,
        message: expect.stringContaining(`${path}:3: not JSON`),
      });
    }
  });

  test("bytes that are not UTF-8 are an error at their line, not replaced", async () => {
    const path = write(
      Buffer.concat([Buffer.from('{"a":1}\n{"b":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}\n{"c":1}\n')]),
    );
    for (const chunkBytes of [1, 7, 1 << 20]) {
      const { records, error } = await read(path, { chunkBytes });
      expect(records.length).toBe(1);
      expect(error).toMatchObject({ where: `${path}:2`, message: expect.stringContaining("not valid UTF-8") });
    }
  });

  test("a line above the cap is an error, whether or not it ends", async () => {
    for (const content of ['{"a":1}\n"' + "x".repeat(200) + '"\n', '{"a":1}\n"' + "x".repeat(200)]) {
      const path = write(content);
      for (const chunkBytes of [3, 64, 1 << 20]) {
        const { records, error } = await read(path, { chunkBytes, maxLineBytes: 100 });
        expect(records.length).toBe(1);
        expect(error).toMatchObject({ where: `${path}:2`, message: expect.stringContaining("longer than 100 bytes") });
      }
    }
  });

  test("a long line over many small chunks takes time in proportion to its length", async () => {
    const path = write(JSON.stringify({ text: "x".repeat(2_000_000) }));
    const { records } = await read(path, { chunkBytes: 256 });
    expect(records.length).toBe(1);
  });

  test("gzip members in a row are one file; a cut one is an error after what could be read", async () => {
    const many = write(Buffer.concat([gzipSync('{"a":1}\n'), gzipSync('{"b":2}\n')]), "m.jsonl.gz");
    expect((await read(many)).records.map(({ line }) => line)).toEqual([1, 2]);
    const lines = Array.from({ length: 20_000 }, (_, i) => `{"i":${i},"r":${Math.sin(i)}}\n`).join("");
    const whole = gzipSync(lines);
    const cut = write(whole.subarray(0, whole.length - 1000), "cut.jsonl.gz");
    const { records, error } = await read(cut, { chunkBytes: 1 << 12 });
    expect(records.length).toBeGreaterThan(1000);
    expect(error).toMatchObject({ code: "generate-tasks", message: expect.stringContaining(cut) });
    const plain = write('{"a":1}\n', "plain.jsonl.gz");
    expect((await read(plain)).error).toMatchObject({ code: "generate-tasks" });
  });

  test("a file that is not there is said with its path", async () => {
    expect((await read("/nonexistent/x.jsonl")).error).toMatchObject({
      code: "input-root",
      message: expect.stringContaining("/nonexistent/x.jsonl"),
    });
    expect((await read("/nonexistent/x.jsonl.gz")).error).toMatchObject({ code: "input-root" });
    expect((await read(createDirectory())).error).toMatchObject({ code: "generate-tasks" });
  });

  test("may be left half way, and stops on a signal", async () => {
    const path = write('{"a":1}\n'.repeat(100));
    for await (const batch of readJsonl(path, { chunkBytes: 16 })) {
      expect(batch.length).toBe(2);
      break;
    }
    const gone = AbortSignal.abort(new Error("enough"));
    expect((await read(path, { signal: gone })).error?.message).toBe("enough");
  });
});

describe("writing", () => {
  test.each(["out.jsonl", "sub/dir/out.jsonl.gz"])("%s reads back as it was", async (name) => {
    const path = join(createDirectory(), name);
    const values = Array.from({ length: 5000 }, (_, i) => ({ path: `é/${i}`, i }));
    expect(await writeJsonl(path, [values.slice(0, 10), [], values.slice(10)])).toBe(5000);
    expect((await read(path)).records.map(({ value }) => value)).toEqual(values);
    const bytes = readFileSync(path);
    const text = (name.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString();
    expect(text.startsWith('{"i":0,"path":"é/0"}\n{"i":1')).toBe(true);
    expect(text.endsWith("}\n")).toBe(true);
  });

  test("nothing is seen before commit, and nothing is left without it", async () => {
    const directory = createDirectory();
    const path = join(directory, "out.jsonl");
    writeFileSync(path, "before");
    const writer = await openJsonlWriter(path);
    await writer.write([{ a: 1 }]);
    expect(readFileSync(path, "utf8")).toBe("before");
    await writer[Symbol.asyncDispose]();
    await writer[Symbol.asyncDispose]();
    expect(readdirSync(directory)).toEqual(["out.jsonl"]);
    expect(readFileSync(path, "utf8")).toBe("before");
  });

  test("a value that is not JSON or a source that throws leaves no file", async () => {
    for (const name of ["a.jsonl", "b.jsonl.gz"]) {
      const directory = createDirectory();
      const path = join(directory, name);
      await expect(writeJsonl(path, [[{ n: 1n }]])).rejects.toMatchObject({ code: "not-json" });
      async function* broken() {
        yield [{ a: 1 }];
        throw new Error("source");
      }
      await expect(writeJsonl(path, broken())).rejects.toThrow("source");
      expect(readdirSync(directory)).toEqual([]);
    }
  });

  test("an error of the disk comes out, and a commit that failed can be disposed of", async () => {
    const path = join(createDirectory(), "sub", "out.jsonl");
    const writer = await openJsonlWriter(path);
    await writer.write([{ a: 1 }]);
    rmSync(join(path, ".."), { recursive: true });
    await expect(writer.commit()).rejects.toThrow("ENOENT");
    await writer[Symbol.asyncDispose]();
    writeFileSync(join(path, "..", "..", "file"), "");
    await expect(openJsonlWriter(join(path, "..", "..", "file", "x.jsonl"))).rejects.toThrow();
  });
});
