import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { features } from "../../../src/data/features/feature.js";
import { loadFormat } from "../../../src/data/formats/registry.js";
import { planSlices } from "../../../src/data/source/slices.js";
import { openSource } from "../../../src/data/source/source.js";
import { type FakeHub, fakeHub } from "../hub/fake-hub.js";
import { sendFile } from "../stores/web-server.js";
import { createDirectory } from "../tree.js";

let dir: string;
let hub: FakeHub;
const COUNT = 40;
/** The type of each file's column. */
async function parquet(dtype: "int32" | "string"): Promise<Buffer> {
  const format = await loadFormat("parquet");
  const path = join(dir, `${dtype}.parquet`);
  const rows = Array.from({ length: 200_000 }, (_, i) => ({ id: dtype === "int32" ? (i * 7919) % 100_003 : `${i}` }));
  await using writer = await format.create({
    path,
    features: features({ id: dtype }),
    compression: "none",
    options: {},
    groupRows: 50_000,
  });
  await writer.writeRows(rows as never);
  await writer.finish();
  return readFileSync(path);
}
const name = (i: number): string =>
  `data/train-${String(i).padStart(5, "0")}-of-${String(COUNT).padStart(5, "0")}.parquet`;
const open = async (files: Record<string, Buffer>) => {
  hub = await fakeHub(files);
  vi.stubEnv("HF_ENDPOINT", hub.url);
  vi.stubEnv("HF_HOME", join(dir, "home"));
  return await openSource("org/set");
};
const blobs = (): string[] => {
  const at = join(dir, "home/hub/datasets--org--set/blobs");
  return existsSync(at) ? readdirSync(at) : [];
};

beforeEach(() => {
  dir = createDirectory();
  mkdirSync(join(dir, "home"));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await hub[Symbol.asyncDispose]();
});

test("features and slices of a dataset of the hub come from footers: no file is fetched", async () => {
  const bytes = await parquet("int32");
  const source = await open(Object.fromEntries(Array.from({ length: COUNT }, (_, i) => [name(i), bytes])));
  let now = 0;
  let most = 0;
  hub.insteadOfCdn = (ask, reply) => {
    most = Math.max(most, ++now);
    reply.on("close", () => now--);
    setTimeout(() => sendFile(ask, reply, bytes, '"1"'), 10);
    return true;
  };
  expect(await source.features()).toEqual(features({ id: "int32" }));
  const { slices } = await planSlices(source, source.shards, { rows: 50_000 });
  expect(slices).toHaveLength(COUNT * 4);
  expect(blobs()).toEqual([]);
  expect(most).toBeGreaterThan(1);
  expect(most).toBeLessThanOrEqual(16);
});

test("the first shard that does not fit is named, whichever answers first", async () => {
  const [ids, texts] = [await parquet("int32"), await parquet("string")];
  const all = Object.fromEntries(Array.from({ length: 5 }, (_, i) => [name(i), i < 2 ? ids : texts]));
  const source = await open({ ...all, [name(4)]: Buffer.from("no parquet") });
  await expect(source.features()).rejects.toThrow(/in .*train-00000-of.* and .* in .*train-00002-of/);
});

test("from a server without ranges files are fetched as before", async () => {
  const bytes = await parquet("int32");
  const source = await open({ [name(0)]: bytes });
  hub.insteadOfCdn = (ask, reply) => {
    if (ask.headers.range === "bytes=0-0") return false;
    if (blobs().length === 0 && !ask.headers.range?.startsWith("bytes=0-")) {
      reply.writeHead(404).end();
      return true;
    }
    return false;
  };
  expect(await source.features()).toEqual(features({ id: "int32" }));
  expect(blobs()).toHaveLength(1);
});
