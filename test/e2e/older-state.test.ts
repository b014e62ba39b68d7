import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ownProcess } from "../../src/runner/lease/host.js";
import { counts, createPlace, type Place, taskFile } from "./kagurazaka.js";

/**
 * A place with a state directory that the version before contract 2 wrote (commit d81e1f6): of a run that was killed, or of
 * a `--force` that was stopped. Its files name a boot of the machine that is over; `sameBoot` puts this one there.
 */
function withStateOf(run: "killed" | "forced", { sameBoot = true } = {}): Place {
  const place = createPlace();
  const state = new URL(`../fixtures/state-before-contract-2/${run}`, import.meta.url);
  cpSync(state, place.path("state"), { recursive: true });
  for (const name of readdirSync(place.path("state/Squares/ledger"))) {
    const path = place.path("state/Squares/ledger", name);
    const text = readFileSync(path, "utf8");
    if (sameBoot) writeFileSync(path, text.replace("00000000-0000-4000-8000-000000000000", String(ownProcess().boot)));
  }
  return place;
}

const task = [taskFile("squares.ts"), "Squares", "--run-dir", "state"];
const again = [...task, "--retries", "0", "--num_process", "2", "--json"];

describe.concurrent("the state of the version before", () => {
  test("of a killed run: what was recorded is skipped, what was in flight goes first", async () => {
    const { json, stderr } = await withStateOf("killed").run(again);
    expect(json.counts).toEqual(counts({ skipped: 28, done: 8, failed: 4 }));
    expect(stderr).toContain("The 16 items that were running go first");
  });

  test("of a killed run, the machine having been restarted: what may not be on disk is made again", async () => {
    const { json, stderr } = await withStateOf("killed", { sameBoot: false }).run(again);
    expect(json.counts).toEqual(counts({ skipped: 0, done: 36, failed: 4 }));
    expect(stderr).toContain("28 results younger than the last checkpoint may be incomplete");
  });

  test("of a --force that was stopped: the next run goes on with it", async () => {
    const { json, stderr } = await withStateOf("forced").run([...again, "--force"]);
    expect(json.counts).toEqual(counts({ skipped: 19, done: 17, failed: 4 }));
    expect(stderr).not.toContain("error [");
  });

  test("failures, explain and ledger compact read it", async () => {
    const place = withStateOf("killed");
    const failures = await place.run(["failures", "state/Squares", "--keys"]);
    expect(failures.stdout.trim().split("\n").sort()).toEqual(["square-1", "square-2", "square-21", "square-22"]);
    const explained = await place.run(["explain", "square-1", ...task]);
    expect(explained.stdout).toContain("failed in run 20261129T012259Z-9d0e6f");
    const compacted = await place.run(["ledger", "compact", ...task]);
    expect(compacted.code, compacted.stderr).toBe(0);
    const { json } = await place.run(again);
    expect(json.counts).toEqual(counts({ skipped: 28, done: 8, failed: 4 }));
  });
});
