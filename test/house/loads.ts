import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** Which modules each thread of a command loads: ES modules by a loader hook, CommonJS by the compiler's own door. */
const recorder = `
import Module, { register } from "node:module";
import { appendFileSync } from "node:fs";
import { threadId } from "node:worker_threads";
const out = process.env.RECORD_LOADS;
const hook = \`import { appendFileSync } from "node:fs";
let thread;
export const initialize = (id) => { thread = id; };
export const load = (url, context, next) => { appendFileSync(\${JSON.stringify(out)}, thread + " " + url + "\\\\n"); return next(url, context); };\`;
// Newer Nodes run hooks in the thread itself; there, those that are registered run for all threads.
if (Module.registerHooks)
  Module.registerHooks({
    load(url, context, next) {
      appendFileSync(out, threadId + " " + url + "\\n");
      return next(url, context);
    },
  });
else register("data:text/javascript," + encodeURIComponent(hook), { data: threadId });
const compile = Module.prototype._compile;
Module.prototype._compile = function (code, name, ...rest) {
  appendFileSync(out, threadId + " file://" + name + "\\n");
  return compile.call(this, code, name, ...rest);
};
`;

export interface Loads {
  readonly status: number | null;
  readonly stderr: string;
  /** Packages loaded in the main thread, and in all others together. */
  readonly main: ReadonlySet<string>;
  readonly workers: ReadonlySet<string>;
  /** Files of ours, from the root of the build. */
  readonly mainFiles: readonly string[];
  readonly workerFiles: readonly string[];
}

export function loadsOf(args: readonly string[], cwd: string, cacheDir: string): Loads {
  const dir = mkdtempSync(join(tmpdir(), "kagurazaka-loads-"));
  try {
    const [script, out] = [join(dir, "recorder.mjs"), join(dir, "loads")];
    writeFileSync(script, recorder);
    writeFileSync(out, "");
    const bin = new URL("../../src/bin.cjs", import.meta.url).pathname;
    const env = {
      ...process.env,
      RECORD_LOADS: out,
      KAGURAZAKA_CACHE_DIR: cacheDir,
      NODE_OPTIONS: `--import ${pathToFileURL(script).href}`,
    };
    const { status, stderr } = spawnSync(process.execPath, [bin, ...args], { cwd, env, encoding: "utf8" });
    const lines = readFileSync(out, "utf8")
      .trim()
      .split("\n")
      .map((line) => ({ main: line.startsWith("0 "), url: line.slice(line.indexOf(" ") + 1) }));
    const packages = (main: boolean): Set<string> =>
      new Set(lines.flatMap((line) => (line.main === main ? (packageOf(line.url) ?? []) : [])));
    const files = (inMain: boolean): string[] => {
      const urls = lines.flatMap(({ main, url }) => (main === inMain ? [url] : []));
      const ours = urls.flatMap((url) => /\/dist\/((?:src|backbones|templates|tasks)\/.*)$/.exec(url)?.[1] ?? []);
      return [...new Set(ours)].sort();
    };
    return {
      status,
      stderr,
      main: packages(true),
      workers: packages(false),
      mainFiles: files(true),
      workerFiles: files(false),
    };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function packageOf(url: string): string | undefined {
  const at = url.lastIndexOf("/node_modules/");
  if (at < 0) return undefined;
  const [scope, name] = url.slice(at + "/node_modules/".length).split("/");
  return scope!.startsWith("@") ? `${scope}/${name}` : scope;
}
