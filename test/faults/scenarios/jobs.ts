import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Ended, fixture, type Started, startCommand } from "../harness/command.js";
import { type LedgerOnDisk, leftovers, readLedger, readNotes, readTree } from "../harness/disk.js";

/** The tasks of `fixtures/tasks.ts`: how outputs look, and who says what is finished. */
export const jobKinds = ["Files", "Folders", "LedgerFiles", "Records"] as const;
export type JobKind = (typeof jobKinds)[number];

export interface CommandOptions {
  /** Worker threads; 0: the backbone `inline`. */
  readonly numProcess?: number;
  /** Items at once for each worker. */
  readonly concurrency?: number;
  readonly generation?: number;
  readonly extra?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly nodeArgs?: readonly string[];
  readonly within?: readonly string[];
}

/** One task over one input in one directory, run as often as a scenario likes. */
export class Job {
  readonly dir: string;
  readonly kind: JobKind;
  readonly cache: string;
  #starts = 0;

  constructor(dir: string, kind: JobKind, cache: string) {
    this.dir = dir;
    this.kind = kind;
    this.cache = cache;
    mkdirSync(dir, { recursive: true });
  }

  get out(): string {
    return join(this.dir, "out");
  }

  /** Where the task's own state lies: a task without outputs keeps it in the working directory. */
  get stateDir(): string {
    return join(this.kind === "Records" ? this.dir : this.out, ".kagurazaka", this.kind);
  }

  /** The existing output decides, not the ledger. */
  get byExistence(): boolean {
    return this.kind === "Files" || this.kind === "Folders";
  }

  /** Several directories; some files with nothing in them, some that work at the second try, one that never does. */
  writeInput(count = 72): void {
    for (let i = 0; i < count; i++) {
      const dir = join(this.dir, "in", ["", "a", "b/c", "b/d", "e e/ü"][i % 5]!);
      const kind =
        i === 5 ? "hopeless" : i % 9 === 2 ? "empty" : i % 11 === 3 ? "flaky" : i % 7 === 4 ? "sided" : "plain";
      mkdirSync(dir, { recursive: true });
      writeFileSync(join(dir, `f${i}.txt`), `${kind} ${i}\n${"text of it ".repeat(i)}`);
    }
  }

  start(options: CommandOptions = {}): Started & { readonly notes: string } {
    const { numProcess = 2, concurrency = 2, generation = 1, extra = [], env, nodeArgs, within } = options;
    const notes = join(this.dir, `starts-${this.#starts++}`);
    const backbone = numProcess === 0 ? ["inline"] : ["mp", "--num_process", `${numProcess}`];
    const args = [fixture("tasks.ts"), this.kind, "--backbone", ...backbone];
    const atOnce = concurrency * Math.max(1, numProcess);
    const more = ["--concurrency", `${atOnce}`, "--backoff", "5ms:20ms", "--progress", "none", "--json", ...extra];
    const command = startCommand([...args, ...more], {
      cwd: this.dir,
      env: { KAGURAZAKA_CACHE_DIR: this.cache, FAULTS_STARTS: notes, FAULTS_GENERATION: `${generation}`, ...env },
      ...(nodeArgs ? { nodeArgs } : {}),
      ...(within ? { within } : {}),
    });
    return Object.defineProperties({ notes } as Started & { notes: string }, Object.getOwnPropertyDescriptors(command));
  }

  async run(options: CommandOptions = {}): Promise<Ended & { readonly starts: readonly string[] }> {
    const command = this.start(options);
    const ended = await command.ended;
    return { ...ended, starts: readNotes(command.notes) };
  }

  ledger(stateDir = this.stateDir): LedgerOnDisk {
    return readLedger(join(stateDir, "ledger"));
  }

  tree(): Map<string, string> {
    return readTree(this.out);
  }

  leftovers(): string[] {
    return leftovers(this.kind === "Records" ? join(this.dir, ".kagurazaka") : this.out);
  }

  /** The output that says an item of this key is finished, below the output root. */
  outputOf(key: string): string {
    return this.kind === "Folders" ? `${key}/meta.json` : `${key}.out`;
  }

  /** Another job over the same input, going on from the same state. */
  copyTo(dir: string): Job {
    cpSync(this.dir, dir, { recursive: true, filter: (path) => !/\/starts-\d+$/.test(path) });
    return new Job(dir, this.kind, this.cache);
  }
}
