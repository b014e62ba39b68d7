import { readdirSync, readFileSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { doneTwice } from "./harness/disk.js";
import { overSeeds, report } from "./harness/seeds.js";
import { openWorkplace, type Workplace } from "./harness/workplace.js";
import { Job } from "./scenarios/jobs.js";

let workplace: Workplace;
let finished: Job;
let bytes: Buffer;
beforeAll(async () => {
  workplace = openWorkplace("cut");
  finished = new Job(workplace.path("finished"), "LedgerFiles", workplace.path("cache"));
  finished.writeInput(20);
  await finished.run({ env: { FAULTS_SLEEP_MS: "2" } });
  bytes = readFileSync(segmentOf(finished));
});
afterAll(() => workplace[Symbol.dispose]());

function segmentOf(job: Job): string {
  const dir = join(job.stateDir, "ledger");
  const [name] = readdirSync(dir);
  return join(dir, name!);
}

/** In the last two lines, one of which may hold a stack, at the ends of lines, and a few between. Unit tests cut at every byte. */
function positions(): number[] {
  const lastTwo = bytes.lastIndexOf(0x0a, bytes.lastIndexOf(0x0a, bytes.length - 2) - 1) + 1;
  const header = bytes.indexOf(0x0a);
  const between = (from: number, to: number, count: number): number[] =>
    Array.from({ length: count }, (_, i) => Math.floor(from + ((to - from) * i) / count));
  const ends = [1, header - 1, header, header + 1, bytes.length - 2, bytes.length - 1, bytes.length];
  return [...new Set([...between(0, bytes.length, 12), ...ends, ...between(lastTwo, bytes.length, 30)])];
}

test("a ledger cut at any byte: the command finishes, and does again what the cut has lost and nothing else", async () => {
  const cuts = positions();
  const redone = await overSeeds(cuts, 3, async ({ seed: position, name }) => {
    const job = finished.copyTo(workplace.path(`cut-${name}`));
    truncateSync(segmentOf(job), position);
    const kept = job.ledger();
    // What always fails is tried again whatever the ledger says; its output is never there.
    const lost = finished
      .ledger()
      .outcomes.map(({ key }) => key)
      .filter((key) => !kept.finished().has(key));
    const { code, stderr, starts } = await job.run({
      numProcess: position % 4 === 0 ? 1 : 0,
      env: { FAULTS_SLEEP_MS: "1" },
    });
    expect(code, stderr).toBe(3);
    expect([...new Set(starts)].sort()).toEqual(lost.sort());
    expect(job.tree()).toEqual(finished.tree());
    expect(doneTwice(job.ledger().outcomes)).toEqual([]);
    expect(stderr).not.toContain("damaged");
    return lost.length;
  });
  report("ledger cut", {
    positions: cuts.length,
    bytes: bytes.length,
    redone: redone.reduce((sum, one) => sum + one, 0),
  });
}, 120_000);
