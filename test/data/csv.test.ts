import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { type CsvRecord, type ReadCsvOptions, readCsv } from "../../src/data/lists/csv.js";
import { createDirectory } from "./tree.js";

const write = (content: string | Uint8Array, name = "x.csv"): string => {
  const path = join(createDirectory(), name);
  writeFileSync(path, content);
  return path;
};

/** What came out, and the error it ended with. */
async function read(path: string, options: ReadCsvOptions = {}) {
  const records: CsvRecord[] = [];
  try {
    for await (const some of readCsv(path, options)) records.push(...some);
  } catch (error) {
    return { records, error: error as Error };
  }
  return { records, error: undefined };
}

const fine = (...records: CsvRecord[]) => ({ records, error: undefined });

describe("what is read", () => {
  const text = `\ufeffid,"te""xt",z\r\n007,"a, b",\r\n\r\n8,"one\r\ntwo\nthree",é😀いろは\n9, x ,"""q"""\n10,,last`;
  const expected = [
    { id: "007", 'te"xt': "a, b", z: "" },
    { id: "8", 'te"xt': "one\r\ntwo\nthree", z: "é😀いろは" },
    { id: "9", 'te"xt': " x ", z: '"q"' },
    { id: "10", 'te"xt': "", z: "last" },
  ];

  test.each(["x.csv", "x.csv.gz"])(
    "%s: quotes, newlines, byte order marks, CRLF and LF mixed, blank lines, a missing last newline, at every chunk size",
    async (name) => {
      const path = write(name.endsWith(".gz") ? gzipSync(text) : text, name);
      for (let chunkBytes = 1; chunkBytes <= Buffer.byteLength(text) + 1; chunkBytes++)
        expect(await read(path, { chunkBytes }), `chunks of ${chunkBytes}`).toEqual(fine(...expected));
    },
  );

  test("lines that end in CR alone, as of old", async () =>
    expect(await read(write("a,b\r1,2\r3,4\r"))).toEqual(fine({ a: "1", b: "2" }, { a: "3", b: "4" })));

  test("another delimiter, and quotes as plain letters", async () => {
    const path = write('a\tb\n"1\t2"x\n');
    expect(await read(path, { delimiter: "\t", quote: null })).toEqual(fine({ a: '"1', b: '2"x' }));
  });

  test("columns may be named by the caller: the first row is a record then", async () =>
    expect(await read(write("1,2\n3,4\n"), { columns: ["b", "a"] })).toEqual(
      fine({ b: "1", a: "2" }, { b: "3", a: "4" }),
    ));

  test("fields stand in sorted order, so that encoding takes its fast path", async () => {
    const { records } = await read(write("z,a,m\n1,2,3\n"));
    expect(Object.keys(records[0]!)).toEqual(["a", "m", "z"]);
  });

  test("an empty file and one with a header alone have no records; a column may have no name", async () => {
    for (const content of ["", "\n", "\ufeff", "a,b", "a,b\r\n"]) expect(await read(write(content))).toEqual(fine());
    expect(await read(write(",b\n0,x\n"))).toEqual(fine({ "": "0", b: "x" }));
  });

  test("rows of one column: a quoted empty text is a row, an empty line is none", async () =>
    expect(await read(write('a\nx\n\n""\n'))).toEqual(fine({ a: "x" }, { a: "" })));

  test("the names in the header are told before the first record, with their place", async () => {
    const heard: unknown[] = [];
    const path = write("\n\na,b\n1,2\n");
    await read(path, { onHeader: (names, where) => heard.push(names, where) });
    expect(heard).toEqual([["a", "b"], `${path}:3`]);
  });

  test("a field as long as several chunks", async () => {
    const long = "word, ".repeat(100_000);
    expect(await read(write(`a,b\n"${long}",2\n3,4\n`))).toEqual(fine({ a: long, b: "2" }, { a: "3", b: "4" }));
  });
});

describe("what is wrong is named by its line, after the rows before it came out", () => {
  const cases: readonly (readonly [string, string | Uint8Array, number, RegExp, number])[] = [
    ["a row that is too long", "a,b\n1,2\n3,4,5\n6,7\n", 3, /has 3 fields, not 2/, 1],
    ["a row that is too short", "a,b\n1,2\n3\n", 3, /has 1 field, not 2/, 1],
    ["a short last row without a newline", "a,b\n1,2\n3", 3, /has 1 field, not 2/, 1],
    ["a row after rows of several lines", 'a,b\r\n"1\r\n\r\n2",3\r\n"4\r\n5",6\r\n7\r\n', 7, /has 1 field/, 2],
    ["a row behind empty lines", "a,b\n1,2\n\r\n\n3\n", 5, /has 1 field, not 2/, 1],
    ["a quote never closed", 'a,b\n1,2\n3,"4\n5,6\n7,8\n', 3, /never closed/, 1],
    ["a quote inside", 'a,b\n1,2\n3,x"y"\n', 3, /middle of a field/, 1],
    ["a quote that ends too early", 'a,b\n1,2\n3,"x"y\n', 3, /middle of a field/, 1],
    ["two columns of one name", "a,b,a\n1,2,3\n", 1, /columns 1 and 3 are both named "a"/, 0],
    ["a name no field can have", "a,__proto__\n1,2\n", 1, /__proto__/, 0],
    ["bytes that are not UTF-8", Buffer.from("a,b\n1,2\n3,\xff\n5,6\n", "latin1"), 3, /not valid UTF-8/, 1],
    ["bytes that are not UTF-8 in quotes", Buffer.from('a,b\n\n1,"2\n\xff"\n', "latin1"), 4, /not valid UTF-8/, 0],
    ["a packed file with a plain name", gzipSync("a,b\n1,2\n"), 1, /not text, but gzip/, 0],
  ];
  for (const [what, content, line, message, before] of cases) {
    test(what, async () => {
      const path = write(content);
      for (const chunkBytes of [3, 1 << 18]) {
        const { records, error } = await read(path, { chunkBytes });
        expect(error).toMatchObject({ code: "generate-tasks", where: `${path}:${line}` });
        expect(error!.message).toMatch(message);
        expect(records.length, `chunks of ${chunkBytes}`).toBe(before);
      }
    });
  }

  test("columns that are not as many as were named", async () => {
    const { error } = await read(write("1,2,3\n"), { columns: ["a", "b"] });
    expect(error!.message).toMatch(/:1: the row has 3 fields, not 2/);
  });

  test("a delimiter or a quote that cannot be one", async () => {
    for (const options of [{ delimiter: "::" }, { delimiter: "\n" }, { quote: "" }, { delimiter: ";", quote: ";" }])
      expect((await read(write("a,b\n"), options)).error).toMatchObject({ code: "bad-value" });
  });

  test("reading may be left half way, and a signal stops it", async () => {
    const path = write(`a,b\n${"1,2\n".repeat(1000)}`);
    for await (const records of readCsv(path, { chunkBytes: 64 })) if (records.length > 0) break;
    const signal = AbortSignal.abort(new Error("enough"));
    expect((await read(path, { signal })).error?.message).toBe("enough");
  });
});
