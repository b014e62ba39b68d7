import { rmSync } from "node:fs";
import { join } from "node:path";
import { createDice, type Dice, report } from "../harness/seeds.js";
import { pretendSmallDisk } from "../harness/small-disk.js";
import { fillAndResume } from "./full-disk.js";
import { Job } from "./jobs.js";
import {
  type KillFigures,
  killAndResume,
  killForced,
  makeReferences,
  type References,
  sumOf,
} from "./kill-and-resume.js";

export interface SoakOptions {
  readonly dir: string;
  readonly minutes: number;
  readonly firstSeed: number;
  readonly count: number;
  readonly atOnce: number;
}

const none: KillFigures = { kills: 0, late: 0, started: 0, redone: 0 };

/** Seed after seed, half of them plain kills, a third killed `--force`, the others full disks. Returns how many failed. */
export async function soak({ dir, minutes, firstSeed, count, atOnce }: SoakOptions): Promise<number> {
  const references = await makeReferences(dir);
  const deadline = performance.now() + minutes * 60_000;
  const scenarios = [killAndResume, killForced, killAndResume, killForced, killAndResume, fillUp];
  const totals = new Map<string, { seeds: number; figures: KillFigures }>();
  let next = firstSeed;
  let failed = 0;
  const lane = async (): Promise<void> => {
    while (performance.now() < deadline && next < firstSeed + count) {
      const seed = next++;
      const scenario = scenarios[seed % scenarios.length]!;
      const dice = createDice(seed);
      try {
        const figures = await scenario(dice, references);
        const total = totals.get(scenario.name) ?? { seeds: 0, figures: none };
        totals.set(scenario.name, { seeds: total.seeds + 1, figures: sumOf([total.figures, figures]) });
        for (const name of ["kill", "force", "full", "cache"]) {
          rmSync(join(dir, `${name}-${dice.name}`), { recursive: true, force: true });
        }
      } catch (error) {
        failed++;
        process.stderr.write(`seed ${seed} (${scenario.name}): ${(error as Error).stack}\n`);
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  for (const [name, { seeds, figures }] of totals) report(name, { seeds, ...figures });
  report("soak", { seeds: next - firstSeed, failed, minutes });
  return failed;
}

/** The run directory fills up at any byte: at the start, in the ledger, in the files that sum the run up. */
async function fillUp(dice: Dice, references: References): Promise<KillFigures> {
  const job = new Job(join(references.dir, `full-${dice.name}`), "LedgerFiles", join(references.dir, "cache"));
  job.writeInput();
  const stateDir = join(job.dir, "state");
  // An undisturbed run needs about 11 KB.
  using disk = pretendSmallDisk(stateDir, dice.integer(500, 8500) / 1024);
  const tree = references.trees.get("LedgerFiles 1")!;
  const { finishedBefore } = await fillAndResume(job, disk, tree, {
    extra: ["--run-dir", stateDir],
    stateDir: join(stateDir, job.kind),
    roomKilobytes: 8192,
  });
  return { ...none, started: finishedBefore };
}
