import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { counts, createPlace } from "../e2e/kagurazaka.js";

/** Native code that reads where nothing is, the moment it is loaded. */
const native = "__attribute__((constructor)) static void crash(void) { *(volatile int *)0 = 1; }\n";
const task = `
import { KagurazakaTask } from "kagurazaka";
import { appendFileSync } from "node:fs";
const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
export class Native extends KagurazakaTask<{ id: number }> {
  *generateTasks() { for (let id = 0; id < 60; id++) yield { id }; }
  keyOf({ id }: { id: number }) { return \`item \${id}\`; }
  async process({ id }: { id: number }) {
    appendFileSync("starts", \`\${id}\\n\`);
    await later(5);
    if (id === 30) process.dlopen({ exports: {} }, process.cwd() + "/crash.so");
    await later(5);
  }
}`;

const place = createPlace({ "crash.c": native, "native.ts": task });
const compiled = spawnSync("cc", ["-shared", "-fPIC", "-o", place.path("crash.so"), place.path("crash.c")]);
const notBecause = compiled.status === 0 ? "" : " (skipped: there is no C compiler)";
const args = ["native.ts", "Native", "--backbone", "mp", "--num_process", "2", "--concurrency", "8", "--json"];

test.runIf(notBecause === "")(
  `a crash in native code ends all threads; in processes it costs its item alone${notBecause}`,
  async () => {
    const first = await place.run([...args, "--isolation", "thread"]);
    expect(first.signal).toBe("SIGSEGV");
    const { code, json, stderr } = await place.run([...args, "--isolation", "process"]);
    expect(code, stderr).toBe(3);
    expect(json.counts).toEqual(counts({ done: json.counts.done, skipped: json.counts.skipped, failed: 1 }));
    expect(json.counts.done + json.counts.skipped).toBe(59);
    const [line, ...others] = place.read(".kagurazaka/Native/failed.jsonl").trim().split("\n");
    expect(others).toEqual([]);
    const failed = JSON.parse(line!);
    expect(failed.key).toBe("item 30");
    expect(failed.class).toMatch(/^crash: .*SIGSEGV ended the worker process \(native code crashed\)/);
  },
);
