import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { KagurazakaError } from "../../../src/base/errors.js";
import { loadLedger, openLedger } from "../../../src/runner/ledger/index.js";
import { header } from "./header.js";

const small = join("/tmp", `kagurazaka-small-${process.pid}`);
const mounted = mountSmall(small);
test.skipIf(!mounted)("a small tmpfs that fills up (skipped where mounting is not allowed)", async () => {
  try {
    const ledger = openLedger({ dir: join(small, "ledger"), header: header("r1", 1), durable: true });
    let appended = 0;
    expect(() => {
      for (; appended < 1e6; appended++) {
        ledger.appendDone(`some/longer/key-${appended}`, 1);
        if (ledger.pendingBytes > 100_000) ledger.flush();
      }
    }).toThrow(expect.objectContaining({ code: "environment" }) as KagurazakaError);
    const index = await loadLedger(join(small, "ledger"));
    expect(index.damage.count).toBe(0);
    expect(index.counts.done).toBeGreaterThan(1000);
    expect(index.counts.done).toBeLessThanOrEqual(appended + 1);
    await ledger[Symbol.asyncDispose]();
  } finally {
    execFileSync("umount", [small]);
    rmSync(small, { recursive: true });
  }
});

function mountSmall(path: string): boolean {
  try {
    mkdirSync(path);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=300k", "tmpfs", path], { stdio: "ignore" });
    return true;
  } catch {
    if (existsSync(path)) rmSync(path, { recursive: true });
    return false;
  }
}
