import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { describe, expect, test } from "vitest";
import { openHttpFile } from "../../../src/data/stores/http.js";
import { nameOfUrl, type Patience } from "../../../src/data/stores/request.js";
import { sendFile, serve } from "./web-server.js";

const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 7 + (i >> 8)) % 256));
const sha = (data: Uint8Array): string => createHash("sha256").update(data).digest("hex");
const patience: Patience = { tries: 4, firstWaitMs: 1, silenceMs: 60_000 };

async function readAll(stream: AsyncIterable<Buffer>): Promise<{ bytes: Buffer; sizes: number[] }> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return { bytes: Buffer.concat(chunks), sizes: chunks.map((chunk) => chunk.length) };
}

/** Opens a file of a server that answers each request in turn with one of these, then as the last one. */
async function against(...answers: ((ask: IncomingMessage, reply: ServerResponse) => void)[]) {
  let turn = 0;
  return await serve((ask, reply) => answers[Math.min(turn++, answers.length - 1)]!(ask, reply));
}
const good = (ask: IncomingMessage, reply: ServerResponse): void => sendFile(ask, reply, bytes, '"1"');
const status =
  (code: number, headers: Record<string, string> = {}) =>
  (_: IncomingMessage, reply: ServerResponse): void =>
    void reply.writeHead(code, headers).end();

describe("a file on a server with ranges", () => {
  test("is read at any place", async () => {
    await using server = await against(good);
    await using file = await openHttpFile(`${server.url}/a.bin`, { patience });
    expect(file.size).toBe(bytes.length);
    expect(await file.read(1000, 20)).toEqual(bytes.subarray(1000, 1020));
    expect(await file.read(bytes.length - 5, 100)).toEqual(bytes.subarray(-5));
    expect(await file.read(bytes.length + 5, 100)).toEqual(Buffer.alloc(0));
    expect(server.asked.map(({ headers }) => headers.range).slice(1, 2)).toEqual(["bytes=1000-1019"]);
  });

  test("is streamed in chunks of the size asked for, by one request", async () => {
    await using server = await against(good);
    await using file = await openHttpFile(server.url, { patience });
    const all = await readAll(file.stream(10, 250_010, 100_000));
    expect(all.sizes).toEqual([100_000, 100_000, 50_000]);
    expect(sha(all.bytes)).toBe(sha(bytes.subarray(10, 250_010)));
    expect(server.asked).toHaveLength(2);
    for await (const _ of file.stream(0, bytes.length, 1000)) break;
    expect(await file.read(0, 3)).toEqual(bytes.subarray(0, 3));
  });

  test("may be empty", async () => {
    await using server = await against((ask, reply) => sendFile(ask, reply, Buffer.alloc(0)));
    await using file = await openHttpFile(server.url, { patience });
    expect(file.size).toBe(0);
    expect(await readAll(file.stream(0, 0))).toEqual({ bytes: Buffer.alloc(0), sizes: [] });
  });

  test("goes on where a connection broke", async () => {
    await using server = await against(
      good,
      (ask, reply) => sendFile(ask, reply, bytes, '"1"', 70_000),
      (ask, reply) => sendFile(ask, reply, bytes, '"1"', 1),
      good,
    );
    await using file = await openHttpFile(server.url, { patience });
    expect(sha((await readAll(file.stream(0, bytes.length))).bytes)).toBe(sha(bytes));
    expect(server.asked.length).toBeGreaterThanOrEqual(4);
  });

  test("that always breaks is an error after so many tries", async () => {
    await using server = await against(good, (ask, reply) => sendFile(ask, reply, bytes, '"1"', 0));
    await using file = await openHttpFile(server.url, { patience });
    await expect(file.read(0, 100)).rejects.toMatchObject({
      code: "source",
      message: /breaks off at byte 0|cannot reach/,
    });
  });

  test.each([
    ["its tag", '"2"', bytes],
    ["its size", '"1"', bytes.subarray(1)],
  ])("that changes %s between two reads is an error", async (_, etag, other) => {
    await using server = await against(good, (ask, reply) => sendFile(ask, reply, other, etag));
    await using file = await openHttpFile(server.url, { patience });
    await expect(file.read(0, 100)).rejects.toMatchObject({ code: "source", message: /changed while it was read/ });
  });
});

describe("a server without ranges", () => {
  const whole = (data: Buffer) => (_: IncomingMessage, reply: ServerResponse) =>
    void reply.writeHead(200, { "content-length": data.length }).end(data);

  test("is asked once for a small file", async () => {
    await using server = await against(whole(bytes));
    await using file = await openHttpFile(server.url, { patience });
    expect(await file.read(5, 5)).toEqual(bytes.subarray(5, 10));
    expect((await readAll(file.stream(299_000, 300_000, 600))).sizes).toEqual([600, 400]);
    expect(server.asked).toHaveLength(1);
  });

  test("gives a large file as a stream from its start only", async () => {
    const size = 65 << 20;
    await using server = await against((_, reply) => {
      reply.writeHead(200, { "content-length": size });
      reply.end(Buffer.alloc(size, 7));
    });
    await using file = await openHttpFile(server.url, { patience });
    let sum = 0;
    for await (const chunk of file.stream(0, size)) sum += chunk.length;
    expect(sum).toBe(size);
    await expect(file.read(10, 5)).rejects.toMatchObject({ code: "source", message: /gives no ranges/ });
  });
});

describe("a server that fails", () => {
  test("is asked again when it is overloaded", async () => {
    await using server = await against(status(429, { "retry-after": "0" }), status(503), good);
    await using file = await openHttpFile(server.url, { patience });
    expect(file.size).toBe(bytes.length);
    expect(server.asked).toHaveLength(3);
  });

  test("is given up after so many tries, or when it asks to wait for long", async () => {
    await using server = await against(status(500));
    await expect(openHttpFile(server.url, { patience })).rejects.toMatchObject({
      message: /server fails \(HTTP 500\)/,
    });
    expect(server.asked).toHaveLength(4);
    await using busy = await against(status(429, { "retry-after": "3600" }));
    await expect(openHttpFile(busy.url, { patience })).rejects.toMatchObject({ message: /asks to wait 3600 s/ });
    expect(busy.asked).toHaveLength(1);
  });

  test("is not asked again for what is not there", async () => {
    await using server = await against(status(404));
    await expect(openHttpFile(`${server.url}/x`, { patience })).rejects.toMatchObject({
      message: /no such file \(HTTP 404\)/,
    });
    expect(server.asked).toHaveLength(1);
  });

  test("is silent for so long only", async () => {
    await using server = await against(() => {});
    const hasty = { tries: 2, firstWaitMs: 1, silenceMs: 50 };
    await expect(openHttpFile(server.url, { patience: hasty })).rejects.toMatchObject({
      message: /cannot reach .*no byte/,
    });
    expect(server.asked).toHaveLength(2);
  });

  test("is not there", async () => {
    const server = await against(good);
    await server[Symbol.asyncDispose]();
    await expect(openHttpFile(server.url, { patience })).rejects.toMatchObject({
      code: "source",
      message: /ECONNREFUSED/,
    });
  });
});

describe("a redirect", () => {
  test("to another host is followed without the authorization", async () => {
    await using other = await against(good);
    await using server = await against((ask, reply) =>
      ask.url === "/far" ? status(302, { location: `${other.url}/x` })(ask, reply) : good(ask, reply),
    );
    const options = { authorization: "Bearer hf_secret", patience };
    await using file = await openHttpFile(`${server.url}/far`, options);
    expect(await file.read(0, 3)).toEqual(bytes.subarray(0, 3));
    expect(server.asked.map(({ headers }) => headers.authorization)).toEqual(["Bearer hf_secret", "Bearer hf_secret"]);
    expect(other.asked.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined]);
  });

  test("on the same host keeps it", async () => {
    await using server = await against((ask, reply) =>
      ask.url === "/a" ? status(307, { location: "/b" })(ask, reply) : good(ask, reply),
    );
    await using _ = await openHttpFile(`${server.url}/a`, { authorization: "Bearer t", patience });
    expect(server.asked.map(({ url, headers }) => [url, headers.authorization])).toEqual([
      ["/a", "Bearer t"],
      ["/b", "Bearer t"],
    ]);
  });

  test.each([
    ["/a", /in a circle/],
    ["file:///etc/passwd", /not followed/],
    ["http://", /not followed/],
  ])("to %s is an error", async (location, message) => {
    await using server = await against(status(302, { location }));
    await expect(openHttpFile(`${server.url}/a`, { patience })).rejects.toMatchObject({ code: "source", message });
  });
});

test("a login in the URL is sent, and is in no message", async () => {
  await using server = await against(status(404));
  const url = server.url.replace("//", "//joe:p%40ss@");
  const error = await openHttpFile(`${url}/a?X-Amz-Signature=abc123`, { patience }).catch((thrown: Error) => thrown);
  expect(server.asked[0]!.headers.authorization).toBe(`Basic ${Buffer.from("joe:p@ss").toString("base64")}`);
  expect(JSON.stringify([error, (error as Error).message])).not.toMatch(/p%40ss|p@ss|abc123/);
  expect(nameOfUrl("https://u:p@h.org/a.csv?n=3&sig=xyz")).toBe("https://h.org/a.csv?n=3&sig=***");
});
