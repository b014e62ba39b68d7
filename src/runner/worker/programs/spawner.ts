import { type ChildProcess, spawn } from "node:child_process";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { killGroup } from "../../../base/process-group.js";
import { childEnv } from "../child-env.js";
import { PidBoard } from "./board.js";
import type { FromSpawner, SpawnerEnd, SpawnerHello, SpawnerJob, ToSpawner } from "./wire.js";

const PROGRAM = fileURLToPath(new URL("./process.cjs", import.meta.url));
/** They keep its memory, and so the price of a start, small; it lives too short for code to be worth much thought. */
const FLAGS = ["--max-semi-space-size=1", "--single-threaded"];
/** What is meant for the programs and not for it. */
const NOT_FOR_US = ["NODE_OPTIONS", "NODE_V8_COVERAGE", "NODE_DEBUG"];

/** Node's exit code for a flag that it does not know. */
const BAD_FLAG = 9;

const lineOf = (message: ToSpawner): string => `${JSON.stringify(message)}\n`;

interface Waiting {
  readonly job: SpawnerJob;
  /** Sequence number of its item. */
  readonly seq: number;
  /** How often the clock was heard while it ran. */
  ticks: number;
  readonly resolve: (end: SpawnerEnd) => void;
  readonly reject: (error: Error) => void;
}

/** One spawner process, as the worker sees it. It leads a session of its own: Ctrl-C in a terminal does not reach it. */
export class Spawner {
  readonly #run: string;
  #child: ChildProcess;
  readonly #board = new PidBoard();
  readonly #waiting = new Map<number, Waiting>();
  readonly #freeSlots: number[] = [];
  readonly #onGone: () => void;
  #rest = "";
  #slots = 0;
  #isGone = false;

  constructor(run: string, onGone: () => void) {
    this.#run = run;
    this.#onGone = onGone;
    this.#child = this.#launch(FLAGS);
    this.#keepAlive(false);
  }

  #launch(flags: readonly string[]): ChildProcess {
    const env: NodeJS.ProcessEnv = { ...childEnv(), KAGURAZAKA_RUN: this.#run };
    const common = childEnv() as SpawnerHello["env"];
    for (const name of NOT_FOR_US) delete env[name];
    const child = spawn(process.execPath, [...flags, PROGRAM], {
      env,
      detached: true,
      stdio: ["pipe", "pipe", "inherit", this.#board.fd],
    });
    child.once("error", (error) => this.#gone(error));
    child.once("close", (code, signal) => {
      // A Node of another day may not know a flag: it says so before anything else.
      if (code === BAD_FLAG && flags.length > 0) this.#relaunch();
      else this.#gone(new Error(`the process that starts programs ended: ${signal ?? `exit code ${code}`}`));
    });
    // Written to when it has ended: that is said by its end.
    child.stdin!.on("error", () => {});
    child.stdout!.setEncoding("utf8").on("data", (piece: string) => this.#onData(piece));
    child.stdin!.write(lineOf({ env: common, tmpDir: tmpdir() }));
    return child;
  }

  #relaunch(): void {
    this.#child = this.#launch([]);
    for (const { job } of this.#waiting.values()) this.#send(job);
    this.#keepAlive(this.#waiting.size > 0);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** How many programs it has to see to the end. */
  get load(): number {
    return this.#waiting.size;
  }

  start(seq: number, call: Omit<SpawnerJob, "slot">): Promise<SpawnerEnd> {
    const job = { ...call, slot: this.#freeSlots.pop() ?? this.#slots++ };
    return new Promise((resolve, reject) => {
      if (this.#waiting.size === 0) this.#keepAlive(true);
      this.#waiting.set(job.id, { job, seq, ticks: 0, resolve, reject });
      this.#send(job);
    });
  }

  /** The clock strikes: tells, once, of each program that has run since it struck last. */
  tick(tell: (seq: number, pid: number) => void): void {
    for (const waiting of this.#waiting.values()) {
      if (++waiting.ticks !== 2) continue;
      const pid = this.#board.pidOf(waiting.job);
      if (pid === undefined) waiting.ticks--;
      else tell(waiting.seq, pid);
    }
  }

  kill(id: number, signal: NodeJS.Signals): void {
    if (this.#waiting.has(id)) this.#send({ id, kill: signal });
  }

  /** Nothing more comes; what still runs is ended. */
  close(): void {
    this.#child.stdin!.end();
  }

  #send(message: ToSpawner): void {
    this.#child.stdin!.write(lineOf(message));
  }

  #onData(piece: string): void {
    const lines = (this.#rest + piece).split("\n");
    this.#rest = lines.pop()!;
    for (const line of lines) this.#settle(JSON.parse(line) as FromSpawner);
  }

  #settle(message: FromSpawner): void {
    const end = typeof message === "number" ? { id: message, code: 0, signal: null } : message;
    const waiting = this.#waiting.get(end.id);
    if (waiting === undefined) return;
    this.#waiting.delete(end.id);
    this.#freeSlots.push(waiting.job.slot);
    if (this.#waiting.size === 0) this.#keepAlive(false);
    if ("error" in end) waiting.reject(Object.assign(new Error(end.error.message), end.error));
    else waiting.resolve(end);
  }

  /** An idle one keeps no process alive. */
  #keepAlive(wanted: boolean): void {
    const how = wanted ? "ref" : "unref";
    this.#child[how]();
    (this.#child.stdout as Socket)[how]();
    (this.#child.stdin as Socket)[how]();
  }

  /** What it had started nobody would wait for any more: it ends, and its jobs may be tried again. */
  #gone(error: Error): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#onGone();
    for (const { job, reject } of this.#waiting.values()) {
      killGroup(this.#board.pidOf(job));
      reject(error);
    }
    this.#waiting.clear();
    this.#board[Symbol.dispose]();
  }
}
