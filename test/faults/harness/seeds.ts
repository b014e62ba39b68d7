import { createRandom } from "../../../src/base/random.js";

/** Numbers and choices of one seed, the same on every machine. */
export interface Dice {
  readonly seed: number;
  /** For directories: the seed and the number of the try. What a try leaves when its test runs out of time is in no other's way. */
  readonly name: string;
  number(below: number): number;
  integer(from: number, to: number): number;
  chance(probability: number): boolean;
  pick<T>(choices: readonly T[]): T;
}

let tries = 0;

export function createDice(seed: number): Dice {
  const random = createRandom(`faults ${seed}`);
  return {
    seed,
    name: `${seed}.${tries++}`,
    number: (below) => random() * below,
    integer: (from, to) => from + Math.floor(random() * (to - from + 1)),
    chance: (probability) => random() < probability,
    pick: (choices) => choices[Math.floor(random() * choices.length)]!,
  };
}

/** Runs `work` over all seeds, a few at a time; every failure names its seed, and all are waited for. */
export async function overSeeds<T>(
  seeds: readonly number[],
  atOnce: number,
  work: (dice: Dice) => Promise<T>,
): Promise<T[]> {
  const results: T[] = [];
  const failures: string[] = [];
  const left = [...seeds];
  const lane = async (): Promise<void> => {
    for (let seed = left.shift(); seed !== undefined; seed = left.shift()) {
      try {
        results.push(await work(createDice(seed)));
      } catch (error) {
        failures.push(`seed ${seed}: ${(error as Error).message}`);
        if (failures.length >= 3) left.length = 0;
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  if (failures.length > 0) throw new Error(failures.join("\n\n"));
  return results;
}

export const seedsFrom = (first: number, count: number): number[] => Array.from({ length: count }, (_, i) => first + i);

/** More seeds than CI has time for: as many as KAGURAZAKA_SEEDS says, from the same first one. */
export function seedsByHand(seeds: readonly number[]): readonly number[] {
  const count = Number(process.env.KAGURAZAKA_SEEDS ?? 0);
  return count > 0 ? seedsFrom(seeds[0]!, count) : seeds;
}

/** Prints one line of figures under a test. */
export function report(name: string, figures: Readonly<Record<string, number | string>>): void {
  const text = Object.entries(figures).map(
    ([what, value]) => `${what} ${typeof value === "number" ? Math.round(value) : value}`,
  );
  process.stderr.write(`  figures | ${name}: ${text.join(", ")}\n`);
}
