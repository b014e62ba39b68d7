import { ok, strictEqual } from "node:assert";
import { join } from "node:path";
import { sleep } from "../harness/command.js";
import { doneTwice, readNotes } from "../harness/disk.js";
import type { Dice } from "../harness/seeds.js";
import { type CommandOptions, Job, type JobKind, jobKinds } from "./jobs.js";

/** What undisturbed runs make: by kind and generation. */
export interface References {
  readonly dir: string;
  readonly jobs: ReadonlyMap<JobKind, Job>;
  readonly trees: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

export async function makeReferences(dir: string, kinds: readonly JobKind[] = jobKinds): Promise<References> {
  const jobs = new Map<JobKind, Job>();
  const trees = new Map<string, ReadonlyMap<string, string>>();
  for (const kind of kinds) {
    for (const generation of [2, 1]) {
      const job = new Job(join(dir, `reference-${kind}-${generation}`), kind, join(dir, "cache"));
      job.writeInput();
      const { code, stderr } = await job.run({ generation });
      strictEqual(code, 3, `the undisturbed run of ${kind}: ${stderr}`);
      strictEqual(job.leftovers().join(), "");
      jobs.set(kind, job);
      trees.set(`${kind} ${generation}`, job.tree());
    }
  }
  return { dir, jobs, trees };
}

export interface KillFigures {
  kills: number;
  /** Kills that found nothing to kill: the run was over. */
  late: number;
  started: number;
  redone: number;
}

export const sumOf = (all: readonly KillFigures[]): KillFigures =>
  all.reduce((sum, one) => ({
    kills: sum.kills + one.kills,
    late: sum.late + one.late,
    started: sum.started + one.started,
    redone: sum.redone + one.redone,
  }));

/**
 * A job that is killed at random moments and goes on. After each kill it is written down which keys were started and what
 * is finished by what lies on the disk; the next run may start nothing that is finished, and no more than that again.
 */
class Ordeal {
  readonly figures: KillFigures = { kills: 0, late: 0, started: 0, redone: 0 };
  readonly #job: Job;
  readonly #dice: Dice;
  readonly #everStarted = new Set<string>();

  constructor(job: Job, dice: Dice) {
    this.#job = job;
    this.#dice = dice;
  }

  async killed(options: CommandOptions, withinMs: number): Promise<void> {
    const finished = this.finished(options);
    const command = this.#job.start(this.#varied(options));
    await sleep(this.#dice.number(withinMs));
    if (command.alive) {
      this.figures.kills++;
      command.kill("SIGKILL");
    }
    const { signal, code, stderr } = await command.ended;
    if (signal === null) {
      this.figures.late++;
      strictEqual(code, 3, stderr);
    }
    this.#check(readNotes(command.notes), finished);
  }

  async final(options: CommandOptions): Promise<void> {
    const finished = this.finished(options);
    const { code, stderr, starts } = await this.#job.run(this.#varied(options));
    strictEqual(code, 3, stderr);
    this.#check(starts, finished);
  }

  /** What the next run has to leave alone, judged from outside. */
  finished({ extra = [] }: CommandOptions): Set<string> {
    const ledger = this.#job.ledger();
    const epoch = Math.max(0, ...ledger.opened);
    const finished = ledger.finished(epoch);
    if (epoch > 0 || extra.includes("--force")) return finished;
    if (!this.#job.byExistence) return finished;
    const tree = this.#job.tree();
    for (const key of finished) if (!tree.has(this.#job.outputOf(key)) && !isFiltered(ledger, key)) finished.delete(key);
    for (const path of tree.keys()) {
      const key = path.replace(/\.out$|\/meta\.json$/, "");
      if (this.#job.outputOf(key) === path) finished.add(key);
    }
    return finished;
  }

  #varied(options: CommandOptions): CommandOptions {
    return { numProcess: this.#dice.integer(1, 3), concurrency: this.#dice.pick([1, 2, 4]), ...options };
  }

  #check(starts: readonly string[], finished: ReadonlySet<string>): void {
    const started = new Set(starts);
    this.figures.started += started.size;
    for (const key of started) {
      ok(!finished.has(key), `${key} was finished and was started again`);
      if (this.#everStarted.has(key)) this.figures.redone++;
      this.#everStarted.add(key);
    }
  }
}

const isFiltered = (ledger: ReturnType<Job["ledger"]>, key: string): boolean =>
  ledger.outcomes.some((outcome) => outcome.key === key && outcome.status === "filtered");

function checkEnd(job: Job, tree: ReadonlyMap<string, string>): void {
  strictEqual(describe(job.tree()), describe(tree), "the output tree differs from an undisturbed run's");
  strictEqual(job.leftovers().join("\n"), "", "something is left behind");
  strictEqual(doneTwice(job.ledger().outcomes).join("\n"), "", "done twice");
}

const describe = (tree: ReadonlyMap<string, string>): string =>
  [...tree].map(([path, hash]) => `${path} ${hash}`).join("\n");

/** Killed once to three times, then run to its end; then once more, where nothing may start but what has failed. */
export async function killAndResume(dice: Dice, references: References): Promise<KillFigures> {
  const kind = jobKinds[dice.seed % jobKinds.length]!;
  // Some with a cold cache: compiling is killed, too.
  const cache = join(references.dir, dice.chance(0.15) ? `cache-${dice.seed}` : "cache");
  const job = new Job(join(references.dir, `kill-${dice.seed}`), kind, cache);
  job.writeInput();
  const ordeal = new Ordeal(job, dice);
  const kills = dice.pick([1, 1, 1, 2, 2, 3]);
  for (let i = 0; i < kills; i++) await ordeal.killed({}, 1000);
  await ordeal.final({});
  checkEnd(job, references.trees.get(`${kind} 1`)!);
  if (dice.chance(0.3)) await ordeal.final({});
  return ordeal.figures;
}

/** A finished job that is done again with `--force`, killed once or twice; some go on without saying `--force` again. */
export async function killForced(dice: Dice, references: References): Promise<KillFigures> {
  const kind = jobKinds[dice.seed % jobKinds.length]!;
  const job = references.jobs.get(kind)!.copyTo(join(references.dir, `force-${dice.seed}`));
  const ordeal = new Ordeal(job, dice);
  const forced = { generation: 2, extra: ["--force"] };
  const plain = { generation: 2 };
  await ordeal.killed(forced, 1000);
  if (dice.chance(0.4)) await ordeal.killed(dice.chance(0.5) ? forced : plain, 1000);
  const goesOnPlain = dice.chance(0.5);
  const opened = job.ledger().opened.length > 0;
  const complete = isComplete(job);
  await ordeal.final(goesOnPlain ? plain : forced);
  // Killed before it could say that it forces anything, or redone in full before the kill came and then once more.
  const generation = goesOnPlain && !opened ? 1 : 2;
  checkEnd(job, references.trees.get(`${kind} ${generation}`)!);
  if (generation === 2) checkEpochs(job, complete && !goesOnPlain);
  return ordeal.figures;
}

function isComplete(job: Job): boolean {
  return job.ledger().completed.length > 0;
}

function checkEpochs(job: Job, twoEpochs: boolean): void {
  const { outcomes, opened } = job.ledger();
  strictEqual(new Set(opened).size, twoEpochs ? 2 : 1, `epochs opened: ${opened.join()}`);
  const epoch = Math.max(...opened);
  const done = new Set(outcomes.filter((one) => one.status === "done" && one.epoch === 0).map(({ key }) => key));
  const again = outcomes.filter((one) => one.status === "done" && one.epoch === epoch);
  strictEqual(again.length, done.size, "every key is done once in the new epoch");
}
