import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCommand, type Started, sleep, startCommand, until } from "./harness/command.js";
import { type Dice, overSeeds, report, seedsFrom } from "./harness/seeds.js";
import { openWorkplace, type Workplace } from "./harness/workplace.js";

/** `@map` that is killed at random moments ends with the bytes of an undisturbed run. */

const code = `
export const clean = (row, ctx) => {
  if (row.id % 7 === 0) return null;
  if (row.id % 1000 === 1) throw new Error("a bad row");
  let n = 0;
  for (let i = 0; i < 400; i++) n = (n * 31 + row.text.charCodeAt(i % row.text.length)) % 65_521;
  return { ...row, n, r: ctx.random() };
};
`;

let workplace: Workplace;
let reference: ReadonlyMap<string, string>;
beforeAll(async () => {
  workplace = openWorkplace("map");
  const lines = (from: number): string =>
    Array.from(
      { length: 12_000 },
      (_, i) => `${JSON.stringify({ id: from + i, text: `row ${from + i} — ${"ä".repeat(i % 90)}` })}\n`,
    ).join("");
  workplace.write({
    "map.mjs": code,
    "in/a.jsonl": lines(0),
    "in/b/c.jsonl": lines(12_000),
    "in/d.jsonl": lines(24_000),
  });
  const { code: exit, stderr } = await runCommand(wordsFor("reference"), { cwd: workplace.dir });
  expect(exit, stderr).toBe(0);
  reference = treeOf("reference");
});
afterAll(() => workplace[Symbol.dispose]());

const wordsFor = (out: string, more: readonly string[] = []): string[] => [
  "@map",
  "map.mjs#clean",
  "--in",
  "in",
  "--out",
  out,
  "--slice-bytes",
  "100KB",
  "--on-error",
  "reject",
  "--num_process",
  "2",
  ...more,
];

/** Everything but the state: relative path → hash. */
function treeOf(out: string): Map<string, string> {
  const root = join(workplace.dir, out);
  const names = readdirSync(root, { recursive: true, encoding: "utf8" }).filter(
    (name) => !name.startsWith(".kagurazaka") && statSync(join(root, name)).isFile(),
  );
  return new Map(
    names.sort().map((name) => [
      name,
      createHash("sha256")
        .update(readFileSync(join(root, name)))
        .digest("hex"),
    ]),
  );
}

async function killedAndResumed(dice: Dice, isolation: string): Promise<number> {
  const out = `out-${isolation}-${dice.name}`;
  const words = wordsFor(out, ["--isolation", isolation]);
  let kills = 0;
  for (let left = dice.integer(1, 3); left > 0; left--) {
    const command: Started = startCommand(words, { cwd: workplace.dir });
    if (dice.chance(0.7)) await until("the first part", () => !command.alive || partsOf(out) > 0, 30_000);
    await sleep(dice.number(500));
    if (command.alive) kills++;
    command.kill("SIGKILL");
    await command.ended;
    for (const [name, hash] of partTree(out)) expect(hash, `${name} is there and not whole`).toBe(reference.get(name));
  }
  const { code: exit, stderr } = await runCommand(words, { cwd: workplace.dir });
  expect(exit, stderr).toBe(0);
  expect(treeOf(out)).toEqual(reference);
  return kills;
}

const partTree = (out: string): [string, string][] => {
  try {
    return [...treeOf(out)].filter(([name]) => /^(?:train-|_parts\/|_rejected\/)/.test(name));
  } catch {
    return [];
  }
};
const partsOf = (out: string): number => partTree(out).length;

test.each([
  ["thread", 24],
  ["process", 20],
])(
  "SIGKILL at random moments, each worker a %s",
  async (isolation, count) => {
    const seeds = seedsFrom(1, count);
    const kills = (await overSeeds(seeds, 2, (dice) => killedAndResumed(dice, isolation))).reduce((a, b) => a + b, 0);
    report(`@map killed, ${isolation}`, { seeds: seeds.length, kills, files: reference.size });
    expect(kills).toBeGreaterThan(count * 0.8);
  },
  300_000,
);
