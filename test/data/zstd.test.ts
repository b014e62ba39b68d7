import { createReadStream, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readChunks } from "../../src/data/bytes/read-chunks.js";
import { unpackZstd } from "../../src/data/bytes/zstd.js";
import { ZstdFrames } from "../../src/data/bytes/zstd-frames.js";
import { openJsonlWriter, writeJsonl } from "../../src/data/lists/jsonl-writer.js";
import { createDirectory } from "./tree.js";

const text = '{"a":1}\n{"b":"é"}\n';
/** Made by zstd 1.5.4: from a file, from a pipe (which knows no size beforehand), and without a checksum. */
const known = Buffer.from("KLUv/SQTmQAAeyJhIjoxfQp7ImIiOiLDqSJ9ChFneOI=", "base64");
const piped = Buffer.from("KLUv/QRYmQAAeyJhIjoxfQp7ImIiOiLDqSJ9ChFneOI=", "base64");
const unchecked = Buffer.from("KLUv/SATmQAAeyJhIjoxfQp7ImIiOiLDqSJ9Cg==", "base64");
const skippable = Buffer.concat([Buffer.from([0x53, 0x2a, 0x4d, 0x18, 5, 0, 0, 0]), Buffer.from("hello")]);
const nothing = Buffer.from([0x5f, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]);

const write = (content: Uint8Array, name = "x.jsonl.zst"): string => {
  const path = join(createDirectory(), name);
  writeFileSync(path, content);
  return path;
};

async function gather(chunks: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = [];
  for await (const chunk of chunks) parts.push(Buffer.from(chunk));
  return Buffer.concat(parts).toString();
}

/** As Node does it, where it can, and as Nodes before 22.15 do. */
describe.each([true, false])("natively: %s", (natively) => {
  const unpack = (path: string, highWaterMark = 1 << 18, chunkBytes = 1 << 20) =>
    gather(unpackZstd(createReadStream(path, { highWaterMark }), { path, chunkBytes, natively }));

  test.each([
    ["a file's size is known", [known], text],
    ["a pipe's is not", [piped], text],
    ["no checksum", [unchecked], text],
    [
      "several frames are one file, and some mean nothing",
      [skippable, known, nothing, piped, unchecked],
      text.repeat(3),
    ],
    ["nothing at all", [], ""],
  ] as const)("%s, wherever the reads fall", async (_, frames, expected) => {
    const path = write(Buffer.concat(frames));
    for (const read of [1, 2, 3, 5, 8, 21, 1000]) {
      expect(await unpack(path, read), `reads of ${read}`).toBe(expected);
      expect(await unpack(path, read, 7), `reads of ${read}, chunks of 7`).toBe(expected);
    }
  });

  test("a file that was cut off is an error, wherever the cut is", async () => {
    for (let length = 1; length < known.length; length++) {
      const path = write(known.subarray(0, length));
      await expect(unpack(path), `${length} bytes`).rejects.toThrow(/middle of a frame|unexpected end/);
    }
  });

  test("what is no zstd, or damaged, is an error", async () => {
    await expect(unpack(write(Buffer.from(text)))).rejects.toThrow("not in zstd format");
    const damaged = Buffer.from(known);
    damaged[15]! ^= 1;
    await expect(unpack(write(damaged))).rejects.toThrow();
    const reserved = Buffer.from(known);
    reserved[6]! |= 6;
    await expect(unpack(write(reserved))).rejects.toThrow();
  });
});

test("a frame too large for the codec without streams is refused before it is held, and what helps is said", async () => {
  for (const frame of [known, piped]) {
    const path = write(Buffer.concat([unchecked, frame, frame]));
    const packed = createReadStream(path, { highWaterMark: 4 });
    const refused = gather(unpackZstd(packed, { path, chunkBytes: 64, natively: false, maxFrameBytes: 18 }));
    await expect(refused).rejects.toMatchObject({ code: "generate-tasks", hint: expect.stringContaining("zstd -dc") });
  }
});

test("a header that lies about its size cannot make us hold more than the limit", () => {
  const frames = new ZstdFrames();
  const lying = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xe0, 255, 255, 255, 255, 255, 255, 255, 127]);
  expect(frames.push(lying).at(-1)!.atMost).toBeGreaterThan(2 ** 60);
});

test("a written .zst is read again, and is zstd", async () => {
  const path = join(createDirectory(), "out.jsonl.zst");
  const values = Array.from({ length: 5000 }, (_, i) => ({ i, text: `line ${i}` }));
  expect(await writeJsonl(path, [values.slice(0, 10), values.slice(10)])).toBe(5000);
  expect(readFileSync(path).readUInt32LE(0)).toBe(0xfd2fb528);
  const lines = (await gather(readChunks(path))).trim().split("\n");
  expect(lines.map((line) => JSON.parse(line))).toEqual(values);
});

test("a .zst that is longer than a frame is several of them", async () => {
  const path = join(createDirectory(), "long.jsonl.zst");
  await using writer = await openJsonlWriter(path);
  const value = "x".repeat(1 << 20);
  for (let i = 0; i < 10; i++) await writer.write([value]);
  await writer.commit();
  expect((await gather(readChunks(path))).length).toBe(10 * (value.length + 3));
});

test("an empty list is an empty file, and readable", async () => {
  const path = join(createDirectory(), "empty.jsonl.zst");
  expect(await writeJsonl(path, [])).toBe(0);
  expect(await gather(readChunks(path))).toBe("");
});

test("what Node cannot read through says so with the path", async () => {
  const path = write(known.subarray(0, 20));
  await expect(gather(readChunks(path))).rejects.toMatchObject({ code: "generate-tasks", where: path });
});
