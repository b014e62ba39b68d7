import { ok, strictEqual } from "node:assert";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { sleep, until } from "../harness/command.js";
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
  for (const generation of [2, 1]) {
    for (const kind of kinds) {
      const job = new Job(join(dir, `reference-${kind}-${generation}`), kind, join(dir, "cache"));
      job.writeInput();
      const { code, stderr } = await job.run({ generation, concurrency: 16, env: { FAULTS_SLEEP_MS: "1" } });
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

  /** A third at any moment of the first second, the others in the 400 ms after the first item has begun. */
  async killed(options: CommandOptions): Promise<void> {
    const finished = this.finished(options);
    const command = this.#job.start(this.#varied(options));
    const atWork = this.#dice.chance(0.65);
    if (atWork) await until("the first item begins", () => !command.alive || existsSync(command.notes), 30_000);
    await sleep(this.#dice.number(atWork ? 400 : 1000));
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
    if (epoch > 0) return finished;
    // It opens an epoch, in which nothing is done yet.
    if (extra.includes("--force")) return new Set();
    if (!this.#job.byExistence) return finished;
    const tree = this.#job.tree();
    for (const key of finished)
      if (!tree.has(this.#job.outputOf(key)) && !isFiltered(ledger, key)) finished.delete(key);
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
export async function killAndResume(
  dice: Dice,
  references: References,
  options: CommandOptions = {},
): Promise<KillFigures> {
  const kind = jobKinds[dice.seed % jobKinds.length]!;
  // Some with a cold cache: compiling is killed, too.
  const cache = join(references.dir, dice.chance(0.15) ? `cache-${dice.name}` : "cache");
  const job = new Job(join(references.dir, `kill-${dice.name}`), kind, cache);
  job.writeInput();
  const ordeal = new Ordeal(job, dice);
  const kills = dice.pick([1, 1, 1, 2, 2, 3]);
  for (let i = 0; i < kills; i++) await ordeal.killed(options);
  await ordeal.final(options);
  checkEnd(job, references.trees.get(`${kind} 1`)!);
  if (dice.chance(0.3)) await ordeal.final(options);
  return ordeal.figures;
}

/** A finished job that is done again with `--force`, killed once or twice; some go on without saying `--force` again. */
export async function killForced(dice: Dice, references: References): Promise<KillFigures> {
  const kind = jobKinds[dice.seed % jobKinds.length]!;
  const job = references.jobs.get(kind)!.copyTo(join(references.dir, `force-${dice.name}`));
  const ordeal = new Ordeal(job, dice);
  const forced = { generation: 2, extra: ["--force"] };
  const plain = { generation: 2 };
  await ordeal.killed(forced);
  if (dice.chance(0.4)) await ordeal.killed(dice.chance(0.5) ? forced : plain);
  const goesOnPlain = dice.chance(0.5);
  const opened = job.ledger().opened.length > 0;
  await ordeal.final(goesOnPlain ? plain : forced);
  // Killed before it could say that it forces anything: then a plain command has nothing to do.
  const generation = goesOnPlain && !opened ? 1 : 2;
  checkEnd(job, references.trees.get(`${kind} ${generation}`)!);
  if (generation === 2) checkEpoch(job);
  return ordeal.figures;
}

/** One item fails for good, so the epoch stays open: repeating `--force` goes on with it. */
function checkEpoch(job: Job): void {
  const { outcomes, opened } = job.ledger();
  strictEqual(opened.join(), "1", "epochs opened");
  const doneIn = (epoch: number): string[] =>
    outcomes
      .filter((one) => one.status === "done" && one.epoch === epoch)
      .map(({ key }) => key)
      .sort();
  strictEqual(doneIn(1).join("\n"), doneIn(0).join("\n"), "every key is done once in the new epoch");
}
