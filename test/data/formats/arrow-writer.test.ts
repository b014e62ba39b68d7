import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createRandom } from "../../../src/base/random.js";
import { batchOf, type Row, rowsOf } from "../../../src/data/batch/batch.js";
import { doublesOf, wideOf } from "../../../src/data/batch/wide-integers.js";
import { type Features, Json, List, Nullable, Value } from "../../../src/data/features/feature.js";
import { byteData, textData } from "../../../src/data/formats/arrow/build-bytes.js";
import arrow from "../../../src/data/formats/arrow.js";
import { type ShardWriter, UnwritableRow } from "../../../src/data/formats/format.js";
import { MemoryFile } from "./memory-file.js";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "arrow-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

interface Written {
  readonly bytes: Buffer;
  readonly sha256: string;
}

async function written(
  features: Features,
  write: (writer: ShardWriter) => Promise<void>,
  { compression = "none", groupRows }: { compression?: string; groupRows?: number } = {},
): Promise<Written> {
  const path = join(dir, `${Math.random()}.arrow`);
  await using writer = await arrow.create({ path, features, compression, groupRows, options: { container: "file" } });
  await write(writer);
  const { sha256 } = await writer.finish();
  return { bytes: readFileSync(path), sha256 };
}

/** Tells how many bytes were read. */
class CountedFile extends MemoryFile {
  bytesRead = 0;

  override async read(offset: number, length: number): Promise<Buffer> {
    this.bytesRead += length;
    return await super.read(offset, length);
  }
}

const opened = (bytes: Buffer, file = new CountedFile(bytes)) =>
  arrow.open({ file, packing: "none", options: {} as never });

async function rowsIn(bytes: Buffer, request = {}): Promise<Row[]> {
  await using reader = await opened(bytes);
  const rows: Row[] = [];
  for await (const batch of reader.batches!(request)) rows.push(...rowsOf(batch));
  return rows;
}

/** Rows of each record batch. */
async function batchRows(bytes: Buffer): Promise<number[]> {
  await using reader = await opened(bytes);
  return (await reader.slices({ bytes: 1 })).map(({ from, to }) => to - from);
}

describe("record batches", () => {
  const features: Features = {
    id: Value("int64"),
    text: Nullable(Value("string")),
    lists: List(List(Value("int32"))),
    json: Json(),
  };
  const rows: Row[] = Array.from({ length: 50 }, (_, id) => ({
    id,
    text: id % 3 === 0 ? null : "é".repeat(1000 + id),
    lists: [new Int32Array(id * 8000), Int32Array.of(1, 2)],
    json: { a: ["x".repeat(id * 100)] },
  }));

  test("end before 16 MB, at the same rows however these are given", async () => {
    const large = [...rows, ...rows];
    const batch = batchOf(large, features);
    const ways = [
      await written(features, (writer) => writer.writeRows(large)),
      await written(features, (writer) => writer.writeBatch!(batch)),
      await written(features, async (writer) => {
        for (let at = 0; at < large.length; at += 7) await writer.writeRows(large.slice(at, at + 7));
      }),
    ];
    expect(new Set(ways.map(({ sha256 }) => sha256)).size).toBe(1);
    const counts = await batchRows(ways[0]!.bytes);
    expect(counts.length).toBeGreaterThan(3);
    expect(counts.reduce((sum, count) => sum + count)).toBe(large.length);
    await using reader = await opened(ways[0]!.bytes);
    for (const { bytes } of await reader.slices({ bytes: 1 })) expect(bytes).toBeLessThan(17 << 20);
  });

  test("have a row of more alone, and 10,000 small rows", async () => {
    const texts = ["a", "b".repeat(20 << 20), "c", "d"].map((text) => ({ text }));
    const { bytes } = await written({ text: Value("string") }, (writer) => writer.writeRows(texts));
    expect(await batchRows(bytes)).toEqual([1, 1, 2]);
    const small = Array.from({ length: 20_001 }, (_, i) => ({ i }));
    const many = await written({ i: Value("int8") }, (writer) => writer.writeRows(small));
    expect(await batchRows(many.bytes)).toEqual([10_000, 10_000, 1]);
  });

  test("never have a row of 2 GB: it is refused by its index, and those before are written", async () => {
    const binary: Features = { b: Value("binary") };
    const huge = { length: 2 ** 31 } as Uint8Array;
    const { bytes } = await written(binary, async (writer) => {
      const refused = writer.writeRows([{ b: Buffer.from("a") }, { b: huge }, { b: Buffer.from("c") }]);
      await expect(refused).rejects.toSatisfy((error) => error instanceof UnwritableRow && error.index === 1);
      await writer.writeRows([{ b: Buffer.from("d") }]);
    });
    expect(await rowsIn(bytes)).toEqual([{ b: Buffer.from("a") }, { b: Buffer.from("d") }]);
  });

  test("have no offsets that wrapped around: more than 2 GB in a column is an error", () => {
    const huge = Array.from({ length: 3 }, () => ({ length: 2 ** 30 }));
    for (const large of [false, true]) {
      expect(() => byteData(huge as Uint8Array[], large)).toThrow("more than 2 GB");
      expect(() => textData(huge as unknown as string[], large)).toThrow("more than 2 GB");
    }
  });

  test.each(["lz4", "zstd"])(
    "hold buffers that %s would not make smaller as they are, and others packed",
    async (codec) => {
      const random = createRandom(codec);
      const noise = Array.from({ length: 300 }, (_, i) => ({
        noise: Buffer.from(Array.from({ length: 20 }, () => Math.floor(random() * 256))),
        same: "same text ".repeat(i % 9),
        numbers: Float64Array.from({ length: 3 }, () => random()),
      }));
      const features: Features = { noise: Value("binary"), same: Value("string"), numbers: List(Value("float64")) };
      const { bytes } = await written(features, (writer) => writer.writeRows(noise), { compression: codec });
      // The length of such a buffer is -1, in front of its first bytes.
      const plain = Buffer.concat([Buffer.alloc(8, 0xff), noise[0]!.noise]);
      expect(bytes.includes(plain)).toBe(true);
      expect(bytes.includes("same text same text same text same text")).toBe(false);
      expect(await rowsIn(bytes)).toEqual(noise);
    },
  );

  test("are the same for typed arrays and plain ones, views and copies", async () => {
    const features: Features = { l: List(Value("int64")), f: List(Value("int32")), n: Value("uint64") };
    const limit = Number.MAX_SAFE_INTEGER;
    const numbers = [0, -1, 1, -(2 ** 32), 2 ** 32, 2 ** 31, -(2 ** 31), limit, -limit, 12345678901];
    const all = Float64Array.from(numbers);
    const small = Int32Array.from(numbers, (number) => number % 1000);
    const typed = numbers.map((_, i) => ({
      l: all.subarray(i),
      f: small.subarray(i, i + 1),
      n: Math.abs(numbers[i]!),
    }));
    const copied = typed.map(({ l, f, n }) => ({ l: l.slice(), f: f.slice(), n: BigInt(n) }));
    const plain = typed.map(({ l, f, n }) => ({ l: Array.from(l), f: Array.from(f), n }));
    const wide = typed.map(({ l, f, n }) => ({ l: BigInt64Array.from(l, BigInt), f, n }));
    const files = await Promise.all(
      [typed, copied, plain, wide].map((rows) => written(features, (writer) => writer.writeRows(rows))),
    );
    expect(new Set(files.map(({ sha256 }) => sha256)).size).toBe(1);
    expect(await rowsIn(files[0]!.bytes)).toEqual(typed);
  });
});

describe("reading", () => {
  test("a column reads and decodes its bytes only", async () => {
    const features: Features = { a: List(Value("int32")), b: Value("string"), c: Value("int16") };
    const rows = Array.from({ length: 2000 }, (_, i) => ({ a: new Int32Array(100).fill(i), b: "b".repeat(300), c: i }));
    const { bytes } = await written(features, (writer) => writer.writeRows(rows));
    const file = new CountedFile(bytes);
    await using reader = await opened(bytes, file);
    const before = file.bytesRead;
    for await (const { columns } of reader.batches!({ columns: ["c"] }))
      expect(columns).toEqual({ c: Int16Array.from({ length: 2000 }, (_, i) => i) });
    expect(file.bytesRead - before).toBeLessThan(10_000);
    // What the other columns hold does not matter.
    const text = bytes.indexOf("b".repeat(300));
    bytes.fill(0xff, text, text + 10);
    expect(await rowsIn(bytes, { columns: ["c"] })).toHaveLength(2000);
    await expect(rowsIn(bytes)).rejects.toThrow("memory: column b cannot be read: text that is not valid UTF-8");
  });

  test("a record batch of many rows is decoded by parts, each as in the whole; lists are views of its bytes", async () => {
    const features: Features = {
      a: List(Value("int32")),
      n: Nullable(Value("int64")),
      s: { t: Nullable(Value("string")), b: Value("bool") },
    };
    const rows = Array.from({ length: 25_000 }, (_, i) => ({
      a: Int32Array.from({ length: i % 4 }, () => i),
      n: i > 12_000 && i % 5 === 0 ? null : i,
      s: { t: i % 7 === 0 ? null : `t${i}`, b: i % 3 === 0 },
    }));
    const { bytes } = await written(features, (writer) => writer.writeRows(rows), { groupRows: 25_000 });
    expect(await batchRows(bytes)).toEqual([25_000]);
    await using reader = await opened(bytes);
    const lengths: number[] = [];
    const buffers = new Set<unknown>();
    for await (const { length, columns } of reader.batches!({})) {
      lengths.push(length);
      buffers.add((columns.a![3] as Int32Array).buffer);
    }
    expect(lengths).toEqual([10_000, 10_000, 5000]);
    expect(buffers.size).toBe(1);
    expect(await rowsIn(bytes)).toEqual(rows);
    for (const [from, to, batchRows] of [
      [11_995, 12_030, 1],
      [3, 24_999, 4096],
      [24_999, 30_000, 10],
    ] as const)
      expect(await rowsIn(bytes, { from, to, batchRows })).toEqual(rows.slice(from, to));
  });
});

test("64-bit integers are converted by halves as bigints are", () => {
  const random = createRandom("wide");
  const edges = [
    0n,
    1n,
    -1n,
    2n ** 31n,
    -(2n ** 31n),
    2n ** 32n - 1n,
    2n ** 32n,
    -(2n ** 32n),
    2n ** 53n - 1n,
    1n - 2n ** 53n,
  ];
  const some = Array.from({ length: 1000 }, () => BigInt(Math.floor((random() - 0.5) * 2 ** (1 + random() * 52))));
  const wide = BigInt64Array.from([...edges, ...some]);
  const doubles = doublesOf(wide)!;
  expect(Array.from(doubles)).toEqual(Array.from(wide, Number));
  expect(wideOf(doubles)).toEqual(wide);
  expect(wideOf(Array.from(doubles))).toEqual(wide);
  expect(wideOf([null, 5n, 7, undefined])).toEqual(BigInt64Array.of(0n, 5n, 7n, 0n));
  for (const beyond of [2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n, -(2n ** 63n)])
    expect(doublesOf(BigInt64Array.of(1n, beyond))).toBeUndefined();
  expect(doublesOf(BigUint64Array.of(2n ** 53n - 1n, 2n ** 32n))).toEqual(Float64Array.of(2 ** 53 - 1, 2 ** 32));
  for (const beyond of [2n ** 53n, 2n ** 64n - 1n]) expect(doublesOf(BigUint64Array.of(beyond))).toBeUndefined();
});
