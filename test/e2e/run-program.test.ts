import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { processesWith } from "../faults/harness/processes.js";
import { counts, createPlace, type Place, until } from "./kagurazaka.js";

/** `ctx.runProgram`, wherever items run. */
const task = `
  import { KagurazakaTask } from "kagurazaka";
  export class Runs extends KagurazakaTask<{ id: string; script: string; more?: object }> {
    *generateTasks() { yield* JSON.parse(process.env.ITEMS ?? "[]"); }
    keyOf({ id }) { return id; }
    async process({ script, more }, ctx) {
      const end = await ctx.runProgram("sh", ["-c", script, "sh", ctx.tmpDir], more);
      console.log(JSON.stringify(end));
      if (end.signal) throw new Error(end.signal);
    }
  }`;
const ways = {
  inline: ["--backbone", "inline", "--concurrency", "2"],
  thread: ["--backbone", "mp", "--num-process", "1", "--concurrency", "2"],
  process: ["--backbone", "mp", "--num-process", "1", "--concurrency", "2", "--isolation", "process"],
};
const start = (place: Place, flags: readonly string[], items: readonly object[], env: Record<string, string> = {}) =>
  place.start(["runs.ts", "Runs", "--json", ...flags], { ITEMS: JSON.stringify(items), ...env });

describe.concurrent.each(Object.entries(ways))("programs of items, %s", (way, flags) => {
  test("end with what they said, and know their item", async () => {
    const place = createPlace({ "runs.ts": task });
    const script = 'cat; echo "$KAGURAZAKA_RUN $KAGURAZAKA_KEY $KAGURAZAKA_ATTEMPT $MINE $FROM" >&2; cd "$1"; exit 3';
    const items = [{ id: "a b", script, more: { stdin: { text: "said" }, env: { MINE: "yes" } } }];
    const { json, stderr } = await start(place, flags, items, { FROM: "outside" }).ended;
    expect(json.counts, stderr).toEqual(counts({ done: 1 }));
    expect(stderr).not.toMatch(/warning/i);
    const line = stderr.split("\n").find((one) => one.includes('{"code"'))!;
    expect(JSON.parse(line.slice(line.indexOf("{")))).toEqual({
      code: 3,
      signal: null,
      stdout: { text: "said", leftOut: 0 },
      stderr: { text: `${json.run} a b 1 yes outside\n`, leftOut: 0 },
    });
  });

  test("whose spawner is killed are tried again, and done", async () => {
    const place = createPlace({ "runs.ts": task });
    const script = '[ "$KAGURAZAKA_ATTEMPT" = 2 ] || { sleep 0.2; kill -9 $PPID; sleep 60; }';
    const marker = { MARKER: `${process.pid}-killed-${way}` };
    const items = [{ id: "a", script }];
    const { json, stderr } = await start(place, [...flags, "--retries", "1"], items, marker).ended;
    expect(json.counts, stderr).toEqual(counts({ done: 1 }));
    await until("nothing is left", () => processesWith(`MARKER=${marker.MARKER}`).length === 0);
  });

  test("that ignore SIGTERM are gone with their children when their item ran out of time", async () => {
    const place = createPlace({ "runs.ts": task });
    const marker = { MARKER: `${process.pid}-late-${way}` };
    const items = [{ id: "a", script: "trap '' TERM; sleep 60 & sleep 60; sleep 60", more: { killAfterMs: 100 } }];
    const { json, stderr } = await start(place, [...flags, "--timeout", "500ms", "--retries", "0"], items, marker)
      .ended;
    expect(json.counts, stderr).toEqual(counts({ failed: 1 }));
    await until("nothing is left", () => processesWith(`MARKER=${marker.MARKER}`).length === 0);
  });

  test("are gone when the coordinator is killed, just started or long known", async () => {
    for (const waitMs of [0, 300]) {
      const place = createPlace({ "runs.ts": task });
      const marker = { MARKER: `${process.pid}-orphans-${way}-${waitMs}` };
      const script = `trap '' TERM; echo > ${place.path("up")}; sleep 60 & sleep 60`;
      const run = start(place, flags, [{ id: "a", script }], marker);
      await until("it runs", () => {
        try {
          return readFileSync(place.path("up"), "utf8") === "\n";
        } catch {
          return false;
        }
      });
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      expect(processesWith(`MARKER=${marker.MARKER}`).length).toBeGreaterThan(3);
      run.child.kill("SIGKILL");
      await until("nothing is left", () => processesWith(`MARKER=${marker.MARKER}`).length === 0);
    }
  });
});
