// npm run build: builds dist/ unless it is up to date. Tests of the built product do the same before they start
// (test/support/current-build.ts), so that none of them runs an old build.
//
// tsc compiles each source to one file. Two modules that every worker loads are then bundled into one file each, because the
// time to start depends on the number of files: what a task file imports as "kagurazaka", and the worker's main module.
// Modules behind a dynamic import stay files of their own.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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
  // Hashed first: where a source is edited during the build, the next build compiles it again.
  const inputs = hashInputs();
  compile();
  for (const file of listCopied()) {
    mkdirSync(dirname(join(dist, file)), { recursive: true });
    copyFileSync(join(root, file), join(dist, file));
  }
  // tsc does not check whether its earlier outputs still exist.
  if (compareOutputs().missing.length > 0) {
    rmSync(join(root, buildInfo));
    compile();
  }
  await bundleDoors();
  for (const file of compareOutputs().orphaned) rmSync(join(dist, file));
  writeFileSync(stamp, `${inputs} ${hash([buildInfo])}`);
}

/** Whether the last build had these inputs, tsc has not run since, and all outputs exist. */
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

/** What browsers get from the dashboard: copied as it is. */
function listCopied() {
  return readdirSync(join(root, "src"), { recursive: true })
    .map((name) => join("src", name))
    .filter((name) => /\.(?:html|css|js|svg)$/.test(name))
    .sort();
}

/** package.json is an input, because it has the versions of tsc and esbuild. */
function hashInputs() {
  const others = ["build.mjs", "package.json", "tsconfig.json", "tsconfig.build.json"];
  return hash([...listSources(), ...listCopied(), ...others]);
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

/** Missing outputs, and outputs without a source. Names with a leading dot belong to the build. */
function compareOutputs() {
  const compiled = listSources().flatMap((source) => {
    const output = source.replace(/ts$/, "js");
    return [output, `${output}.map`, source.replace(/(c?ts)$/, "d.$1")];
  });
  const wanted = [...compiled, ...listCopied()];
  const found = readdirSync(dist, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(dist, join(entry.parentPath, entry.name)))
    .filter((name) => !name.startsWith("."));
  return {
    missing: wanted.filter((name) => !found.includes(name)),
    orphaned: found.filter((name) => !wanted.includes(name)),
  };
}

/** Exits on an error, which tsc has printed. */
function compile() {
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const { status } = spawnSync(process.execPath, [tsc, "-p", join(root, "tsconfig.build.json")], { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

/**
 * Waits until no other process builds. Each process makes a ticket, a file named after its pid, and builds when no other living
 * process has one; otherwise it removes its own for a moment. Tickets of dead processes are removed.
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

/** Makes `import("./jsonl.js")` and `import.meta.url` of bundled modules relative to the bundle. */
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
