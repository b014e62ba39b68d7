import { describe, expect, test } from "vitest";
import {
  decodeChunk,
  decodeFromNode,
  decodeJob,
  decodeMessage,
  encodeChunk,
  encodeFromNode,
} from "../../../backbones/bullmq/wire.js";
import type { ChunkMessage } from "../../../src/contracts/fleet.js";

const chunk: ChunkMessage = {
  id: 3,
  count: 2,
  shard: 0,
  forced: false,
  keys: "a\nü",
  items: '{"n":1}\n{"t":"ü😀\\n"}',
};

describe("a chunk", () => {
  test.each([
    ["plain", chunk],
    ["with attempts, isolated", { ...chunk, attempts: { 1: 2 }, isolated: true }],
    ["with names of items for keys", { ...chunk, keys: `${"0123456789ab".repeat(2)}\n${"f".repeat(24)}` }],
    ["with keys that are nearly names", { ...chunk, keys: `${"0123456789ab".repeat(2)}\n${"F".repeat(24)}` }],
    ["with keys that are names but for a letter", { ...chunk, keys: `${"0".repeat(24)}\n${"0".repeat(23)}g` }],
    ["with keys that are long as two names are", { ...chunk, keys: `${"0".repeat(23)}\n${"0".repeat(25)}` }],
    ["large", { ...chunk, items: `${JSON.stringify("x".repeat(9000))}\n{}` }],
    ["with keys that need JSON", { ...chunk, keys: '["a\\nb","[c"]' }],
  ])("%s, comes out as it went in", (_, message) => expect(decodeChunk(encodeChunk(message))).toEqual(message));

  test.each([
    ["no compressed bytes", Buffer.from("hello")],
    ["another number of items", encodeChunk({ ...chunk, count: 3 })],
    ["names cut short", encodeChunk({ ...chunk, keys: `${"a".repeat(24)}\n${"b".repeat(24)}` }).subarray(0, 100)],
    ["another number of names", encodeChunk({ ...chunk, keys: "a".repeat(24) })],
    ["another number of keys", encodeChunk({ ...chunk, keys: "a" })],
    ["a negative shard", encodeChunk({ ...chunk, shard: -1 })],
    ["a field that is not known", encodeChunk({ ...chunk, path: "/etc" } as ChunkMessage)],
  ])("%s is refused", (_, bytes) => expect(() => decodeChunk(bytes)).toThrow());
});

describe("what nodes send", () => {
  test.each([
    {
      kind: "outcomes",
      outcomes: {
        chunk: 1,
        plain: [0, 1.5],
        rest: [
          {
            index: 1,
            attempt: 2,
            status: "failed",
            durationMs: 3,
            error: { name: "E", message: "m", cause: { name: "C", message: "c" } },
          },
        ],
      },
    },
    {
      kind: "outcomes",
      outcomes: {
        chunk: 1,
        plain: [],
        rest: [{ index: 0, attempt: 1, status: "done", durationMs: 0, value: { big: 9007199254740993n } }],
      },
    },
    { kind: "given-back", chunk: 1, indices: [0, 5] },
    { kind: "lost", chunk: 1 },
    { kind: "left", node: "a" },
  ] as const)("$kind comes out as it went in", (message) =>
    expect(decodeFromNode(encodeFromNode(message))).toEqual(message),
  );

  test.each([
    "",
    "null",
    "{",
    '{"kind":"exec","code":"1"}',
    '{"kind":"lost","chunk":-1}',
    '{"kind":"lost","chunk":"1"}',
    '{"kind":"outcomes","outcomes":{"chunk":1,"plain":[0,"x"],"rest":[]}}',
    '{"kind":"outcomes","outcomes":{"chunk":1,"plain":[],"rest":[{"index":0,"attempt":1,"status":"stolen","durationMs":1}]}}',
  ])("%j is none of it", (text) => expect(decodeFromNode(text)).toBeUndefined());

  test("messages are checked as well", () => {
    expect(decodeMessage('{"type":"print","key":null,"text":"hi"}')).toEqual({ type: "print", key: null, text: "hi" });
    expect(decodeMessage('{"type":"heartbeat","node":"a"}')).toBeUndefined();
  });
});

describe("a job", () => {
  const job = {
    task: {
      source: { alias: "task", export: "T" },
      id: "T",
      baseId: "T",
      kind: "item",
      moduleHash: "h",
      files: {},
      config: { task: {}, mixin: null, rawArgs: [] },
    },
    run: "20261129T101112Z-abcdef",
    shards: [{ staging: ".kagurazaka/staging/r", kept: ".kagurazaka/kept/T", rootId: "id", record: {} }],
    seed: 0,
    durable: false,
    atomic: true,
    wantValues: false,
    settings: { chunksize: "auto", retries: 2, backoff: { minMs: 1, maxMs: 2 }, grace: 30_000 },
  };
  const withShard = (fields: object): string => JSON.stringify({ ...job, shards: [{ ...job.shards[0], ...fields }] });

  test("comes out as it went in", () => expect(decodeJob(JSON.stringify(job))).toEqual(job));
  test.each(["/tmp/x", "../x", "a/../../x", "a/..", "", "a\0b"])("with the directory %j is refused", (staging) => {
    expect(decodeJob(withShard({ staging }))).toBeUndefined();
    expect(decodeJob(withShard({ kept: staging }))).toBeUndefined();
  });
  test("with a run's name that is a path is refused", () =>
    expect(decodeJob(JSON.stringify({ ...job, run: "../x" }))).toBeUndefined());
});
