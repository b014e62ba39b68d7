import { afterEach, beforeEach, vi } from "vitest";
import { monotonicMs } from "../../../src/base/clock.js";
import { type ErrorRecord, type KagurazakaError, toErrorRecord } from "../../../src/base/errors.js";
import { activityLayout } from "../../../src/contracts/activity.js";
import type {
  WorkerChannel,
  WorkerEvents,
  WorkerExit,
  WorkerSession,
  WorkerStart,
} from "../../../src/contracts/backbone.js";
import { type Chunk, type ChunkHeader, PendingItem } from "../../../src/contracts/chunk.js";
import type { ExecutionEvents, TaskMessage } from "../../../src/contracts/execution.js";
import type { Settled } from "../../../src/contracts/outcome.js";
import { type FromWorker, type ToWorker, unpackKeys, type WireOutcome } from "../../../src/contracts/wire.js";
import { Dispatcher } from "../../../src/runner/dispatch/dispatcher.js";
import type { DispatcherOptions } from "../../../src/runner/dispatch/ports.js";
import { ItemChunk } from "../../../src/runner/plan/item-chunk.js";

/** Time moves by `vi.advanceTimersByTimeAsync` alone, for timers and for `monotonicMs`. For all tests of the file. */
export function useFakeClock(): void {
  beforeEach(() => {
    vi.useFakeTimers({
      now: 1_000_000,
      toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date"],
    });
    vi.spyOn(performance, "now").mockImplementation(() => Date.now());
    // Delays of retries are what they are at most.
    vi.spyOn(Math, "random").mockReturnValue(1);
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });
}

/** A worker that does what the test says. By itself it becomes ready, counts aborts, answers `drain` and ends when told to. */
export class FakeWorker implements WorkerChannel {
  /** What it was sent, in order. */
  readonly sent: ToWorker[] = [];
  readonly start: WorkerStart;
  isGone = false;
  /** Its loop does not turn: it sees no message. */
  isBlocked = false;
  /** It stays when it is told to close: its teardown hangs. */
  hangs = false;
  readonly #events: WorkerEvents;
  readonly #cells: Float64Array;
  readonly #seqs = new Map<string, number>();

  constructor(start: WorkerStart, events: WorkerEvents) {
    this.start = start;
    this.#events = events;
    this.#cells = new Float64Array(start.activity);
  }

  get name(): string {
    return this.start.setup.worker;
  }

  /** Keys of the items at this worker, in the order they came. */
  get items(): string[] {
    return [...this.#seqs.keys()];
  }

  get types(): string[] {
    return this.sent.map(({ type }) => type);
  }

  /** Keys by message. */
  get batches(): string[][] {
    return this.sent.flatMap((message) => (message.type === "items" ? [unpackKeys(message.keys)] : []));
  }

  /** Which of its items were told to stop, and why. */
  get aborted(): string[] {
    return this.sent.flatMap((message) => (message.type === "abort" ? [message.reason] : []));
  }

  attemptOf(key: string): number | undefined {
    for (const message of this.sent.toReversed()) {
      const at = message.type === "items" ? unpackKeys(message.keys).indexOf(key) : -1;
      if (message.type === "items" && at >= 0) return message.attempts?.[at] ?? 1;
    }
    return undefined;
  }

  // ── As the dispatcher sees it ────────────────────────────────────────────────────────────────────────────────────────

  send(message: ToWorker): void {
    if (this.isGone) return;
    this.sent.push(message);
    if (message.type === "items")
      for (const [i, key] of unpackKeys(message.keys).entries()) this.#seqs.set(key, message.firstSeq + i);
    queueMicrotask(() => !this.isBlocked && this.#react(message));
  }

  kill(): void {
    queueMicrotask(() => this.exit({ kind: "ended" }));
  }

  #react({ type }: ToWorker): void {
    if (type === "abort") this.#cells[activityLayout.abortsSeen]!++;
    if (type === "drain" || type === "give-back") this.leave(null);
    if (type === "close" && !this.hangs) this.exit({ kind: "ended" });
  }

  // ── As the test moves it ─────────────────────────────────────────────────────────────────────────────────────────────

  post(message: FromWorker): void {
    if (!this.isGone) this.#events.onMessage(message);
  }

  /** These items begin, each in a free slot. */
  begin(...keys: string[]): void {
    for (const key of keys) {
      const slots = Array.from({ length: this.start.setup.shape.slots }, (_, slot) => slot);
      const slot = slots.find((slot) => this.#cells[activityLayout.slot(slot)] === 0);
      if (slot === undefined) throw new Error(`worker ${this.name} has no slot for ${key}`);
      this.#cells[activityLayout.slot(slot) + activityLayout.started] = monotonicMs();
      this.#cells[activityLayout.slot(slot)] = this.#seqs.get(key)!;
    }
  }

  get running(): string[] {
    return this.items.filter((key) => this.#slotOf(key) !== undefined);
  }

  progress(key: string): void {
    this.#cells[activityLayout.slot(this.#slotOf(key)!) + activityLayout.progress] = monotonicMs();
  }

  #slotOf(key: string): number | undefined {
    for (let slot = 0; slot < this.start.setup.shape.slots; slot++)
      if (this.#cells[activityLayout.slot(slot)] === this.#seqs.get(key)) return slot;
    return undefined;
  }

  #take(key: string): number {
    const slot = this.#slotOf(key);
    if (slot !== undefined) this.#cells[activityLayout.slot(slot)] = 0;
    const seq = this.#seqs.get(key);
    if (seq === undefined) throw new Error(`${key} is not at worker ${this.name}`);
    this.#seqs.delete(key);
    return seq;
  }

  /** These items are done, in one message. */
  done(keys: readonly string[] = this.items, ms = 1): void {
    const plain = Float64Array.from(keys.flatMap((key) => [this.#take(key), ms]));
    this.post({ type: "settled", plain, rest: [] });
  }

  settle(key: string, outcome: Omit<WireOutcome, "seq">): void {
    this.post({ type: "settled", plain: new Float64Array(), rest: [{ seq: this.#take(key), ...outcome }] });
  }

  fail(key: string, error: unknown = new Error("no good")): void {
    this.settle(key, { status: "failed", durationMs: 1, error: toErrorRecord(error) });
  }

  /** Starts nothing more; gives back what has not begun. */
  leave(why: string | null): void {
    const unstarted = this.items.filter((key) => this.#slotOf(key) === undefined);
    this.post({ type: "leaving", why, unstarted: unstarted.map((key) => this.#take(key)) });
  }

  exit(exit: WorkerExit): void {
    if (this.isGone) return;
    this.isGone = true;
    this.#events.onExit(exit);
  }

  crash(message = "boom"): void {
    this.exit({ kind: "crashed", error: { name: "Error", message } });
  }

  lose(why = "the connection broke"): void {
    this.exit({ kind: "lost", why });
  }
}

export class FakeSession implements WorkerSession {
  /** All there ever were. */
  readonly workers: FakeWorker[] = [];
  /** Workers become ready by themselves. */
  makesReady = true;

  startWorker(start: WorkerStart, events: WorkerEvents): FakeWorker {
    const worker = new FakeWorker(start, events);
    this.workers.push(worker);
    if (this.makesReady) queueMicrotask(() => worker.post({ type: "ready" }));
    return worker;
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

export const headerOf = (shard = 0): ChunkHeader => ({ shard, forced: false });

/** @param keys at least one */
export const chunkOf = (keys: readonly string[], header: ChunkHeader = headerOf(), json = "{}"): Chunk =>
  new ItemChunk(keys.map((key) => new PendingItem({ key, json }, header)));

/** `prefix0`, `prefix1` … */
export const named = (count: number, prefix = "i"): string[] =>
  Array.from({ length: count }, (_, i) => `${prefix}${i}`);

export async function* planOf(...chunks: readonly Chunk[]): AsyncGenerator<Chunk> {
  yield* chunks;
}

/** A plan that has nothing more for now and does not end. */
export async function* openPlanOf(...chunks: readonly Chunk[]): AsyncGenerator<Chunk> {
  yield* chunks;
  await new Promise(() => {});
}

export interface Told extends Settled {
  readonly key: string;
  readonly attempt: number;
}

type Settings = DispatcherOptions["settings"];

export interface ExecutionRequest extends Partial<Omit<DispatcherOptions, "settings" | "shapes">> {
  readonly workers?: number;
  readonly slots?: number;
  readonly queue?: number;
  readonly settings?: Partial<Settings>;
  readonly makesReady?: boolean;
}

/** A dispatcher over a fake session, and all it told. */
export class TestExecution {
  readonly session = new FakeSession();
  readonly dispatcher: Dispatcher;
  readonly outcomes: Told[] = [];
  readonly retries: { key: string; attempt: number; error: ErrorRecord; delayMs: number }[] = [];
  readonly warnings: string[] = [];
  readonly recycled: string[] = [];
  readonly failedShards: { shard: number; cause: KagurazakaError }[] = [];
  readonly messages: TaskMessage[] = [];
  messagesDone = 0;
  isOver = false;
  /** What stopped it early. */
  cause: KagurazakaError | undefined;

  constructor({ workers = 1, slots = 1, queue = 0, settings = {}, makesReady = true, ...more }: ExecutionRequest = {}) {
    this.session.makesReady = makesReady;
    this.dispatcher = new Dispatcher({
      session: () => this.session,
      setup: {
        task: {
          source: { alias: "task", export: "T" },
          id: "T",
          kind: "item",
          options: { task: {}, rawArgs: [] },
          template: null,
          moduleHash: "",
        },
        run: "run",
        owner: "run",
        shards: [],
        seed: 0,
        durable: false,
        atomic: true,
        wantValues: false,
      },
      site: { taskUrl: "file:///task.js", shards: [] },
      shapes: Array.from({ length: workers }, () => ({ slots, queue })),
      killable: true,
      permanentErrors: [],
      settings: {
        chunksize: "auto",
        rate: undefined,
        retries: 2,
        backoff: { minMs: 1000, maxMs: 60_000 },
        timeout: undefined,
        stall: undefined,
        grace: 30_000,
        ...settings,
      },
      ...more,
    });
  }

  /** @param first what passes before the test goes on; with a real clock, turns of the real loop */
  async run(chunks: AsyncIterator<Chunk>, first = (): Promise<void> => this.pass()): Promise<this> {
    void this.dispatcher.run(chunks, this.#events).then((cause) => {
      this.cause = cause;
      this.isOver = true;
    });
    await first();
    return this;
  }

  /** Time passes, and all messages on their way arrive. */
  async pass(ms = 0): Promise<void> {
    await vi.advanceTimersByTimeAsync(ms);
  }

  /** Workers that are there now, the oldest first. */
  get workers(): FakeWorker[] {
    return this.session.workers.filter(({ isGone }) => !isGone);
  }

  get worker(): FakeWorker {
    return this.workers[0]!;
  }

  /** The one that has this item. */
  workerOf(key: string): FakeWorker {
    const worker = this.workers.find(({ items }) => items.includes(key));
    if (!worker) throw new Error(`${key} is at no worker`);
    return worker;
  }

  /** Every worker does all it has, until the execution is over. */
  async finish(): Promise<void> {
    for (let round = 0; !this.isOver; round++) {
      if (round > 2000) throw new Error("the execution does not come to its end");
      for (const worker of this.workers) if (worker.items.length > 0) worker.done();
      await this.pass(round < 20 ? 3 : 1000);
    }
  }

  /** Keys by what became of them, in the order they were told. */
  keysOf(status: Settled["status"]): string[] {
    return this.outcomes.filter((one) => one.status === status).map(({ key }) => key);
  }

  outcomeOf(key: string): Told | undefined {
    return this.outcomes.find((one) => one.key === key);
  }

  readonly #events: ExecutionEvents = {
    onDone: (chunk, index, durationMs) => {
      const { key, attempt } = chunk.itemAt(index);
      this.outcomes.push({ key, attempt, status: "done", durationMs });
    },
    onSettled: ({ key, attempt }, settled) => void this.outcomes.push({ key, attempt, ...settled }),
    onMessageDone: () => void this.messagesDone++,
    onRetry: ({ key, attempt }, error, delayMs) => void this.retries.push({ key, attempt, error, delayMs }),
    onShardFailed: (shard, cause) => void this.failedShards.push({ shard, cause }),
    onMessage: (message) => void this.messages.push(message),
    onWarning: (message) => void this.warnings.push(message),
    onRecycled: (worker, why) => void this.recycled.push(`${worker}: ${why}`),
  };
}

/** Items of one shard, in one chunk. */
export const execute = (keys: readonly string[], request?: ExecutionRequest): Promise<TestExecution> =>
  new TestExecution(request).run(keys.length === 0 ? planOf() : planOf(chunkOf(keys)));
