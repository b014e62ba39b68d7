import assert from "node:assert/strict";
import type { Row } from "../data/batch/batch.js";
import { type FormatDefinition, isFormat, type Range } from "../data/formats/format.js";
import { formatNames, formatOfName } from "../data/formats/registry.js";

/** What the first bytes of files of other kinds are. */
const foreign: Readonly<Record<string, Buffer>> = {
  gzip: Buffer.from("1f8b0800000000000003", "hex"),
  png: Buffer.from("89504e470d0a1a0a0000000d49484452", "hex"),
  parquet: Buffer.from("PAR1\x15\x04\x15\x10\x15\x14"),
  arrow: Buffer.from("ARROW1\0\0\xff\xff\xff\xff"),
  elf: Buffer.from("\x7fELF\x02\x01\x01\0\0\0\0\0"),
};
const foreignTexts: readonly string[] = ['{"a":1}\n{"a":2}\n', "a,b\n1,2\n", "Once upon a time\n"];

/** Other files are not taken for those of the format. */
export function assertForeign(format: FormatDefinition): void {
  assert.ok(!format.recognises(Buffer.alloc(0)), "an empty file");
  for (const [name, head] of Object.entries(foreign))
    if (name !== format.name) assert.ok(!format.recognises(head), name);
  if (!format.packs) for (const text of foreignTexts) assert.ok(!format.recognises(Buffer.from(text)), text);
}

export function assertDescribed(format: FormatDefinition): void {
  const { name, help, extensions, packs, codecs } = format;
  assert.ok(isFormat(format), "made by defineFormat");
  assert.match(name, /^[a-z][a-z0-9-]*$/);
  assert.match(help, /\w/, "help");
  assert.ok(extensions.length > 0, "an extension");
  for (const extension of extensions) {
    assert.match(extension, /^\.[a-z0-9.]+$/);
    if (formatNames().includes(name))
      assert.deepEqual(formatOfName(`a${extension}`), { format: name, packing: "none" }, "the registry knows it");
  }
  assert.ok(!packs || codecs.length === 0, "packed as a whole or inside");
}

/** From 0 to the end, without gaps. */
export function assertCover(ranges: readonly Range[], end: number, what: string): void {
  assert.ok(ranges.length > 0, `${what}: a slice`);
  assert.equal(ranges[0]!.from, 0, what);
  for (const [i, { from, to, bytes }] of ranges.entries()) {
    assert.ok(from <= to && bytes >= 0, what);
    assert.ok(ranges.length === 1 || from < to, `${what}: a slice is empty`);
    if (i > 0) assert.equal(from, ranges[i - 1]!.to, what);
  }
  const last = ranges.at(-1)!.to;
  assert.ok(last === end || end === Number.POSITIVE_INFINITY, `${what}: ends at ${last}, not ${end}`);
}

export function assertRows(actual: readonly Row[], expected: readonly Row[], what: string): void {
  assert.equal(actual.length, expected.length, `${what}: number of rows`);
  for (const [i, row] of expected.entries()) assert.deepStrictEqual(plain(actual[i]), plain(row), `${what}: row ${i}`);
}

/** A Buffer is as good as any Uint8Array, and a row may be of any class. */
export function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Uint8Array.from(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value) || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, plain(field)]));
}
