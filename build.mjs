// npm run build: makes dist/ of the sources, and does nothing where it is made of them already. The tests that run the built
// product do the same before they start (test/support/current-build.ts), so none of them runs an old build.
//
// tsc makes one file of each source. The two doors that every worker opens are then bundled into one file each, for what a
// start costs is the number of files. They are what a task file imports as "kagurazaka", and what a worker runs. What is
// loaded only when it is needed stays where tsc has put it.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const root = dirname(fileURLToPath(import.meta.url));
const dist = join(root, "dist");
const buildInfo = "dist/.tsbuildinfo";
const stamp = join(dist, ".stamp");

if (!isCurrent()) {
  await takeTurn();
  if (!isCurrent()) await make();
}

async function make() {
  rmSync(stamp, { force: true });
  // Taken first: a source that is edited during the build is not in it, and the next build sees that.
  const inputs = hashInputs();
  compile();
  // tsc does not look whether what it has made before is still there.
  if (compareOutputs().missing.length > 0) {
    rmSync(join(root, buildInfo));
    compile();
  }
  await bundleDoors();
  for (const file of compareOutputs().orphaned) rmSync(join(dist, file));
  writeFileSync(stamp, `${inputs} ${hash([buildInfo])}`);
}

/** Whether the last build was of these inputs, nobody has run tsc since, and the files are those of these sources. */
function isCurrent() {
  if (!existsSync(stamp) || !existsSync(join(root, buildInfo))) return false;
  if (readFileSync(stamp, "utf8") !== `${hashInputs()} ${hash([buildInfo])}`) return false;
  const { missing, orphaned } = compareOutputs();
  return missing.length === 0 && orphaned.length === 0;
}

function listSources() {
  return ["src", "backbones", "templates", "tasks"]
    .flatMap((dir) => readdirSync(join(root, dir), { recursive: true }).map((name) => join(dir, name)))
    .filter((name) => /\.c?ts$/.test(name))
    .sort();
}

/** package.json, because it says which tsc and which esbuild. */
function hashInputs() {
  const others = ["build.mjs", "package.json", "tsconfig.json", "tsconfig.build.json"];
  return hash([...listSources(), ...others]);
}

function hash(names) {
  const all = createHash("sha256");
  for (const name of names)
    all
      .update(`${name}\0`)
      .update(readFileSync(join(root, name)))
      .update("\0");
  return all.digest("hex");
}

/** Outputs that are not there, and those whose source is gone. Names with a leading dot are the build's own. */
function compareOutputs() {
  const wanted = listSources().flatMap((source) => {
    const output = source.replace(/ts$/, "js");
    return [output, `${output}.map`, source.replace(/(c?ts)$/, "d.$1")];
  });
  const found = readdirSync(dist, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(dist, join(entry.parentPath, entry.name)))
    .filter((name) => !name.startsWith("."));
  return {
    missing: wanted.filter((name) => !found.includes(name)),
    orphaned: found.filter((name) => !wanted.includes(name)),
  };
}

/** On an error, tsc has told it. */
function compile() {
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const { status } = spawnSync(process.execPath, [tsc, "-p", join(root, "tsconfig.build.json")], { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

/**
 * Waits until no other process builds. Every process has a ticket, a file named by its pid, and builds when it sees no
 * ticket of another living process; otherwise it takes its own back for a moment. A ticket of a dead process is removed.
 */
async function takeTurn() {
  const dir = join(dist, ".building");
  const mine = String(process.pid);
  mkdirSync(dir, { recursive: true });
  process.on("exit", () => rmSync(join(dir, mine), { force: true }));
  for (const deadline = Date.now() + 300_000; ; ) {
    writeFileSync(join(dir, mine), "");
    const others = readdirSync(dir).filter((pid) => pid !== mine);
    for (const pid of others.filter((pid) => !isAlive(pid))) rmSync(join(dir, pid), { force: true });
    const builder = others.find(isAlive);
    if (builder === undefined) return;
    if (Date.now() > deadline) throw new Error(`process ${builder} has been building for 5 min; if not, remove ${dir}`);
    rmSync(join(dir, mine));
    await setTimeout(50 + 100 * Math.random());
  }
}

function isAlive(pid) {
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

async function bundleDoors() {
  const { build } = await import("esbuild");
  for (const door of ["src/index", "src/runner/worker/main"]) {
    await build({
      entryPoints: [join(root, `${door}.ts`)],
      outfile: join(root, `dist/${door}.js`),
      allowOverwrite: true,
      bundle: true,
      format: "esm",
      platform: "node",
      target: "node20",
      packages: "external",
      sourcemap: true,
      sourcesContent: false,
      logLevel: "warning",
      plugins: [seenFrom(dirname(join(root, door)))],
    });
  }
}

/** What modules say of places, as seen from where they end up: `import("./jsonl.js")` and `import.meta.url`. */
function seenFrom(dir) {
  const path = (absolute) => {
    const seen = relative(dir, absolute);
    return seen.startsWith(".") ? seen : `./${seen}`;
  };
  return {
    name: "seen-from",
    setup(esbuild) {
      esbuild.onResolve({ filter: /^\./ }, ({ kind, path: said, resolveDir }) =>
        kind === "dynamic-import" ? { path: path(resolve(resolveDir, said)), external: true } : undefined,
      );
      esbuild.onLoad({ filter: /\.ts$/ }, async ({ path: file }) => {
        const text = await readFile(file, "utf8");
        const own = `new URL(${JSON.stringify(path(file.replace(/\.ts$/, ".js")))}, import.meta.url).href`;
        return { contents: text.replaceAll("import.meta.url", own), loader: "ts" };
      });
    },
  };
}
