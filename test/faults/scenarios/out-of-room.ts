import { match, ok, strictEqual } from "node:assert";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { listFiles } from "../harness/disk.js";

interface Ended {
  readonly code: number | null;
  readonly stderr: string;
}

/** Exit 7 with one message that says what it is, and what to do. */
export function checkOutOfRoom({ code, stderr }: Ended, says = /no space is left|ENOSPC/): string {
  strictEqual(code, 7, stderr);
  const messages = stderr.match(/^error\b.*$/gm) ?? [];
  strictEqual(messages.length, 1, `one message: ${stderr}`);
  match(messages[0]!, /\[environment\]/);
  match(messages[0]!, says);
  match(stderr, /same command/);
  return messages[0]!;
}

/** What is there under its final name is whole. @returns how many files that is */
export function checkWholeFiles(root: string, wanted: (path: string) => string | Uint8Array): number {
  const files = listFiles(root).filter((path) => !path.startsWith(".kagurazaka"));
  for (const path of files)
    ok(readFileSync(join(root, path)).equals(Buffer.from(wanted(path))), `${path} is half-written`);
  return files.length;
}
