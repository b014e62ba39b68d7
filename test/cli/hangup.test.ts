import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { isHangupIgnored } from "../../src/cli/hangup.js";

const base = mkdtempSync(join(tmpdir(), "kagurazaka-hangup-"));
afterAll(() => rmSync(base, { recursive: true }));

let number = 0;
function procfs(sigIgn: string, stdinFlags: string): string {
  const dir = join(base, String(number++));
  for (const sub of [String(process.ppid), "self/fdinfo"]) mkdirSync(join(dir, sub), { recursive: true });
  writeFileSync(join(dir, String(process.ppid), "status"), `Name:\tbash\nSigBlk:\t0\nSigIgn:\t${sigIgn}\nSigCgt:\t0\n`);
  writeFileSync(join(dir, "self/fdinfo/0"), `pos:\t0\nflags:\t${stdinFlags}\nmnt_id:\t9\n`);
  return dir;
}

test.each([
  ["an ordinary start", "0000000000000006", "0100002", "/usr/bin/node", false],
  ["a redirected input", "0000000000000000", "0100000", "/usr/bin/node", false],
  ["a shell that says that it started nohup", "0000000000000000", "0100000", "/usr/bin/nohup", true],
  ["a parent that ignores SIGHUP", "0000000000000001", "0100000", "/usr/bin/node", true],
  ["a parent that ignores SIGHUP among others", "0000000000384007", "0100000", undefined, true],
  ["an input as nohup leaves it on a terminal", "0000000000000000", "0100001", undefined, true],
])("%s: SIGHUP is ignored or not", (_, sigIgn, flags, started, ignored) => {
  expect(isHangupIgnored({ _: started }, procfs(sigIgn, flags))).toBe(ignored);
});

test("without /proc, only the shell can tell", () => {
  expect(isHangupIgnored({}, join(base, "none"))).toBe(false);
  expect(isHangupIgnored({ _: "nohup" }, join(base, "none"))).toBe(true);
});
