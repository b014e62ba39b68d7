import { type ChildProcess, spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { afterAll } from "vitest";
import { readSampleJournal, type SampleEvent, type SampleItem } from "../../src/testing/sample-task.js";

const repository = new URL("../../", import.meta.url).pathname;
const bin = join(repository, "src/bin.cjs");

/** The task that does what its items say (`src/testing/sample-task.ts`), as it was built. */
export const sampleTask = join(repository, "dist/src/testing/sample-task.js");

/** A task file under `test/fixtures/tasks`. */
export const taskFile = (name: string): string => join(repository, "test/fixtures/tasks", name);

/** The counts of a run, those that are not named being 0. */
export const counts = (some: Partial<Counts>): Counts => {
  const all = { done: 0, skipped: 0, filtered: 0, failed: 0, cancelled: 0, ...some };
  return { total: Object.values(all).reduce((sum, count) => sum + count, 0), ...all };
};

interface Counts {
  total: number;
  done: number;
  skipped: number;
  filtered: number;
  failed: number;
  cancelled: number;
}

/** What `--json` prints. */
export interface Summary {
  readonly run: string;
  readonly counts: Counts;
  readonly outputRoot: string | null;
  readonly runDir: string;
  readonly exitCode: number;
  readonly [field: string]: unknown;
}

/** The command, at its end. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The one object on stdout. */
  readonly json: Summary;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves when stderr so far contains the text. */
  says(text: string): Promise<void>;
}

/** A directory of its own in which the command runs. */
export interface Place {
  readonly dir: string;
  path(...parts: string[]): string;
  write(files: Readonly<Record<string, string | Uint8Array>>): void;
  read(path: string): string;
  /** Everything below a directory but `.kagurazaka`: relative path → text; directories end in `/` when `directories`. */
  files(dir?: string): Record<string, string>;
  /** Every name below the place, `.kagurazaka` included. */
  everything(dir?: string): string[];
  run(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Ended>;
  start(args: readonly string[], env?: Readonly<Record<string, string>>): Running;
  /** The same with something piped in, or, without a text, with a stdin that stays open: `child.stdin`. */
  pipe(args: readonly string[], text?: string | Uint8Array): Running;
  /** Runs the sample task over these items. The first call lists them, later ones may leave them out. */
  sample(items: readonly SampleItem[] | null, args?: readonly string[]): Promise<Ended>;
  startSample(items: readonly SampleItem[], args?: readonly string[]): Running;
  /** What happened in the workers of the sample task, of one kind. */
  journal(event?: string): SampleEvent[];
}

const base = realpathSync(mkdtempSync(join(tmpdir(), "kagurazaka-e2e-")));
afterAll(() => rmSync(base, { recursive: true, force: true }));
let places = 0;

/** Safe in concurrent tests: all places of a test file go when its last test has ended. */
export function createPlace(files: Readonly<Record<string, string | Uint8Array>> = {}): Place {
  const dir = join(base, String(places++));
  mkdirSync(dir);
  const path = (...parts: string[]): string => join(dir, ...parts);
  const start: Place["start"] = (args, env = {}) => startCommand(dir, args, env);
  const sampleArgs = (items: readonly SampleItem[] | null, args: readonly string[]): string[] => {
    if (items) writeFileSync(path("plan.jsonl"), items.map((item) => `${JSON.stringify(item)}\n`).join(""));
    return [sampleTask, "--plan", "plan.jsonl", "--journal", "journal", "--json", "--num-process", "2", ...args];
  };
  const place: Place = {
    dir,
    path,
    write(files) {
      for (const [name, text] of Object.entries(files)) {
        mkdirSync(dirname(path(name)), { recursive: true });
        writeFileSync(path(name), text);
      }
    },
    read: (name) => readFileSync(path(name), "utf8"),
    files: (from = ".") =>
      Object.fromEntries(
        walk(path(from), true).map((file) => [relative(path(from), file), readFileSync(file, "utf8")]),
      ),
    everything: (from = ".") => walk(path(from), false).map((file) => relative(path(from), file)),
    run: (args, env) => start(args, env).ended,
    start,
    pipe(args, text) {
      const running = startCommand(dir, args, {}, true);
      if (text !== undefined) running.child.stdin!.end(text);
      return running;
    },
    sample: (items, args = []) => start(withBackbone(sampleArgs(items, args))).ended,
    startSample: (items, args = []) => start(withBackbone(sampleArgs(items, args))),
    journal: (event) => readSampleJournal(path("journal")).filter((one) => event === undefined || one.event === event),
  };
  place.write(files);
  return place;
}

/** `--num-process` belongs to mp alone. */
function withBackbone(args: string[]): string[] {
  if (!args.includes("--backbone") || args[args.indexOf("--backbone") + 1] === "mp") return args;
  const at = args.indexOf("--num-process");
  return args.filter((_, i) => i !== at && i !== at + 1);
}

function startCommand(
  cwd: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  keepsStdin = false,
): Running {
  const { FORCE_COLOR: _, NODE_OPTIONS: __, ...clean } = process.env;
  const child = spawn(process.execPath, [bin, ...args], {
    cwd,
    env: { ...clean, KAGURAZAKA_CACHE_DIR: join(base, "cache"), NO_COLOR: "1", ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  // A command that ends before it has read all of it is no mistake of the test's.
  child.stdin.on("error", () => {});
  if (!keepsStdin) child.stdin.end();
  let stdout = "";
  let stderr = "";
  const listeners = new Set<() => void>();
  child.stdout.setEncoding("utf8").on("data", (text) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text) => {
    stderr += text;
    for (const listen of listeners) listen();
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      for (const listen of listeners) listen();
      const jsonText = stdout;
      resolve({
        code,
        signal,
        stdout,
        stderr,
        get json() {
          try {
            return JSON.parse(jsonText) as Summary;
          } catch {
            throw new Error(`stdout is not one JSON object: ${jsonText}\nstderr: ${stderr}`);
          }
        },
      });
    });
  });
  return {
    child,
    ended,
    says: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (stderr.includes(text)) resolve();
          else if (child.exitCode !== null || child.signalCode !== null)
            reject(new Error(`ended without saying "${text}":\n${stderr}`));
          else return;
          listeners.delete(look);
        };
        listeners.add(look);
        look();
      }),
  };
}

function walk(dir: string, hideOwn: boolean): string[] {
  if (!existsSync(dir)) return [];
  return readdirSync(dir)
    .sort()
    .filter((name) => !hideOwn || name !== ".kagurazaka")
    .flatMap((name) => {
      const path = join(dir, name);
      const isDirectory = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
      if (!isDirectory) return [path];
      return hideOwn ? walk(path, hideOwn) : [path, ...walk(path, hideOwn)];
    });
}

/** Waits until something is so, and says what was awaited when it never is. */
export async function until(what: string, isSo: () => boolean, withinMs = 15_000): Promise<void> {
  for (const end = Date.now() + withinMs; !isSo(); ) {
    if (Date.now() > end) throw new Error(`waited ${withinMs} ms in vain for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
