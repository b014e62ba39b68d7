import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startRedis, type TestRedis } from "../../support/redis.js";
import { type Ended, fixture, type Spawned, type Started, startCommand, until } from "./command.js";
import { doneTwice, leftovers, readLedger, readNotes, readTree } from "./disk.js";
import { processesWith } from "./processes.js";

export type FleetTaskName = "Pages" | "Rows";

export interface FleetOptions {
  readonly task?: FleetTaskName;
  readonly items?: number;
  readonly redisFlags?: readonly string[];
  /** Of all processes. */
  readonly env?: Readonly<Record<string, string>>;
  /** What commands are told, where it is not the URL of the Redis. */
  readonly url?: (redis: TestRedis) => string;
}

/** Words and environment of one command. */
export interface Given extends Partial<Omit<Spawned, "cwd">> {
  readonly extra?: readonly string[];
  readonly taskFile?: string;
  readonly task?: string;
  readonly url?: string;
}

export interface Note {
  readonly what: "begin" | "end" | "finalize";
  readonly pid: number;
  readonly atMs: number;
  readonly key: string;
}

/** Node's own monotonic clock, which the notes of all processes use as well. */
export const nowMs = (): number => Number(process.hrtime.bigint() / 1_000_000n);

/** One fleet with a Redis and a directory of its own: coordinators and nodes are processes of the built command line. */
export class FleetUnderTest implements AsyncDisposable {
  readonly redis: TestRedis;
  readonly dir: string;
  readonly task: FleetTaskName;
  readonly #items: number;
  readonly #env: Readonly<Record<string, string>>;
  readonly url: string;
  readonly #nodes = new Set<Started>();
  readonly #commands = new Set<Started>();
  /** Coordinators that were not killed, by process id, and whether they came to an end of their own. */
  readonly #killed = new Map<number, number>();
  #keep = 0;

  private constructor(redis: TestRedis, { task = "Pages", items = 200, env = {}, url }: FleetOptions) {
    this.redis = redis;
    this.task = task;
    this.#items = items;
    this.dir = realpathSync(mkdtempSync(join(tmpdir(), "kagurazaka-fleet-")));
    this.url = url?.(redis) ?? redis.url;
    this.#env = {
      KAGURAZAKA_CACHE_DIR: join(tmpdir(), "kagurazaka-faults-cache"),
      FAULTS_STARTS: join(this.dir, "notes"),
      FAULTS_ITEMS: `${items}`,
      FAULTS_FLEET: this.dir,
      ...env,
    };
    if (task === "Pages") this.#writeInput();
  }

  static async open(options: FleetOptions = {}): Promise<FleetUnderTest> {
    return new FleetUnderTest(await startRedis(options.redisFlags), options);
  }

  #writeInput(): void {
    for (let i = 0; i < this.#items; i++) {
      const dir = join(this.dir, "in", `d${i % 3}`);
      mkdirSync(dir, { recursive: true });
      writeFileSync(join(dir, `f${i}.txt`), this.#textOf(i));
    }
  }

  #textOf = (i: number): string => `${i % 9 === 2 ? "empty" : i % 11 === 3 ? "flaky" : "plain"} ${i}\n`;

  // ── Commands ────────────────────────────────────────────────────────────────────────────────────────────────────────

  #start(words: readonly string[], given: Given): Started {
    const { extra = [], env, url = this.url, taskFile = fixture("fleet.ts"), task = this.task, ...spawned } = given;
    const all = [...words, taskFile, task, ...(url === "" ? [] : ["--redis", url]), ...extra];
    const command = startCommand(all, { cwd: this.dir, ...spawned, env: { ...this.#env, ...env } });
    this.#commands.add(command);
    void command.ended.finally(() => this.#commands.delete(command));
    return command;
  }

  coordinator(given: Given = {}): Started {
    const extra = ["--backbone", "bullmq", "--backoff", "5ms:20ms", "--progress", "none", "--json"];
    return this.#start([], { ...given, extra: [...extra, ...(given.extra ?? [])] });
  }

  node(given: Given = {}): Started {
    const node = this.#start(["worker"], { ...given, extra: ["--num_process", "2", ...(given.extra ?? [])] });
    this.#nodes.add(node);
    void node.ended.finally(() => {
      this.#nodes.delete(node);
      if (this.#nodes.size < this.#keep) this.node(given);
    });
    return node;
  }

  /** So many nodes from now on: each that ends is replaced, as a service manager does. */
  keepNodes(count: number, given: Given = {}): void {
    this.#keep = count;
    while (this.#nodes.size < count) this.node(given);
  }

  get nodes(): readonly Started[] {
    return [...this.#nodes];
  }

  /** SIGKILL, to the process or to its group. */
  async kill(command: Started, whole = true): Promise<void> {
    this.#killed.set(command.pid, nowMs());
    if (whole) command.kill("SIGKILL");
    else command.signal("SIGKILL");
    await command.ended;
  }

  async stopNodes(): Promise<readonly Ended[]> {
    this.#keep = 0;
    const nodes = this.nodes;
    for (const node of nodes) node.signal("SIGTERM");
    return Promise.all(nodes.map(({ ended }) => ended));
  }

  // ── What happened ───────────────────────────────────────────────────────────────────────────────────────────────────

  notes(): Note[] {
    return readNotes(join(this.dir, "notes")).map((line) => {
      const [, what, pid, atMs, key] = /^(\w+) (\d+) (\d+) (.*)$/.exec(line)!;
      return { what: what as Note["what"], pid: Number(pid), atMs: Number(atMs), key: key! };
    });
  }

  /** Resolves once so many items have begun. */
  async begun(count: number, command?: Started, withinMs = 60_000): Promise<void> {
    const isThere = (): boolean => this.notes().filter(({ what }) => what === "begin").length >= count;
    await until(`${count} items have begun`, () => command?.alive === false || isThere(), withinMs).catch((error) => {
      throw new Error(`${(error as Error).message}\n${this.said()}`);
    });
  }

  /** What the living processes have said. */
  said(): string {
    return [...this.#commands].map(({ pid, stderrSoFar }) => `── ${pid}\n${stderrSoFar.slice(-1500)}`).join("\n");
  }

  /** Milliseconds from the kill of a node to the start elsewhere of each item that it had begun. */
  recoveries(): number[] {
    const notes = this.notes();
    return [...this.#killed].flatMap(([pid, killedMs]) =>
      notes
        .filter(({ what, pid: by }) => what === "begin" && by === pid)
        .filter(
          ({ key, atMs }) => !notes.some((n) => n.what !== "begin" && n.key === key && n.atMs >= atMs && n.pid === pid),
        )
        .flatMap(({ key }) => {
          const again = notes.find((n) => n.key === key && n.what === "begin" && n.pid !== pid && n.atMs >= killedMs);
          return again ? [again.atMs - killedMs] : [];
        }),
    );
  }

  /** Items that began again although they were not to be retried. */
  begunTwice(): number {
    const begun = this.notes().filter(({ what }) => what === "begin");
    const flaky = this.#expected().filter(({ text }) => text.startsWith("flaky")).length;
    return begun.length - this.#items - flaky;
  }

  ledger() {
    return readLedger(join(this.#stateDir, "ledger"));
  }

  get #stateDir(): string {
    return join(this.task === "Rows" ? this.dir : join(this.dir, "out"), ".kagurazaka", this.task);
  }

  /** The tree, the ledger and Redis after the last command, as after an undisturbed run. Nodes are stopped first. */
  async check(last: Ended, { failed = [] as readonly string[] } = {}): Promise<void> {
    strictEqual(last.code, failed.length > 0 ? 3 : 0, `exit code ${last.code} ${last.signal}\n${last.stderr}`);
    for (const { code, signal, stderr } of await this.stopNodes())
      strictEqual(code, 0, `a node ended with ${code} ${signal}: ${stderr}`);
    const { outcomes, finished } = this.ledger();
    deepStrictEqual(doneTwice(outcomes), [], "done twice");
    const expected = new Map(this.#expected().map(({ key, status }) => [key, status]));
    for (const key of failed) expected.set(key, "failed");
    const seen = new Map(outcomes.map(({ key, status }) => [key, status]));
    if (this.task === "Pages") {
      const tree = readTree(join(this.dir, "out"));
      deepStrictEqual([...tree], this.#expectedTree(), "the tree");
      // A node may be killed between a file and its outcome. Here the file says what is finished.
      for (const path of tree.keys()) seen.set(path.replace(/\.out$/, ""), "done");
    } else strictEqual(finished().size, expected.size - failed.length);
    deepStrictEqual(sorted(seen), sorted(expected), "the outcomes of an undisturbed run");
    deepStrictEqual(leftovers(join(this.dir, this.task === "Pages" ? "out" : ".kagurazaka")), [], "left behind");
    this.#checkFinalize(last);
    await until("no process is left", () => processesWith(`FAULTS_FLEET=${this.dir}`).length === 0, 10_000);
    this.checkRedis();
  }

  #expected(): { key: string; status: string; text: string }[] {
    return Array.from({ length: this.#items }, (_, i) => {
      const text = this.#textOf(i);
      const status = text.startsWith("empty") ? "filtered" : "done";
      return { key: this.task === "Rows" ? `row ${i}` : `d${i % 3}/f${i}.txt`, status, text };
    });
  }

  #expectedTree(): [string, string][] {
    const hash = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 12);
    return this.#expected()
      .filter(({ status }) => status === "done")
      .map(({ key, text }): [string, string] => [`${key}.out`, hash(text.toUpperCase())])
      .sort(([a], [b]) => (a < b ? -1 : 1));
  }

  /** By each coordinator that came to its end, once; by one that was killed, at most once. */
  #checkFinalize({ stdout }: Ended): void {
    const by = this.notes().filter(({ what }) => what === "finalize");
    const ofKilled = by.filter(({ pid }) => this.#killed.has(pid));
    ok(ofKilled.length <= 1, `finalize ran ${ofKilled.length} times in coordinators that were killed`);
    strictEqual(by.length - ofKilled.length, 1, `finalize ran ${by.length} times: ${stdout}`);
  }

  /** Nothing but the small records of runs, and what all runs share. Nodes that were killed are named a while longer. */
  checkRedis(): void {
    const keys = this.redis.cli("KEYS", "*").split("\n").filter(Boolean);
    const strange = keys.filter(
      (key) => !/^\{kagurazaka\}:(?:runs|events|fence|nodes|node:[^:]+|run:[^:]+)$/.test(key),
    );
    deepStrictEqual(strange, [], "left in Redis");
    for (const key of keys.filter((one) => one.includes(":run:"))) {
      const bytes = Number(this.redis.cli("MEMORY", "USAGE", key));
      ok(bytes < 10_000, `${key} takes ${bytes} bytes`);
      ok(Number(this.redis.cli("PTTL", key)) > 0, `${key} stays for ever`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#keep = 0;
    for (const command of this.#commands) {
      command.kill("SIGCONT");
      command.kill("SIGKILL");
    }
    await Promise.all([...this.#commands].map(({ ended }) => ended));
    await this.redis.close();
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 });
  }
}

const sorted = (map: ReadonlyMap<string, string>): string[] => [...map].map(([key, value]) => `${key} ${value}`).sort();
