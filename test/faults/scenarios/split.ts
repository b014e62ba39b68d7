import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Ended, type Started, sleep, startCommand, until } from "../harness/command.js";
import { leftovers, readTree } from "../harness/disk.js";
import type { Dice } from "../harness/seeds.js";

export const ways = ["link", "copy", "move", "move to another disk"] as const;
export type Way = (typeof ways)[number];

const FILES = 300;
const LARGE = 3;
const LARGE_BYTES = 4 << 20;

/** Small files in forty directories, and some large enough for a kill to meet them half copied. */
export function writeInput(dir: string): void {
  for (let i = 0; i < FILES; i++) write(join(dir, `d${i % 8}`, `e${i % 5}`, `f${i}.txt`), `${i} `.repeat(1 + (i % 50)));
  for (let i = 0; i < LARGE; i++) write(join(dir, `d${i}`, `large${i}.bin`), Buffer.alloc(LARGE_BYTES, `${i}.`));
}

function write(path: string, data: string | Buffer): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, data);
}

/** A split of one input into one base, which is killed and goes on. */
export class SplitJob {
  readonly input: string;
  readonly base: string;
  readonly #args: readonly string[];
  readonly #dir: string;
  readonly #by: "link" | "copy" | "move";
  /** Key → hash of the bytes that must not be lost. */
  readonly wanted: Map<string, string>;

  constructor(dir: string, base: string, how: { way: Way; shards: readonly string[]; input: string }) {
    this.#dir = dir;
    this.base = base;
    this.#by = how.way === "link" || how.way === "copy" ? how.way : "move";
    this.input = join(dir, "in");
    cpSync(how.input, this.input, { recursive: true });
    this.wanted = readTree(this.input);
    this.#args = ["split", "in", "--into", base, "--by", this.#by, "--json", ...how.shards];
  }

  start(): Started {
    return startCommand(this.#args, { cwd: this.#dir });
  }

  addFile(key: string): void {
    write(join(this.input, key), key);
    for (const [path, hash] of readTree(dirname(join(this.input, key))))
      if (join(dirname(key), path) === key) this.wanted.set(key, hash);
  }

  shards(): Map<string, string>[] {
    if (!existsSync(this.base)) return [];
    const names = readdirSync(this.base).filter((name) => /^\d+$/.test(name));
    return names.map((name) => readTree(join(this.base, name, "in")));
  }

  /** Whole files only, each in one shard at most, and none lost; whatever was killed. */
  check(): number {
    const found = new Map<string, string>();
    for (const shard of this.shards()) {
      for (const [key, hash] of shard) {
        if (hash === "directory") continue;
        ok(!found.has(key), `${key} is in two shards`);
        strictEqual(hash, this.wanted.get(key), `${key} is not whole in its shard`);
        found.set(key, hash);
      }
    }
    const input = readTree(this.input);
    for (const [key, hash] of this.wanted)
      if (this.#by === "move" ? !found.has(key) : true)
        strictEqual(input.get(key), hash, `${key} is not whole in the input`);
    return found.size;
  }

  /** Every file in one shard, nothing else, nothing left behind. */
  checkEnd(ended: Ended): void {
    strictEqual(ended.code, 0, ended.stderr);
    strictEqual(this.check(), this.wanted.size);
    const files = [...readTree(this.input)].filter(([, hash]) => hash !== "directory");
    strictEqual(files.length, this.#by === "move" ? 0 : this.wanted.size);
    deepStrictEqual(leftovers(this.base), []);
    for (const name of readdirSync(this.base))
      if (/^\d+$/.test(name)) ok(!existsSync(join(this.base, name, "in", ".kagurazaka")), "staging is left behind");
    const { shards } = JSON.parse(ended.stdout) as { shards: { files: number }[] };
    strictEqual(
      shards.reduce((sum, { files }) => sum + files, 0),
      this.wanted.size,
      "the table's sum",
    );
  }
}

export interface SplitFigures {
  kills: number;
  /** Kills that found some files in their shards, and some not. */
  within: number;
}

/** Killed once to four times, with new files in between, then run to its end, then once more. */
export async function killSplit(dice: Dice, job: SplitJob, workMs: number): Promise<SplitFigures> {
  const figures = { kills: 0, within: 0 };
  for (let kills = dice.integer(1, 4); kills > 0; kills--) {
    const command = job.start();
    if (dice.chance(0.8)) {
      const record = join(job.base, ".kagurazaka-split.json");
      await until("it begins", () => !command.alive || existsSync(record), 30_000);
      // Where a record is there already it takes a while to begin.
      await sleep(dice.number(figures.kills === 0 ? workMs : workMs + 150));
    } else await sleep(dice.number(300));
    if (command.alive) {
      figures.kills++;
      command.kill("SIGKILL");
    }
    await command.ended;
    const found = job.check();
    if (found > 0 && found < job.wanted.size) figures.within++;
    if (dice.chance(0.5)) job.addFile(`d${dice.integer(0, 9)}/new${dice.seed}-${kills}.txt`);
  }
  job.checkEnd(await job.start().ended);
  const again = await job.start().ended;
  job.checkEnd(again);
  ok(again.stderr.includes("nothing to do"), again.stderr);
  return figures;
}

/** No room in the middle: one message, exit 7; with room the same command finishes. Returns how many files were there. */
export async function fillSplit(job: SplitJob, makeRoom: () => void): Promise<number> {
  const stopped = await job.start().ended;
  strictEqual(stopped.code, 7, stopped.stderr);
  const messages = stopped.stderr.match(/^error\b.*$/gm) ?? [];
  strictEqual(messages.length, 1, stopped.stderr);
  ok(/\[environment\].*(no space is left|ENOSPC)/.test(messages[0]!), messages[0]);
  ok(/give the same command again/.test(stopped.stderr), stopped.stderr);
  const found = job.check();
  makeRoom();
  job.checkEnd(await job.start().ended);
  return found;
}

/** How long the undisturbed work takes, from the record to the end. */
export async function measure(job: SplitJob): Promise<number> {
  const command = job.start();
  await until("it begins", () => !command.alive || existsSync(join(job.base, ".kagurazaka-split.json")), 30_000);
  const startedMs = performance.now();
  job.checkEnd(await command.ended);
  ok(readFileSync(join(job.base, ".kagurazaka-split.json"), "utf8").includes('"version": 1'));
  return performance.now() - startedMs;
}
