import fs from "node:fs";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeBody } from "../../../tasks/fetch/write-body.js";
import { createDirectory } from "../../data/tree.js";

/** A disk on which every write takes its time. */
describe("a body that breaks off while a write is running", () => {
  const { write } = fs;
  beforeAll(() => {
    const slowly = (...args: unknown[]): void => void setTimeout(() => Reflect.apply(write, fs, args), 200);
    Object.assign(fs, { write: slowly });
  });
  afterAll(() => void Object.assign(fs, { write }));

  test.each(["cut", "aborted"])("has all its bytes on disk when that is said (%s)", async (how) => {
    const path = join(createDirectory(), "part");
    const body = new Readable({ read() {} });
    const abort = new AbortController();
    body.push(Buffer.alloc(1000, "x"));
    setTimeout(() => (how === "cut" ? body.destroy(new Error("gone")) : abort.abort()), 100);
    const written = writeBody(
      body as IncomingMessage,
      { path, append: false, unpack: undefined },
      { onChunk() {}, signal: abort.signal },
    );
    await expect(written).rejects.toThrow();
    const { size } = fs.statSync(path);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(fs.statSync(path).size, "nothing comes later").toBe(size);
    expect(size).toBe(1000);
  });
});
