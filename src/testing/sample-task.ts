import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { isMainThread, threadId } from "node:worker_threads";
import { PermanentError, RetryAfterError } from "../base/errors.js";
import { defineOptions } from "../base/option-spec.js";
import type { RunStats, TaskContext } from "../contracts/task.js";
import { KagurazakaTask } from "../task.js";

/** An item of the sample task: its key, and what `process` does with it. */
export interface SampleItem {
  readonly id: string;
  /** @defaultValue "done" */
  readonly act?:
    | "done"
    /** Throws on every try, or on the first `times` tries. */
    | "throw"
    | "permanent"
    | "filter"
    /** Throws `RetryAfterError(ms)` on its first `times` tries (default 1). */
    | "retry-after"
    /** Waits for `ms` and ignores its signal. */
    | "wait"
    /** Waits for `ms`, but throws as soon as its signal fires. */
    | "wait-signal"
    /** Blocks the event loop for `ms`. */
    | "spin"
    /** Calls `ctx.progress()` every 20 ms, for `ms`. */
    | "progress"
    /** Waits until `n` items run at once. */
    | "meet"
    | "print"
    | "log"
    | "exit"
    /** Kills the main process of the node, wherever the item runs. */
    | "kill-node"
    /** Leaves a timer behind that keeps writing to the journal. */
    | "leak"
    /** Starts a child with a child of its own, both sleeping, and waits `ms`. */
    | "spawn"
    /** Writes the fields of ctx to the journal. */
    | "context";
  readonly times?: number;
  readonly ms?: number;
  readonly n?: number;
  readonly message?: string;
  readonly payload?: unknown;
}

/** One line of the journal. */
export interface SampleEvent {
  readonly event: string;
  readonly key?: string;
  readonly attempt?: number;
  readonly pid: number;
  readonly thread: number;
  /** Tells instances of the task apart. */
  readonly instance: string;
  readonly atMs: number;
  readonly [more: string]: unknown;
}

const options = defineOptions({
  plan: { type: "string", required: true, help: "JSONL file with one item a line" },
  journal: { type: "string", required: true, help: "directory of the journal" },
  setup: { type: "string", choices: ["well", "throw"], default: "well", help: "what setup() does" },
  finalize: { type: "string", choices: ["well", "throw"], default: "well", help: "what finalize() does" },
  list: { type: "string", choices: ["well", "throw"], default: "well", help: "how the list of items ends" },
});

/**
 * A task that does what its items say and writes a journal, from which a test learns what happened in workers: where, how
 * often, how many items at once. `process` returns `{ id, attempt }`.
 */
export class SampleTask extends KagurazakaTask<SampleItem, typeof options> {
  static readonly id = "sample";
  static readonly options = options;
  readonly #instance = `${process.pid}-${threadId}-${Math.random().toString(36).slice(2)}`;

  override *generateTasks(): Generator<SampleItem> {
    for (const line of readFileSync(this.options.plan, "utf8").split("\n")) if (line !== "") yield JSON.parse(line);
    if (this.options.list === "throw") throw new Error("the list broke off");
  }

  override keyOf({ id }: SampleItem): string {
    return id;
  }

  override setup(): void {
    this.#note("setup");
    if (this.options.setup === "throw") throw new Error("no model here");
  }

  override teardown(): void {
    this.#note("teardown");
  }

  override finalize(stats: RunStats): void {
    this.#note("finalize", { counts: stats.counts });
    if (this.options.finalize === "throw") throw new Error("cannot sum up");
  }

  async process(item: SampleItem, ctx: TaskContext): Promise<unknown> {
    const about = { key: ctx.key, attempt: ctx.attempt };
    this.#note("start", about);
    try {
      const answer = this.#act(item, ctx);
      return answer instanceof Promise ? await answer : answer;
    } finally {
      this.#note("end", about);
    }
  }

  #act(item: SampleItem, ctx: TaskContext): unknown {
    const { id, ms = 0, times = Number.POSITIVE_INFINITY, message = `no good: ${id}` } = item;
    const value = { id, attempt: ctx.attempt };
    switch (item.act ?? "done") {
      case "done":
        return value;
      case "throw":
        if (ctx.attempt <= times) throw new Error(message);
        return value;
      case "permanent":
        throw new PermanentError(message);
      case "filter":
        return ctx.filtered(message);
      case "retry-after":
        if (this.#starts(id) <= (item.times ?? 1)) throw new RetryAfterError(ms);
        return value;
      case "wait":
        return delay(ms, value);
      case "wait-signal":
        return delay(ms, value, { signal: ctx.signal });
      case "spin":
        for (const end = Date.now() + ms; Date.now() < end; );
        return value;
      case "progress":
        return this.#progress(ms, ctx);
      case "meet":
        return this.#meet(item);
      case "print":
        process.stdout.write(`${message}\n`);
        console.error(message);
        return value;
      case "log":
        ctx.log.warn(message, { id });
        return value;
      case "kill-node":
        process.kill(isMainThread ? process.ppid : process.pid, "SIGKILL");
        return new Promise(() => {});
      case "exit":
        return process.exit(9);
      case "leak":
        setInterval(() => this.#note("leak", { key: id }), 10);
        return value;
      case "spawn":
        return this.#spawn(ms, ctx);
      case "context":
        return this.#context(ctx);
    }
  }

  async #progress(ms: number, ctx: TaskContext): Promise<void> {
    for (const end = Date.now() + ms; Date.now() < end; await delay(20)) ctx.progress();
  }

  /** Uses files, because the other items may run in other processes. */
  async #meet({ id, n = 1 }: SampleItem): Promise<void> {
    const dir = join(this.options.journal, "meeting");
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, encodeURIComponent(id)), "");
    for (const end = Date.now() + 10_000; readdirSync(dir).length < n; await delay(5)) {
      if (Date.now() > end) throw new PermanentError(`only ${readdirSync(dir).length} of ${n} items were here at once`);
    }
  }

  async #spawn(ms: number, ctx: TaskContext): Promise<void> {
    const child = ctx.spawn("sh", ["-c", "sleep 300 & echo $!; wait"], { stdio: ["ignore", "pipe", "ignore"] });
    const grandchild = await new Promise<string>((resolve) =>
      child.stdout!.once("data", (data) => resolve(String(data))),
    );
    this.#note("spawned", { key: ctx.key, child: child.pid, grandchild: Number(grandchild) });
    await delay(ms);
  }

  #context(ctx: TaskContext): void {
    const dir = ctx.tmpDir;
    const tmpDir = { path: dir, names: readdirSync(dir) };
    writeFileSync(join(dir, "left behind"), "");
    const { key, attempt, run, signal } = ctx;
    this.#note("context", { key, attempt, run, aborted: signal.aborted, random: [ctx.random(), ctx.random()], tmpDir });
  }

  /** How often this item was started, in all workers. */
  #starts(id: string): number {
    return readSampleJournal(this.options.journal).filter(({ event, key }) => event === "start" && key === id).length;
  }

  #note(event: string, more: Record<string, unknown> = {}): void {
    const line = { event, ...more, pid: process.pid, thread: threadId, instance: this.#instance, atMs: Date.now() };
    mkdirSync(this.options.journal, { recursive: true });
    // Small writes to a file opened for appending are atomic.
    appendFileSync(join(this.options.journal, "journal.jsonl"), `${JSON.stringify(line)}\n`);
  }
}

/** The events so far, in order. */
export function readSampleJournal(dir: string): SampleEvent[] {
  const path = join(dir, "journal.jsonl");
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as SampleEvent);
}
