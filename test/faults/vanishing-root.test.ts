import { existsSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "./harness/command.js";
import { report } from "./harness/seeds.js";
import { mayMount, mountSmallDisk } from "./harness/small-disk.js";
import { openWorkplace, type Workplace } from "./harness/workplace.js";
import { atWork, checkWhole, slow } from "./scenarios/coordinators.js";
import { Job } from "./scenarios/jobs.js";

let workplace: Workplace;
beforeAll(() => {
  workplace = openWorkplace("vanishing");
});
afterAll(() => workplace[Symbol.dispose]());

const ways: Readonly<Record<string, (root: string) => Promise<void>>> = {
  // The run writes while this deletes.
  deleted: (root) =>
    until("the root is deleted", () => {
      try {
        rmSync(root, { recursive: true, force: true });
      } catch {
        return false;
      }
      return true;
    }),
  renamed: async (root) => renameSync(root, `${root}-elsewhere`),
};

function openJob(name: string): Job {
  const job = new Job(workplace.path(name), "Files", workplace.path("cache"));
  job.writeInput();
  return job;
}

describe.concurrent("a root that disappears while the run is at work", () => {
  for (const [way, vanish] of Object.entries(ways)) {
    for (const runDir of [false, true]) {
      test(`output root ${way}${runDir ? ", state elsewhere" : ""}: one message, exit 7, and it is not made again`, async () => {
        const job = openJob(`${way}-${runDir}`);
        const run = job.start({ env: slow, extra: runDir ? ["--run-dir", join(job.dir, "state")] : [] });
        await atWork(run, 10);
        await vanish(job.out);
        const goneAt = performance.now();
        const { code, stderr } = await run.ended;
        expect(code, stderr).toBe(7);
        expect(stderr.match(/^error\b.*$/gm), stderr).toHaveLength(1);
        expect(stderr).toMatch(/^error \[environment\] .*(is gone|was removed)/m);
        expect(stderr).not.toContain("ENOENT");
        expect(existsSync(job.out)).toBe(false);
        report(`output root ${way}`, { "stopped after ms": performance.now() - goneAt });
        if (way !== "renamed") return;
        renameSync(`${job.out}-elsewhere`, job.out);
        const again = await job.run({ extra: runDir ? ["--run-dir", join(job.dir, "state")] : [] });
        expect(again.code, again.stderr).toBe(3);
        checkWhole(job, job.tree());
      });
    }
  }

  // Mounting needs root on Linux.
  test.skipIf(!mayMount)("output root unmounted: exit 7, and nothing is written below the mount point", async () => {
    const job = openJob("unmounted");
    const disk = mountSmallDisk(job.out, 4096);
    const run = job.start({ env: slow });
    await atWork(run, 10);
    disk[Symbol.dispose]();
    const { code, stderr } = await run.ended;
    expect(code, stderr).toBe(7);
    expect(stderr.match(/^error\b.*$/gm), stderr).toHaveLength(1);
    expect(readdirSync(job.out)).toEqual([]);
  });

  test("input root renamed: exit 7, and no item is called failed for it", async () => {
    const job = openJob("input");
    const run = job.start({ env: slow });
    await atWork(run, 10);
    renameSync(join(job.dir, "in"), join(job.dir, "in-elsewhere"));
    const { code, stderr } = await run.ended;
    renameSync(join(job.dir, "in-elsewhere"), join(job.dir, "in"));
    expect(code, stderr).toBe(7);
    expect(stderr).toMatch(/^error \[environment\] the input root .* is gone/m);
    const again = await job.run();
    expect(again.code, again.stderr).toBe(3);
    // It fails in every run that comes to it.
    const failed = job.ledger().outcomes.filter(({ status }) => status === "failed");
    expect([...new Set(failed.map(({ key }) => key))]).toEqual(["f5.txt"]);
  });
});
