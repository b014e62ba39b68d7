import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, expect, test } from "vitest";
import { defineStore, openFile } from "../../../src/data/stores/index.js";
import { sendFile, serve } from "./web-server.js";

const dir = mkdtempSync(join(tmpdir(), "open-file-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
writeFileSync(join(dir, "a b.txt"), "hello");

test.each([
  ["a path", join(dir, "a b.txt")],
  ["a file: URL", pathToFileURL(join(dir, "a b.txt")).href],
])("%s is a local file", async (_, path) => {
  await using file = await openFile(path);
  expect(String(await file.read(0, 10))).toBe("hello");
});

test("an http: URL is read from its server", async () => {
  await using server = await serve((ask, reply) => sendFile(ask, reply, Buffer.from("there")));
  await using file = await openFile(`${server.url}/a`);
  expect(String(await file.read(0, 10))).toBe("there");
});

test.each([
  ["s3://bucket/a.parquet", /s3:\/\/ is not built in/, /@aws-sdk\/client-s3.*defineStore\(\{ schemes: \["s3"\]/],
  ["GS://bucket/a", /gs:\/\/ is not built in/, /@google-cloud\/storage/],
  ["az://c/a", /az:\/\//, /@azure\/storage-blob/],
  ["htps://x.org/a", /no store serves htps:\/\/.* Did you mean "https"\?/, /defineStore/],
  ["hf://a/b", /names a dataset/, /source/],
])("%s says what to do", async (url, message, hint) => {
  await expect(openFile(url)).rejects.toMatchObject({ code: "bad-value", message, hint: expect.stringMatching(hint) });
});

test("a file: URL of another machine is an error", async () => {
  await expect(openFile("file://host/a")).rejects.toMatchObject({ code: "source" });
});

test("a store that was defined serves its scheme, also one that is built in", async () => {
  const store = defineStore({ schemes: ["mem", "HTTPS"], open: (url) => openFile(join(dir, url.split("/").at(-1)!)) });
  expect(store.contract).toBe(1);
  await using file = await openFile("mem://x/a b.txt");
  await using other = await openFile("https://x/a b.txt");
  expect([file.size, other.size]).toEqual([5, 5]);
});
