import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { writeAsciiRecord } from "../../src/base/ascii-record.js";
import { encodeItem } from "../../src/base/canonical-json.js";
import { hashAsciiBytes, hashText } from "../../src/base/hash.js";

const bytes = Buffer.alloc(4096);

const written = (record: object): string | undefined => {
  const end = writeAsciiRecord(record, bytes, 0);
  return end < 0 ? undefined : bytes.toString("latin1", 0, end);
};

describe("a record written as bytes", () => {
  it("is written for what lists are mostly made of", () => {
    expect(written({ i: 7, path: "/data/a.txt" })).toBe('{"i":7,"path":"/data/a.txt"}');
    expect(written({ input: { file_name: "a b.txt", rel_dir: ".", root: 0 } })).toBe(
      '{"input":{"file_name":"a b.txt","rel_dir":".","root":0}}',
    );
    for (const n of [0, 9, 10, 99, 100, 2 ** 31 - 1]) expect(written({ n })).toBe(`{"n":${n}}`);
  });

  it.each([
    ["fields out of order", { b: 1, a: 2 }],
    ["no fields", {}],
    ["text beyond ASCII", { a: "ä" }],
    ["text to be escaped", { a: 'say "x"' }],
    ["a control character", { a: "\n" }],
    ["a fraction", { a: 1.5 }],
    ["a negative number", { a: -1 }],
    ["minus zero", { a: -0 }],
    ["a number above 2^31", { a: 2 ** 31 }],
    ["not a number", { a: Number.NaN }],
    ["null", { a: null }],
    ["a list", { a: [1] }],
    ["an absent field", { a: undefined }],
    ["an instance", { a: new Date(0) }],
    ["a field name beyond ASCII", { ä: 1 }],
    ["more than fits", { a: "x".repeat(5000) }],
    ["a deep record", JSON.parse(`${'{"a":'.repeat(10)}1${"}".repeat(10)}`) as object],
  ])("is left to the general way for %s", (_, record) => {
    expect(written(record)).toBeUndefined();
  });

  it("is written behind what is there, as long as there is room", () => {
    const small = Buffer.alloc(20);
    expect(writeAsciiRecord({ a: "xy" }, small, 3)).toBe(13);
    expect(small.toString("latin1", 3, 13)).toBe('{"a":"xy"}');
    for (let at = 3; at < 30; at++)
      expect(writeAsciiRecord({ a: "12345678901234567890" }, Buffer.alloc(30), at)).toBe(-1);
  });

  it("says what canonical JSON says, byte for byte, and hashes alike", () => {
    const value = fc.letrec((tie) => ({
      record: fc.dictionary(
        fc.string({ minLength: 1, maxLength: 6 }),
        fc.oneof(fc.string(), fc.integer(), fc.double(), tie("record")),
      ),
    })).record;
    fc.assert(
      fc.property(value, (record) => {
        const text = written(record as object);
        if (text === undefined) return;
        expect(text).toBe(encodeItem(record));
        const hash = [...hashAsciiBytes(bytes, 0, writeAsciiRecord(record as object, bytes, 0))];
        expect(hash).toEqual([...hashText(text)]);
      }),
      { numRuns: 2000 },
    );
  });
});
