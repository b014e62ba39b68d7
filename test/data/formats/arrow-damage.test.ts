import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { KagurazakaError } from "../../../src/base/errors.js";
import { createRandom } from "../../../src/base/random.js";
import { type Row, rowsOf } from "../../../src/data/batch/batch.js";
import arrow from "../../../src/data/formats/arrow.js";
import { fixture } from "./golden.js";
import { MemoryFile } from "./memory-file.js";

const bytesIn = (name: string): Buffer => readFileSync(fixture(`${name}.arrow`));

/** Rows past these are not read: a flipped bit may ask for two thousand million nulls. */
const ENOUGH_ROWS = 1000;

async function rowsIn(bytes: Buffer): Promise<Row[]> {
  await using reader = await arrow.open({ file: new MemoryFile(bytes), packing: "none", options: {} as never });
  const rows: Row[] = [];
  for await (const batch of reader.batches!({ batchRows: 100 })) {
    rows.push(...rowsOf(batch));
    if (rows.length > ENOUGH_ROWS) break;
  }
  return rows;
}

/** The rows, or the error that names the file. */
async function outcomeOf(bytes: Buffer, what: string): Promise<Row[] | KagurazakaError> {
  try {
    return await rowsIn(bytes);
  } catch (error) {
    expect(KagurazakaError.is(error), `${what}: ${(error as Error).stack}`).toBe(true);
    expect((error as Error).message, what).toMatch(/^memory\b/);
    expect((error as KagurazakaError).code, what).toBe("bad-data");
    return error as KagurazakaError;
  }
}

const kinds = [
  "all-file",
  "all-stream",
  "all-stream-lz4",
  "all-stream-zstd",
  "dictionary-nested",
  "dictionary-delta-file-lz4",
];

describe("damaged files", () => {
  test.each([...kinds, "odd", "legacy"])(
    "%s with flipped bits gives an error that names the file, or rows",
    async (name) => {
      const whole = bytesIn(name);
      const random = createRandom(name);
      let errors = 0;
      for (let i = 0; i < 100; i++) {
        const bytes = Buffer.from(whole);
        for (let flips = 1 + Math.floor(random() * 3); flips > 0; flips--)
          bytes[Math.floor(random() * bytes.length)]! ^= 1 << Math.floor(random() * 8);
        if ((await outcomeOf(bytes, `${name}, try ${i}`)) instanceof Error) errors++;
      }
      expect(errors).toBeGreaterThan(0);
    },
  );

  test("words of metadata that are as large as can be are an error, or change nothing that is read", async () => {
    const whole = bytesIn("dictionary-replaced");
    for (let at = 0; at + 4 <= whole.length; at += 4) {
      const bytes = Buffer.from(whole);
      bytes.writeInt32LE(at % 8 === 0 ? 0x7fffffff : -2, at);
      await outcomeOf(bytes, `byte ${at}`);
    }
  });

  test.each(["all-file", "all-file-lz4", "dictionary-delta-file", "no-rows-file"])(
    "%s that is cut off anywhere is an error",
    async (name) => {
      const whole = bytesIn(name);
      for (let length = 0; length < whole.length; length += 1 + Math.floor(whole.length / 200))
        expect(await outcomeOf(whole.subarray(0, length), `${length} bytes`)).toBeInstanceOf(Error);
      expect(await outcomeOf(whole.subarray(0, -1), "all but a byte")).toBeInstanceOf(Error);
    },
  );

  test("a stream that is cut off is an error, except between messages, where it has the rows before", async () => {
    const whole = bytesIn("dictionary-replaced");
    const rows = await rowsIn(whole);
    const counts = new Set<number>();
    for (let length = 0; length < whole.length; length++) {
      const outcome = await outcomeOf(whole.subarray(0, length), `${length} bytes`);
      if (outcome instanceof Error) continue;
      expect(outcome).toEqual(rows.slice(0, outcome.length));
      counts.add(outcome.length);
    }
    expect([...counts]).toEqual([0, 2, 5, 6]);
  });

  test("a stream between the magics of a file, and a file with another's footer, are errors", async () => {
    const [file, stream] = [bytesIn("all-file"), bytesIn("all-stream")];
    const footer = file.subarray(file.length - 10 - file.readInt32LE(file.length - 10));
    const other = bytesIn("no-rows-file");
    const otherFooter = other.subarray(other.length - 10 - other.readInt32LE(other.length - 10));
    const magic = Buffer.from("ARROW1\0\0");
    expect(await outcomeOf(Buffer.concat([magic, stream]), "no footer")).toBeInstanceOf(Error);
    expect(await outcomeOf(Buffer.concat([magic, other.subarray(8, 300), footer]), "footer of more")).toBeInstanceOf(
      Error,
    );
    // The footer says what there is; a stream ends with its end.
    expect(
      await outcomeOf(Buffer.concat([file.subarray(0, file.length - footer.length), otherFooter]), "fewer"),
    ).toEqual([]);
    expect(await outcomeOf(Buffer.concat([stream, footer]), "behind the end")).toEqual(await rowsIn(file));
  });

  test("a table of half an entry more, which the library would read as a thousand million entries, is an error", async () => {
    const bytes = Buffer.from(bytesIn("dictionary-delta-zstd"));
    bytes[schemaTable(bytes)]! += 1;
    await expect(rowsIn(bytes)).rejects.toThrow("memory cannot be read as arrow: its metadata are damaged");
  });

  test("big-endian files, and columns of one name, are refused with what they are", async () => {
    const stream = bytesIn("hf");
    await expect(rowsIn(bigEndian(stream))).rejects.toThrow(
      "memory cannot be read as arrow: its numbers are big-endian",
    );
    const twice = Buffer.from(bytesIn("dictionary-replaced"));
    for (let at = twice.indexOf("\x01\0\0\0d\0"); at >= 0 && at < 600; at = twice.indexOf("\x01\0\0\0d\0", at + 1))
      twice.write("n", at + 4);
    await expect(rowsIn(twice)).rejects.toThrow("two columns are called n");
  });
});

/** Where the vtable of the schema's table lies. */
function schemaTable(bytes: Buffer): number {
  const root = 8 + bytes.readUInt32LE(8);
  const header = root + bytes.readUInt16LE(root - bytes.readInt32LE(root) + 4 + 2 * 2);
  const schema = header + bytes.readUInt32LE(header);
  return schema - bytes.readInt32LE(schema);
}

/** The vtable of the schema's table gets an entry for its first field: the 16 bits of another field, which are not 0. */
function bigEndian(stream: Buffer): Buffer {
  const bytes = Buffer.from(stream);
  const table = schemaTable(bytes);
  bytes.writeUInt16LE(bytes.readUInt16LE(table + 4 + 2), table + 4);
  return bytes;
}
