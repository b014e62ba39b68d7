import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { report } from "./harness/seeds.js";
import { mayMount, mountSmallDisk, pretendSmallDisk } from "./harness/small-disk.js";
import { openWorkplace, type Workplace } from "./harness/workplace.js";
import { fillAndResume } from "./scenarios/full-disk.js";
import { Job } from "./scenarios/jobs.js";

let workplace: Workplace;
let reference: Job;
beforeAll(async () => {
  workplace = openWorkplace("disk");
  reference = openJob("reference");
  await reference.run({ env: { FAULTS_SLEEP_MS: "1" } });
});
afterAll(() => workplace[Symbol.dispose]());

function openJob(name: string): Job {
  const job = new Job(workplace.path(name), "LedgerFiles", workplace.path("cache"));
  job.writeInput(120);
  return job;
}

const disks = [
  // The files of a run: on tmpfs each takes a page at least.
  { name: "a small tmpfs", open: mountSmallDisk, skip: !mayMount, outputKilobytes: 200, ledgerKilobytes: [20, 32] },
  {
    name: "writes that fail with ENOSPC",
    open: pretendSmallDisk,
    skip: false,
    outputKilobytes: 60,
    ledgerKilobytes: [1, 6, 12],
  },
];

describe.each(disks)("$name", ({ open, skip, name, outputKilobytes, ledgerKilobytes }) => {
  // Mounting needs root on Linux.
  test.skipIf(skip)("output root full: one message, exit 7; with room the same command finishes", async () => {
    const job = openJob(`output-${name}`);
    using disk = open(job.out, outputKilobytes);
    const figures = await fillAndResume(job, disk, reference.tree(), { roomKilobytes: 8192 });
    expect(figures.finishedBefore).toBeGreaterThan(0);
    report(`output root full (${name})`, { ...figures });
  });

  test.skipIf(skip).each(ledgerKilobytes)(
    "run directory full at %i KB: one message, exit 7; nothing recorded is lost",
    async (kilobytes) => {
      const job = openJob(`ledger-${kilobytes}-${name}`);
      using disk = open(join(job.dir, "state"), kilobytes);
      const figures = await fillAndResume(job, disk, reference.tree(), {
        extra: ["--run-dir", disk.dir],
        stateDir: join(disk.dir, job.kind),
        roomKilobytes: 8192,
      });
      report(`run directory full at ${kilobytes} KB (${name})`, { ...figures });
    },
  );
});
