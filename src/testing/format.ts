import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { KagurazakaError } from "../base/errors.js";
import { sha256Hex } from "../base/hash.js";
import { createRandom } from "../base/random.js";
import { type Row, rowsOf } from "../data/batch/batch.js";
import { createRowCheck } from "../data/features/check.js";
import { type Feature, type Features, featureText, List, Nullable, Value } from "../data/features/feature.js";
import { type FormatDefinition, UnwritableRow } from "../data/formats/format.js";
import { assertCover, assertDescribed, assertForeign, assertRows } from "./format-assertions.js";
import { blocksOf, FormatFiles } from "./format-files.js";
import { below, candidates, rowFor } from "./format-samples.js";
import { casesOf, type It } from "./it.js";
import { withDirectory } from "./temporary.js";

/** Rows for a format that holds only certain ones: lines of text. */
export interface FormatSample {
  readonly features: Features;
  /** The same for the same index. */
  rowOf(index: number): Row;
}

export interface FormatSuite {
  readonly it: It;
  /** Whether values of a feature come back as they were written. @defaultValue all do */
  readonly canHold?: ((feature: Feature) => boolean) | undefined;
  /** Rows to be written, in place of rows with columns of all that the format can hold. */
  readonly samples?: readonly FormatSample[] | undefined;
  /** Options of the format. */
  readonly options?: Readonly<Record<string, unknown>> | undefined;
  /** Why its files cannot be told by their first bytes: any text is lines of text. */
  readonly unrecognised?: string | undefined;
}

const many = 2500;
const few = 60;

/** What every format must do. `definition` is its default export. */
export function testFormat<S extends FormatDefinition["options"]>(
  definition: FormatDefinition<S>,
  { it, canHold = () => true, samples, options = {}, unrecognised }: FormatSuite,
): void {
  const format = definition as unknown as FormatDefinition;
  const { test, unless } = casesOf(it, format.name);
  /** Its files say the types of columns, not only their names. */
  const isTyped = format.hasSchema && !format.valuesNeedFeatures;
  const all = samples ?? [sampleOf(canHold)];
  const withFiles = (body: (files: FormatFiles, sample: FormatSample) => Promise<void>) => (): Promise<void> =>
    withDirectory(async (dir) => {
      for (const sample of all) await body(new FormatFiles(format, options, dir), sample);
    });
  const rowsOfSample = ({ rowOf, features }: FormatSample, count: number): Row[] =>
    Array.from({ length: count }, (_, i) => rowOf(i)).map(createRowCheck(features));

  test("says what it is", async () => assertDescribed(format));

  for (const count of [0, 1, few, many])
    test(
      `gives back ${count} rows, in every compression`,
      withFiles(async (files, sample) => {
        const rows = rowsOfSample(sample, count);
        for (const compression of files.compressions) {
          const { path, written } = await files.write(rows, sample.features, compression);
          assert.equal(written.rows, count);
          assert.equal(written.bytes, statSync(path).size, "bytes of finish()");
          assert.equal(written.sha256, sha256Hex(readFileSync(path)), "sha256 of finish()");
          assertRows(await files.read(path, sample.features), rows, compression);
          await using shard = await files.open(path, undefined);
          assert.ok([count, undefined].includes(shard.reader.rowCount), "rowCount of the reader");
          if (isTyped) assert.deepStrictEqual(shard.reader.features, sample.features);
        }
      }),
    );

  unless(samples !== undefined && "it holds only certain rows")(
    "gives back values of every feature that it can hold, and nulls",
    () =>
      withDirectory(async (dir) => {
        const files = new FormatFiles(format, options, dir);
        for (const [i, value] of candidates.filter(canHold).entries()) {
          const what = featureText(value);
          const sample = { ...(canHold(ID) ? { id: ID } : {}), value };
          const rows = rowsOfSample(generated(sample, `${i}`), few);
          if ((value as { _type?: unknown })._type === "Nullable") for (const row of rows.slice(0, 9)) row.value = null;
          const { path } = await files.write(rows, sample);
          assertRows(await files.read(path, sample), rows, what);
          await using shard = await files.open(path, sample);
          assert.deepStrictEqual(shard.reader.features, sample, what);
          const batches = [];
          for await (const batch of shard.batches({}, sample)) batches.push(...rowsOf(batch));
          if (format.hasSchema) assertRows(batches, rows, `${what}, as batches`);
        }
      }),
  );

  test(
    "slices of every size cover the shard, and give its rows in their order",
    withFiles(async (files, sample) => {
      for (const count of [0, 1, few]) {
        const rows = rowsOfSample(sample, count);
        const { path, written } = await files.write(rows, sample.features);
        await using shard = await files.open(path, sample.features);
        const bytes = [37, 100, 1000, (written.bytes + 1) / 3, written.bytes + 1].map((bytes) => ({ bytes }));
        for (const size of [...bytes, ...[1, 7, few - 1, few, 1e6].map((rows) => ({ rows }))]) {
          const what = JSON.stringify(size);
          const ranges = await shard.slices(size);
          assertCover(ranges, shard.reader.end, what);
          const read: Row[] = [];
          for (const { from, to, rows } of ranges) {
            const part = await files.rows(shard, sample.features, { from, to });
            if (rows !== undefined) assert.equal(part.length, rows, `${what}: rows of a slice`);
            read.push(...part);
          }
          assertRows(read, rows, what);
        }
      }
    }),
  );

  test(
    "opens at any row, where rows are its unit; names the place of each",
    withFiles(async (files, sample) => {
      const rows = rowsOfSample(sample, few * 5);
      const { path } = await files.write(rows, sample.features);
      await using shard = await files.open(path, sample.features);
      assert.ok((await shard.reader.where(0, 1)).startsWith(path));
      if (shard.reader.unit !== "row") return;
      assert.equal(shard.reader.end, rows.length);
      const random = createRandom("ranges");
      for (let i = 0; i < 30; i++) {
        const [from = 0, to = 0] = [0, 0].map(() => below(rows.length + 1, random)).sort((a, b) => a - b);
        const what = `rows ${from} to ${to}`;
        assertRows(await files.rows(shard, sample.features, { from, to }), rows.slice(from, to), what);
        let at = from;
        for (const { first, rows } of await blocksOf(shard.rows({ from, to }))) {
          assert.equal(first, at, `${what}: position of a block`);
          at += rows.length;
        }
      }
    }),
  );

  test(
    "reads only the columns asked for, in their order, and blocks of at most so many rows",
    withFiles(async (files, sample) => {
      const rows = rowsOfSample(sample, few);
      const { path } = await files.write(rows, sample.features);
      await using shard = await files.open(path, sample.features);
      const columns = Object.keys(sample.features)
        .reverse()
        .filter((_, i) => i % 2 === 0);
      const features = Object.fromEntries(columns.map((name) => [name, sample.features[name]!]));
      const expected = rows.map((row) => Object.fromEntries(columns.map((name) => [name, row[name]])));
      const read = await files.rows(shard, features, { columns });
      assertRows(read, expected, columns.join());
      assert.deepEqual(Object.keys(read[0]!), columns);
      for await (const batch of shard.batches({ columns }, sample.features))
        assert.deepEqual(Object.keys(batch.columns), columns);
      for (const batchRows of [1, 7]) {
        const blocks = await blocksOf(shard.rows({ batchRows }));
        assert.ok(
          blocks.every(({ rows }) => rows.length <= batchRows),
          `blocks of ${batchRows} rows`,
        );
        assert.equal(blocks.flatMap(({ rows }) => rows).length, few);
        for await (const { length } of shard.batches({ batchRows }, sample.features)) assert.ok(length <= batchRows);
      }
    }),
  );

  test(
    "two reads at once do not disturb each other, and it is closed as often as one likes",
    withFiles(async (files, sample) => {
      const rows = rowsOfSample(sample, few);
      const { path } = await files.write(rows, sample.features);
      const shard = await files.open(path, sample.features);
      const reads = [1, 3, 1000].map((batchRows) => files.rows(shard, sample.features, { batchRows }));
      for (const read of await Promise.all(reads)) assertRows(read, rows, "beside another read");
      for (const _ of [1, 2]) await shard[Symbol.asyncDispose]();
      const writer = await files.create(files.path("none"), sample.features);
      await writer.writeRows(rows);
      for (const _ of [1, 2]) await writer[Symbol.asyncDispose]();
    }),
  );

  unless(unrecognised ?? false)(
    "recognises its own files, and no others",
    withFiles(async (files, sample) => {
      const { path } = await files.write(rowsOfSample(sample, few), sample.features);
      assert.ok(format.recognises(readFileSync(path).subarray(0, 4096)), "its own file");
      assertForeign(format);
    }),
  );

  test(
    "a file that is cut off gives an error that says so, or the rows before",
    withFiles(async (files, sample) => {
      const rows = rowsOfSample(sample, 12);
      // Compression inside leaves the frame of a file as it is.
      for (const compression of format.packs ? files.compressions : files.compressions.slice(0, 1)) {
        const { path } = await files.write(rows, sample.features, compression);
        const whole = await rawRows(files, path);
        // Where a row is cut off, what is left of it may be a row too.
        const exact = format.packs && compression === "none" ? 1 : 0;
        const bytes = readFileSync(path);
        const part = files.path(compression);
        for (let size = 0; size < bytes.length; size += 43) {
          writeFileSync(part, bytes.subarray(0, size));
          const read = await rawRows(files, part);
          const kept = read.rows.slice(0, read.rows.length - exact);
          assertRows(kept, whole.rows.slice(0, kept.length), `cut off at byte ${size}`);
          if (read.error === undefined) continue;
          const isSaid = KagurazakaError.is(read.error) && read.error.code === "bad-data";
          assert.ok(isSaid, `cut off at byte ${size}: ${String((read.error as Error).stack ?? read.error)}`);
        }
      }
    }),
  );

  unless(samples !== undefined && "it holds only certain rows")(
    "a row that it cannot hold is named by its index, and writing goes on behind it",
    () =>
      withDirectory(async (dir) => {
        const files = new FormatFiles(format, options, dir);
        for (const [feature, value] of unlikely)
          await assertUnlikely(files, { id: ID, value: Nullable(feature) }, value);
      }),
  );
}

const ID = Value("int32");

/** What some formats cannot say. */
const unlikely: readonly (readonly [Feature, unknown])[] = [
  [Value("float64"), Number.NaN],
  [Value("float64"), Number.NEGATIVE_INFINITY],
  [List(List("string")), [["a"], []]],
  [{ a: Value("string") }, { a: "x" }],
  [List("float32"), Float32Array.of(1, Number.NaN)],
];

/** The row is held, or it is refused by its index and the others are held. */
async function assertUnlikely(files: FormatFiles, features: Features, value: unknown): Promise<void> {
  const rows: Row[] = [null, value, null].map((value, id) => ({ id, value }));
  const what = `${featureText(features.value!)}: ${String(value)}`;
  const path = files.path("none");
  let kept = rows;
  await using writer = await files.create(path, features);
  try {
    await writer.writeRows(rows);
  } catch (error) {
    assert.ok(error instanceof UnwritableRow, `${what}: ${error}`);
    assert.equal(error.index, 1, what);
    assert.match(error.message, /\w/);
    kept = [rows[0]!, rows[2]!];
    await writer.writeRows(rows.slice(2));
  }
  assert.equal((await writer.finish()).rows, kept.length, what);
  const ids = { id: ID };
  await using shard = await files.open(path, ids);
  const expected = kept.map(({ id }) => ({ id }));
  assertRows(await files.rows(shard, ids, { columns: ["id"] }), expected, what);
}

/** As they stand in the file, and the error that ended them. */
async function rawRows(files: FormatFiles, path: string): Promise<{ rows: Row[]; error?: unknown }> {
  const rows: Row[] = [];
  const read = async (): Promise<void> => {
    await using shard = await files.open(path, undefined);
    for await (const block of shard.rows()) rows.push(...block.rows.map((row) => ({ ...row })));
  };
  const stop = new AbortController();
  try {
    const late = sleep(20_000, true, { signal: stop.signal }).then(() => assert.fail(`reading ${path} hangs`));
    late.catch(() => {});
    await Promise.race([read(), late]);
    return { rows };
  } catch (error) {
    return { rows, error };
  } finally {
    stop.abort();
  }
}

/** Columns of one feature of each kind that the format holds. */
function sampleOf(canHold: (feature: Feature) => boolean): FormatSample {
  const kinds = new Map<string, Feature>();
  for (const feature of candidates.filter(canHold)) kinds.set(featureText(feature).replace(/[^a-z?<>{]/g, ""), feature);
  const columns = [...kinds.values()].filter((_, i, { length }) => length <= 16 || i % Math.ceil(length / 16) === 0);
  const named = columns.map((feature, i): [string, Feature] => [`c${i}`, feature]);
  return generated({ ...(canHold(ID) ? { id: ID } : {}), ...Object.fromEntries(named) }, "rows");
}

const generated = (features: Features, seed: string): FormatSample => ({
  features,
  rowOf: (index) => ({ ...rowFor(features, createRandom(`${seed}\n${index}`)), ...(features.id ? { id: index } : {}) }),
});
