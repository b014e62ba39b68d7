import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ClassLabel, features, Nullable } from "../../../src/data/features/feature.js";
import type { BadRow } from "../../../src/data/formats/format.js";
import { ElementScanner } from "../../../src/data/formats/json/scan-elements.js";
import { invalidAt } from "../../../src/data/formats/text/line-rows.js";
import { openText, packed, readText, type TextCase } from "./memory-file.js";

const jsonl = { format: "jsonl" };
const csv = { format: "csv" };
const json = { format: "json" };
const txt = { format: "txt" };

describe("JSON lines", () => {
  test.each([
    [
      "blank lines, CRLF, blanks, no last newline",
      '\n{"a":1}\r\n\n  {"a":2}\n\t\n{"a":3}',
      [{ a: 1 }, { a: 2 }, { a: 3 }],
    ],
    ["a byte order mark", '\ufeff{"a":1}\n', [{ a: 1 }]],
    ["integers beyond 2^53", '{"a":9007199254740993,"b":1}\n', [{ a: 9007199254740993n, b: 1 }]],
    ["nothing", "", []],
    ["a newline", "\n", []],
    ["escapes and other planes", '{"😊":"\\u00e4\\n😊"}', [{ "😊": "ä\n😊" }]],
  ])("%s", async (_, text, rows) => expect(await readText(text, jsonl)).toEqual(rows));

  test.each([
    ["{'a':1}", /memory:2: not JSON/],
    ['{"a":1', /memory:2: not JSON/],
    ["[1]", /memory:2: not an object but an array/],
    ["5", /memory:2: not an object but 5/],
    ["null", /memory:2: not an object but null/],
    ['{"a":NaN}', /memory:2: JSON cannot represent NaN or Infinity/],
    ['{"a":[-Infinity]}', /JSON cannot represent NaN or Infinity/],
    ['{"__proto__":{"x":1}}', /memory:2: a key is "__proto__"/],
    ['{"a":{"\\u005f_proto__":1}}', /a key is "__proto__"/],
    ['{"a":{"__\\u0070roto__":1}}', /a key is "__proto__"/],
    ['{"a":"x\0"}', /memory:2: not JSON/],
    ['{"a":9007199254740993.0}', /beyond 2\^53/],
  ])("%j is a bad row among good ones", async (bad, says) => {
    const text = `{"a":0}\n${bad}\n{"a":2}\n`;
    await expect(readText(text, jsonl)).rejects.toThrow(says);
    const found: BadRow[] = [];
    expect(await readText(text, jsonl, { onBadRow: (one) => found.push(one) })).toEqual([{ a: 0 }, { a: 2 }]);
    expect(found).toMatchObject([{ position: 2, text: bad }]);
  });

  test("the rows before a bad one are given before its error", async () => {
    await using reader = await openText('{"a":0}\nbad\n{"a":2}\n', jsonl);
    const rows: unknown[] = [];
    const read = async (): Promise<void> => {
      for await (const block of reader.rows!({})) rows.push(...block.rows);
    };
    await expect(read()).rejects.toMatchObject({ code: "bad-data", where: "memory:2" });
    expect(rows).toEqual([{ a: 0 }]);
  });

  test("damaged UTF-8 costs its line, or becomes U+FFFD", async () => {
    const text = Buffer.concat([Buffer.from('{"a":"x"}\n{"a":"'), Buffer.from([0xff]), Buffer.from('"}\n{"a":"y"}\n')]);
    await expect(readText(text, jsonl)).rejects.toThrow(/memory:2: not valid UTF-8 at byte 7 of the line/);
    expect(await readText(text, jsonl, { onBadRow: () => {} })).toEqual([{ a: "x" }, { a: "y" }]);
    const wide = Buffer.from([0xe3, 0x81, 0x84, ...Buffer.from("😀😀😀"), 0xf0]);
    for (let at = 0; at < 30; at++) expect(invalidAt(Buffer.concat([Buffer.alloc(at, "a"), wide]))).toBe(at + 15);
    expect(await readText(text, jsonl, { textErrors: "replace" })).toEqual([{ a: "x" }, { a: "\ufffd" }, { a: "y" }]);
  });

  test.each([
    [Buffer.from('\ufeff{"a":1}', "utf16le"), /it is UTF-16/],
    [Buffer.from('{"a":1}', "utf16le"), /it looks like UTF-16LE without a byte order mark/],
    [Buffer.from('{"a":1}', "utf16le").swap16(), /it looks like UTF-16BE without a byte order mark/],
    [Buffer.from([0xff, 0xfe, 0, 0, 0x7b, 0, 0, 0]), /it is UTF-32/],
    [Buffer.from([0, 0, 0xfe, 0xff, 0, 0, 0, 0x7b]), /it is UTF-32/],
    [Buffer.from([0x7b, 0, 0, 0, 0x22, 0, 0, 0]), /it looks like UTF-32LE/],
    [Buffer.from([0, 0, 0, 0x7b, 0, 0, 0, 0x22]), /it looks like UTF-32BE/],
    [Buffer.from([0x7b, 0x22, 0x61, 0]), /byte 3 is NUL/],
    [Buffer.from("PAR1\x15\x04\x15", "latin1"), /memory is not JSON lines: it begins as parquet does/],
    [Buffer.from("ARROW1\0\0", "latin1"), /it begins as arrow does/],
    [Buffer.from([0x1f, 0x8b, 8, 0, 0]), /it is gzip-compressed/],
    [Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0]), /it is zstd-compressed/],
  ])("what is no text at all is named", async (bytes, says) => {
    await expect(readText(bytes, jsonl)).rejects.toThrow(says);
  });

  test("a cut-off packed file says so, after the rows before", async () => {
    const bytes = await packed('{"a":1}\n'.repeat(100_000), "gzip");
    await expect(readText(bytes.subarray(0, bytes.length - 20), { ...jsonl, packing: "gzip" })).rejects.toThrow(
      /cannot be unpacked to its end/,
    );
  });
});

describe("CSV", () => {
  const people = features({
    id: "int64",
    name: Nullable("string"),
    age: Nullable("int8"),
    ok: "bool",
    at: Nullable("date32"),
  });

  test("types are guessed without features, and said with them", async () => {
    const text = 'id,name,age,ok,at\n1,"a, b",,true,2026-11-30\n2,007,-5,False,\n';
    expect(await readText(text, csv)).toEqual([
      { id: 1, name: "a, b", age: null, ok: true, at: "2026-11-30" },
      { id: 2, name: "007", age: -5, ok: false, at: null },
    ]);
    expect(await readText(text, { ...csv, features: people })).toEqual([
      { id: 1, name: "a, b", age: null, ok: true, at: new Date("2026-11-30") },
      { id: 2, name: "007", age: -5, ok: false, at: null },
    ]);
    expect(await readText(text, { ...csv, options: { types: "text" } })).toMatchObject([
      { id: "1", age: "" },
      { id: "2" },
    ]);
  });

  test.each([
    [
      "numbers",
      "x\n1.5\n1e3\n-0\n9007199254740993\n99999999999999999999\n",
      [1.5, 1000, -0, 9007199254740993n, "99999999999999999999"],
    ],
    ["quotes", 'x\n"a ""b"""\n"c\nd"\n', ['a "b"', "c\nd"]],
    ["CRLF", "x\r\na\r\nb\r\n", ["a", "b"]],
    ["blank lines", "x\n\na\n\n\nb", ["a", "b"]],
    ["a byte order mark", "\ufeffx\na\n", ["a"]],
    ["a header alone", "x\n", []],
    ["nothing", "", []],
  ])("%s", async (_, text, values) => expect((await readText(text, csv)).map((row) => row.x)).toEqual(values));

  test("other dialects", async () => {
    expect(await readText("a;b\n1;2\n", { ...csv, options: { delimiter: ";" } })).toEqual([{ a: 1, b: 2 }]);
    expect(await readText("a\tb\n1\t'2\n", { format: "tsv", options: { quote: null } })).toEqual([{ a: 1, b: "'2" }]);
    expect(await readText("1,2\n", { ...csv, options: { header: false } })).toEqual([{ column1: 1, column2: 2 }]);
    expect(await readText("x,y\n1,2\n", { ...csv, options: { names: "a,b" } })).toEqual([{ a: 1, b: 2 }]);
    expect(await readText('{"a":1}\n', { ...csv, options: { quote: "'", names: "x" } })).toEqual([]);
  });

  test.each([
    ["a,b\n1\n", /memory:2: the row has 1 field, not 2/],
    ["a,b\n1,2,3\n", /memory:2: the row has 3 fields, not 2/],
    ["a,a\n1,2\n", /memory:1: columns 1 and 2 are both named "a"/],
    ["__proto__,a\n1,2\n", /no column can be named "__proto__"/],
    ['a,b\n1,"2\n3,4\n', /memory:2: a quote is opened in the row that begins here and never closed/],
    ['a,b\n1,x"y"\n', /memory:2: a quote in the middle of a field/],
    ["a;b\n1;2\n", /the first row has no ",", but ";"/],
    ["a\0b,c\n1,2\n", /NUL/],
  ])("%j is refused", async (text, says) => {
    await expect(readText(text, csv)).rejects.toMatchObject({ code: "bad-data", message: expect.stringMatching(says) });
  });

  test("a field that does not fit its column is a bad row", async () => {
    const text = "id,name,age,ok,at\n1,a,n/a,true,\n2,b,300,true,\n3,c,3,true,\n4,d\n5,e,5,true,\n";
    const given = { ...csv, features: people };
    await expect(readText(text, given)).rejects.toThrow(/memory:2: column age: "n\/a" is not int8/);
    const bad: string[] = [];
    expect(
      await readText(text, given, { onBadRow: ({ position, what }) => bad.push(`${position} ${what}`) }),
    ).toMatchObject([{ id: 3 }, { id: 5 }]);
    expect(bad).toEqual([
      '2 column age: "n/a" is not int8',
      "3 column age: 300 is out of the range of int8",
      "5 the row has 2 fields, not 5",
    ]);
  });

  test("labels by name and by number", async () => {
    const given = { ...csv, features: features({ l: ClassLabel(["neg", "pos"]) }) };
    expect(await readText("l\npos\n0\n", given)).toEqual([{ l: 1 }, { l: 0 }]);
  });
});

describe("a JSON array", () => {
  test.each([
    ["an array", '[{"a":1}, {"a":[1,{"b":"]},{"}]}\n,{"a":null}]', [{ a: 1 }, { a: [1, { b: "]},{" }] }, { a: null }]],
    ["nothing in it", " [ ] \n", []],
    ["an object with it", '{"version":"1, [2]","n":[],"x":{"y":[1]}}', []],
    ["a field", '{"meta":{"data":[9]},"data":[{"a":1}],"more":[{"b":2}]}', [{ a: 1 }]],
    ["large integers", '[{"a":9007199254740993}]', [{ a: 9007199254740993n }]],
  ])("%s, in chunks of any size", async (name, text, rows) => {
    const options = name === "a field" ? { field: "data" } : {};
    for (const chunkBytes of [1, 2, 3, 7, 1000])
      expect(await readText(text, { ...json, options, chunkBytes })).toEqual(rows);
  });

  test.each([
    ['[{"a":1},]', /a comma stands before the end/],
    ["[,]", /a comma stands where an element should/],
    ['[{"a":1}', /ends in the middle of the array/],
    ['[{"a":"x', /ends in the middle/],
    ['{"a":1}\n{"a":2}\n', /something stands behind the array/],
    ["[{}] x", /something stands behind/],
    ["5", /begins with neither an array nor an object/],
    ["{}", /an object without an array/],
    ['{"rows":5}', /an object without an array/],
  ])("%j is refused", async (text, says) => {
    await expect(readText(text, json)).rejects.toMatchObject({
      code: "bad-data",
      message: expect.stringMatching(says),
    });
  });

  test("a bad element among good ones", async () => {
    const text = '[{"a":1},\n{a:2},\n[3],\n{"a":4}]';
    await expect(readText(text, json)).rejects.toThrow(/memory:2: not JSON/);
    const bad: number[] = [];
    expect(await readText(text, json, { onBadRow: ({ position }) => bad.push(position) })).toEqual([
      { a: 1 },
      { a: 4 },
    ]);
    expect(bad).toEqual([2, 3]);
  });

  test("elements of one line are told apart by their number", async () => {
    const bad: string[] = [];
    const onBadRow = ({ position, what }: BadRow): number => bad.push(`${position} ${what}`);
    expect(await readText('[{"a":1},5,\n6,{"a":2},"x"]', json, { onBadRow })).toEqual([{ a: 1 }, { a: 2 }]);
    expect(bad).toEqual([
      "1 element 2: not an object but 5",
      "2 not an object but 6",
      '2 element 5: not an object but "x"',
    ]);
    await expect(readText("[{},5]", json)).rejects.toThrow("memory:1: element 2: not an object but 5");
  });

  test("damaged UTF-8 is told by line and byte", async () => {
    const text = Buffer.from('[{"a":1},\n{"a":1}, {"a":\n "b\xff"}]', "latin1");
    for (const chunkBytes of [1, 7, 1000])
      await expect(readText(text, { ...json, chunkBytes })).rejects.toThrow(
        "memory:3: element 3: not valid UTF-8 at byte 4 of the line",
      );
    const inLine = Buffer.from('[{"a":1},\n{"a":"\xff"}]', "latin1");
    await expect(readText(inLine, json)).rejects.toThrow("memory:2: not valid UTF-8 at byte 7 of the line");
  });

  test.each([1, 3, 50, 1000])("an element that is too large is set aside, in chunks of %i bytes", (chunkBytes) => {
    const scanner = new ElementScanner(undefined, 100);
    const text = Buffer.from(`[{"a":1},"${"x".repeat(98)}","${"y".repeat(99)}",{"b":"${"],".repeat(400)}"},\n{"c":3}]`);
    const found: unknown[] = [];
    for (let at = 0; at < text.length; at += chunkBytes)
      for (const one of scanner.push(text.subarray(at, at + chunkBytes)))
        found.push([one.text.length, one.isTooLarge, one.line]);
    scanner.end();
    expect(found).toEqual([
      [7, false, 1],
      [100, false, 1],
      [101, true, 1],
      [808, true, 1],
      [7, false, 2],
    ]);
  });

  test("an element above 64 MB is a bad row", async () => {
    const text = Buffer.concat([
      Buffer.from('[{"a":1},\n{"b":"'),
      Buffer.alloc(65 << 20, "x"),
      Buffer.from('"},\n{"c":3}]'),
    ]);
    const bad: BadRow[] = [];
    expect(await readText(text, json, { onBadRow: (one) => bad.push(one) })).toEqual([{ a: 1 }, { c: 3 }]);
    expect(bad).toMatchObject([{ position: 2, what: "larger than 64 MB", text: expect.stringMatching(/^\{"b":"xxx/) }]);
    await expect(readText(text, json)).rejects.toThrow("memory:2: larger than 64 MB");
  });

  test("a field that is not there", async () => {
    await expect(readText('{"rows":[]}', { ...json, options: { field: "data" } })).rejects.toThrow(
      /there is no field "data"/,
    );
  });
});

describe("plain text", () => {
  test("lines, paragraphs, documents", async () => {
    const text = "a\r\n\nb c\nd\n \n\ne";
    expect((await readText(text, txt)).map((row) => row.text)).toEqual(["a", "", "b c", "d", " ", "", "e"]);
    for (const chunkBytes of [1, 3, 1000]) {
      expect(
        (await readText(text, { ...txt, options: { by: "paragraph" }, chunkBytes })).map((row) => row.text),
      ).toEqual(["a\r", "b c\nd", "e"].map((one) => one.replace("\r", "")));
      expect(
        (await readText(text, { ...txt, options: { by: "document", column: "doc" }, chunkBytes })).map(
          (row) => row.doc,
        ),
      ).toEqual([text]);
    }
  });

  test("NUL is a bad row", async () => {
    await expect(readText("aaaa\nb\0c\n", txt)).rejects.toThrow(/memory:2: a NUL byte/);
  });
});

describe("slices", () => {
  const cells = fc.oneof(fc.string({ maxLength: 6 }), fc.constantFrom('"', "\n", "\r\n", "", " ", "ä😊", 'x"\ny,'));
  const cases: [string, (values: readonly string[]) => string, TextCase][] = [
    ["jsonl", (values) => values.map((x) => `${JSON.stringify({ x })}\n`).join(""), jsonl],
    [
      "csv",
      (values) => `n,x\n${values.map((x, n) => `${n},"${x.replaceAll('"', '""')}"\n`).join("")}`,
      { ...csv, options: { types: "text" } },
    ],
    [
      "csv without quotes",
      (values) => `n,x\n${values.map((x, n) => `${n},${x.replace(/[\r\n,\0]/g, "")}\n`).join("")}`,
      { ...csv, options: { types: "text", quote: null } },
    ],
    ["txt", (values) => values.map((x) => `${x.replace(/[\r\n\0]/g, "")}\n`).join(""), txt],
  ];
  test.each(cases)("any slicing of %s gives the rows of the whole", async (_, textOf, given) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(cells, { maxLength: 20 }),
        fc.integer({ min: 1, max: 80 }),
        fc.integer({ min: 1, max: 9 }),
        async (values, bytes, chunkBytes) => {
          const text = textOf(values.map((value) => value.replaceAll("\0", "").replaceAll("\ufeff", "")));
          const whole = await readText(text, given);
          await using reader = await openText(text, { ...given, chunkBytes });
          for (const size of [{ bytes }, { rows: 1 + (bytes % 5) }]) {
            const ranges = await reader.slices(size);
            expect(ranges[0]!.from).toBe(0);
            expect(ranges.at(-1)!.to).toBe(Buffer.byteLength(text));
            for (let i = 1; i < ranges.length; i++) expect(ranges[i]!.from).toBe(ranges[i - 1]!.to);
            const rows: unknown[] = [];
            for (const { from, to } of ranges)
              for await (const block of reader.rows!({ from, to })) rows.push(...block.rows);
            expect(rows).toEqual(whole);
          }
        },
      ),
      { numRuns: 120 },
    );
  });

  test("every cut of a small file: each line belongs to one side", async () => {
    const text = '{"x":"ä"}\n\n{"x":2}\r\n{"x":3}';
    const whole = await readText(text, jsonl);
    const size = Buffer.byteLength(text);
    for (let at = 0; at <= size; at++) {
      const rows = [
        ...(await readText(text, jsonl, { from: 0, to: at })),
        ...(await readText(text, jsonl, { from: at, to: size })),
      ];
      expect(rows, `cut at ${at}`).toEqual(whole);
    }
  });

  test("slices by rows have as many", async () => {
    const text = Array.from({ length: 25 }, (_, x) => `{"x":${x}}\n`).join("");
    await using reader = await openText(text, jsonl);
    const counts: number[] = [];
    for (const { from, to } of await reader.slices({ rows: 10 })) {
      let rows = 0;
      for await (const block of reader.rows!({ from, to })) rows += block.rows.length;
      counts.push(rows);
    }
    expect(counts).toEqual([10, 10, 5]);
  });

  test.each<[string, string, TextCase, number[]]>([
    [
      "blank lines are no rows of JSON lines",
      `\n\r\n{"x":1}\r\n \t\n{"x":2}\n\n\r\n{"x":3}\n{"x":4}\n\n\r\n`,
      jsonl,
      [2, 2],
    ],
    ["nor is the end of a file", `{"x":1}\n{"x":2}\n{"x":3}\n \n`, jsonl, [2, 1]],
    ["a last line without its end", `{"x":1}\n\n{"x":2}\n{"x":3}`, jsonl, [2, 1]],
    ["in plain text each line is a row", "a\n\n\r\n \nb\nc", txt, [2, 2, 2]],
    ["a blank last line of plain text", "a\nb\n ", txt, [2, 1]],
    ["nothing", "", txt, [0]],
    ["only blank lines", "\n\r\n", jsonl, [0]],
  ])("slices by rows: %s", async (_, text, given, expected) => {
    for (const chunkBytes of [1, 2, 1000]) {
      await using reader = await openText(text, { ...given, chunkBytes });
      const counts: number[] = [];
      for (const range of await reader.slices({ rows: 2 })) counts.push((await readText(text, given, range)).length);
      expect(counts).toEqual(expected);
    }
  });

  test("a place in a slice is told by its line in the file", async () => {
    const text = `${'{"x":1}\n'.repeat(10)}bad\n`;
    await expect(readText(text, jsonl, { from: 40, to: text.length })).rejects.toThrow(/memory:11: not JSON/);
  });

  test.each(["gzip", "zstd"] as const)("a %s-compressed file is one slice", async (packing) => {
    const bytes = await packed('{"x":1}\n'.repeat(50), packing);
    await using reader = await openText(bytes, { ...jsonl, packing });
    expect(await reader.slices({ bytes: 10 })).toHaveLength(1);
    expect(reader.undivided).toContain("cannot be opened in its middle");
    for (const chunkBytes of [1, 7, 1000])
      expect(await readText(bytes, { ...jsonl, packing, chunkBytes })).toHaveLength(50);
  });
});
