// npm run soak -- [--minutes 10] [--seed 1000] [--at-once 2] [--product DIR]
//
// Kills and resumes over fresh seeds until the time is up; the scenarios are those of the tests. A failure prints its
// seed: the same seed makes the same choices again (--seed N --count 1), though not the same moments.
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { build } from "esbuild";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    seed: { type: "string", default: "1000" },
    count: { type: "string" },
    "at-once": { type: "string", default: "2" },
    product: { type: "string" },
  },
});
const numbers = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, Number(value)]));
for (const name of ["minutes", "seed", "at-once"])
  if (!(numbers[name] >= 0)) throw new Error(`--${name} wants a number`);
if (values.product !== undefined) process.env.KAGURAZAKA_UNDER_TEST = values.product;

const dir = realpathSync(mkdtempSync(join(tmpdir(), "kagurazaka-soak-")));
try {
  await build({
    entryPoints: [join(import.meta.dirname, "scenarios", "soak.ts")],
    outfile: join(dir, "soak.mjs"),
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    packages: "external",
    logLevel: "warning",
  });
  const { soak } = await import(pathToFileURL(join(dir, "soak.mjs")).href);
  const failed = await soak({
    dir,
    minutes: numbers.minutes,
    firstSeed: numbers.seed,
    count: values.count === undefined ? Number.POSITIVE_INFINITY : numbers.count,
    atOnce: Math.max(1, numbers["at-once"]),
  });
  process.exitCode = failed === 0 ? 0 : 1;
} finally {
  if (process.exitCode === 0) rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  else process.stderr.write(`what the failed seeds left lies in ${dir}\n`);
}
