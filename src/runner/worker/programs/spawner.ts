import { type ChildProcess, spawn } from "node:child_process";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { killGroup } from "../../../base/process-group.js";
import type { WorkerSetup } from "../../../contracts/wire.js";
import { childEnv } from "../child-env.js";
import { PidBoard } from "./board.js";
import type { FromSpawner, SpawnerEnd, SpawnerHello, SpawnerJob, ToSpawner } from "./wire.js";

const PROGRAM = fileURLToPath(new URL("./process.cjs", import.meta.url));
/** Flags that keep the process small: a fork costs less then, and optimized code would not pay off. */
const FLAGS = ["--max-semi-space-size=1", "--single-threaded"];
/** Variables that are meant for the programs, not for the spawner. */
const NOT_FOR_US = ["NODE_OPTIONS", "NODE_V8_COVERAGE", "NODE_DEBUG"];

/** Node's exit code for a flag that it does not know. */
const BAD_FLAG = 9;

const lineOf = (message: ToSpawner): string => `${JSON.stringify(message)}\n`;

interface Waiting {
  readonly job: SpawnerJob;
  /** Sequence number of its item. */
  readonly seq: number;
  /** Clock ticks while the program ran. */
  ticks: number;
  readonly resolve: (end: SpawnerEnd) => void;
  readonly reject: (error: Error) => void;
}

/** One spawner process, seen from the worker. It leads its own session, so Ctrl-C in a terminal does not reach it. */
export class Spawner {
  readonly #marks: Pick<WorkerSetup, "run" | "owner">;
  #child: ChildProcess;
  readonly #board = new PidBoard();
  readonly #waiting = new Map<number, Waiting>();
  readonly #freeSlots: number[] = [];
  readonly #onGone: () => void;
  #rest = "";
  #slots = 0;
  #isGone = false;

  constructor(marks: Pick<WorkerSetup, "run" | "owner">, onGone: () => void) {
    this.#marks = marks;
    this.#onGone = onGone;
    this.#child = this.#launch(FLAGS);
    this.#keepAlive(false);
  }

  #launch(flags: readonly string[]): ChildProcess {
    const { run, owner } = this.#marks;
    const env: NodeJS.ProcessEnv = { ...childEnv(), KAGURAZAKA_RUN: run, KAGURAZAKA_OWNER: owner };
    const common = childEnv() as SpawnerHello["env"];
    for (const name of NOT_FOR_US) delete env[name];
    const child = spawn(process.execPath, [...flags, PROGRAM], {
      env,
      detached: true,
      stdio: ["pipe", "pipe", "inherit", this.#board.fd],
    });
    child.once("error", (error) => this.#gone(error));
    child.once("close", (code, signal) => {
      // Another Node version may not know a flag: it exits at once with this code.
      if (code === BAD_FLAG && flags.length > 0) this.#relaunch();
      else this.#gone(new Error(`the process that starts programs exited: ${signal ?? `exit code ${code}`}`));
    });
    // A write after the exit fails; the exit event reports it.
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

  /** Programs that have not ended. */
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

  /** One clock tick: reports, once, each program that has run since the last tick. */
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

  /** Takes no more jobs, and ends the running programs. */
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

  /** An idle spawner does not keep this process alive. */
  #keepAlive(wanted: boolean): void {
    const how = wanted ? "ref" : "unref";
    this.#child[how]();
    (this.#child.stdout as Socket)[how]();
    (this.#child.stdin as Socket)[how]();
  }

  /** The spawner exited: its programs end with it, and its jobs fail with an error that a retry may fix. */
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
