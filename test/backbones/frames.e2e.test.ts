import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { expect, test } from "vitest";
import { readFrames } from "../../backbones/mp/frames.js";

const frames = new URL("../../dist/backbones/mp/frames.js", import.meta.url).href;

/** A process that says `what` on stream 3; the reader sleeps meanwhile, so that far more is said than the pipe holds. */
async function hear(what: string): Promise<{ heard: unknown[]; signal: string | null }> {
  const script = `import { writeFrame } from ${JSON.stringify(frames)}; ${what}`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "inherit", "inherit", "pipe"],
  });
  const heard: unknown[] = [];
  readFrames(child.stdio[3] as Readable, (message) => heard.push(message));
  for (const end = Date.now() + 300; Date.now() < end; );
  const [, signal] = await once(child, "close");
  return { heard, signal };
}

test("what a process has said arrives, though it crashes the moment after", async () => {
  const { heard, signal } = await hear(
    `for (let i = 0; i < 500; i++) writeFrame(3, { i, list: new Float64Array(1000).fill(i) }); process.kill(process.pid, "SIGSEGV");`,
  );
  expect(signal).toBe("SIGSEGV");
  expect(heard).toHaveLength(500);
  expect(heard[499]).toEqual({ i: 499, list: new Float64Array(1000).fill(499) });
});

test("messages larger than any buffer, and empty ones between them", async () => {
  const { heard } = await hear(
    `for (const n of [0, 1, 5_000_000, 0, 70_000, 3]) writeFrame(3, { type: "print", text: "ü".repeat(n) }); writeFrame(3, null);`,
  );
  expect(heard.slice(0, -1).map((message) => (message as { text: string }).text.length)).toEqual([
    0, 1, 5_000_000, 0, 70_000, 3,
  ]);
  expect(heard.at(-1)).toBe(null);
});

test("a message cut off in the middle was never said", async () => {
  const { heard } = await hear(
    `import { writeSync } from "node:fs"; writeFrame(3, "whole"); writeSync(3, Buffer.from([9, 0, 0, 0, 1, 2]));`,
  );
  expect(heard).toEqual(["whole"]);
});
