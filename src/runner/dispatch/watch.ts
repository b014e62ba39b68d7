import { monotonicMs } from "../../base/clock.js";
import { whenNothingIsLeft } from "../../base/settles.js";
import { shortDuration } from "../../base/text.js";
import { activityLayout } from "../../contracts/activity.js";
import type { RunSettings } from "../../contracts/run-config.js";
import { StallClock } from "./stall-clock.js";
import type { RunningItem, WorkerHandle } from "./worker-handle.js";

/** An item that has not settled so long after its signal fired counts as failed. */
const TELL_AFTER_MS = 25;
/** How long it may take to settle before its worker is drained. */
const SETTLE_WITHIN_MS = 2000;
/** How long the other items of a worker may take to settle before it is ended. */
const OTHERS_WITHIN_MS = 10_000;
const SWEEP_MS = 250;
const MIN_SWEEP_MS = 5;
const STACKS = 4;

export interface WatchPorts {
  workers(): readonly WorkerHandle[];
  inFlight(): number;
  /** Items that wait because they asked to. */
  asking(): number;
  /** Says for whom they wait. */
  askedBy(): string;
  onTimeout(worker: WorkerHandle, seq: number): void;
  /** The item has not settled after its signal fired. */
  onOverdue(worker: WorkerHandle, item: RunningItem): void;
  /** `blocked`, `settled`: end the worker now. `unsettled`: send it no new items. */
  onHopeless(worker: WorkerHandle, why: "blocked" | "unsettled" | "settled"): void;
  onStalled(message: string): void;
  /** Items run in this thread, and nothing is left in it that could settle them. */
  onNever(message: string): void;
  onWarning(message: string): void;
}

/** Reads the activity of workers a few times a second: finds items over their time limit, and notices a stall. */
export class Watch {
  readonly #settings: Pick<RunSettings, "timeout" | "stall">;
  readonly #ports: WatchPorts;
  readonly #inThisThread: boolean;
  readonly #clock: StallClock;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;
  #release = (): void => {};

  /** @param inThisThread that is where items run */
  constructor(settings: Pick<RunSettings, "timeout" | "stall">, ports: WatchPorts, inThisThread: boolean) {
    this.#settings = settings;
    this.#inThisThread = inThisThread;
    this.#ports = ports;
    this.#clock = new StallClock(settings.stall);
  }

  start(): void {
    this.#clock.reset();
    this.#schedule(monotonicMs());
    this.#release = whenNothingIsLeft(() => this.#hold());
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#release();
  }

  /**
   * No open handle is left, and Node would end the process. Workers of their own may still answer, and an item has its time. A list
   * and a `setup()` that wait so have failed, and so has an item without a limit.
   */
  #hold(): void {
    const { timeout, stall } = this.#settings;
    const isHopeless = this.#inThisThread && timeout === undefined && stall === undefined;
    const running = isHopeless ? this.#running() : [];
    if (running.length > 0) {
      const what =
        running.length === 1 ? "an item never ends: it awaits" : `${running.length} items never end: they await`;
      this.#ports.onNever(`${what} a promise that nothing is left to settle: ${oldest(running, monotonicMs())}`);
    } else if (this.#ports.inFlight() > 0 || this.#ports.workers().some(({ state }) => state === "starting"))
      this.#timer?.ref();
  }

  /** The next sweep is when the next item runs out of time; an item that starts from now on has its full time. */
  #schedule(now: number): void {
    if (this.#isStopped) return;
    const { timeout = Number.POSITIVE_INFINITY, stall = Number.POSITIVE_INFINITY } = this.#settings;
    let delayMs = Math.min(SWEEP_MS, timeout, stall / 8);
    if (timeout !== Number.POSITIVE_INFINITY)
      for (const worker of this.#ports.workers())
        for (const { seq, startedMs } of worker.running()) {
          const stopped = worker.timedOut.get(seq);
          if (!stopped) delayMs = Math.min(delayMs, startedMs + timeout - now);
          else if (stopped.fate === "open") delayMs = Math.min(delayMs, stopped.atMs + TELL_AFTER_MS - now);
        }
    this.#timer = setTimeout(() => this.#sweep(), Math.max(MIN_SWEEP_MS, Math.ceil(delayMs))).unref();
  }

  settled(): void {
    this.#clock.reset();
  }

  /** Milliseconds without a settled item or a sign of progress, while items are in flight. */
  get quietMs(): number {
    if (this.#isIdle) return 0;
    return this.#clock.quietMs(this.#running().reduce((last, { progressMs }) => Math.max(last, progressMs), 0));
  }

  #sweep(): void {
    if (this.#ports.inFlight() === 0) this.#timer?.unref();
    const now = monotonicMs();
    const { timeout } = this.#settings;
    if (timeout !== undefined) for (const worker of this.#ports.workers()) this.#sweepWorker(worker, timeout, now);
    this.#sweepStall(now);
    this.#schedule(now);
  }

  /** Nothing is to settle: what waits for its next attempt has a time of its own. */
  get #isIdle(): boolean {
    return this.#ports.inFlight() === 0 && this.#ports.asking() === 0;
  }

  #sweepWorker(worker: WorkerHandle, timeoutMs: number, now: number): void {
    const running = worker.running();
    const abortsSeen = worker.activity[activityLayout.abortsSeen]!;
    for (const item of running) {
      const stopped = worker.timedOut.get(item.seq);
      if (!stopped && now - item.startedMs >= timeoutMs) this.#ports.onTimeout(worker, item.seq);
      // Where the loop is blocked, one of the items may have used up the time of the others.
      else if (
        stopped?.fate === "open" &&
        now - stopped.atMs >= TELL_AFTER_MS &&
        (running.length === 1 || stopped.abortsSeen < abortsSeen)
      )
        this.#ports.onOverdue(worker, item);
    }
    const overdue = running.filter(({ seq }) => now - (worker.timedOut.get(seq)?.atMs ?? now) > SETTLE_WITHIN_MS);
    if (overdue.length === 0) return;
    const isBlocked = overdue.some(({ seq }) => worker.timedOut.get(seq)!.abortsSeen === abortsSeen);
    if (isBlocked) return this.#ports.onHopeless(worker, "blocked");
    if (worker.takesItems) this.#ports.onHopeless(worker, "unsettled");
    const others = running.length > overdue.length;
    if (!others || now - worker.drainingSinceMs > OTHERS_WITHIN_MS) this.#ports.onHopeless(worker, "settled");
  }

  #sweepStall(now: number): void {
    if (this.#isIdle) return this.#clock.reset();
    const { quietMs } = this;
    const verdict = this.#clock.judge(quietMs);
    if (verdict === "fine") return;
    const running = this.#running();
    const longest = running.length === 0 ? "" : `; running longest: ${oldest(running, now)}`;
    const asked = this.#ports.asking() === 0 ? "" : `; ${this.#ports.askedBy()}`;
    const message = `no item has settled for ${shortDuration(quietMs)}${longest}${asked}`;
    void this.#stacks().then((stacks) =>
      verdict === "stalled" ? this.#ports.onStalled(message + stacks) : this.#ports.onWarning(message + stacks),
    );
  }

  #running(): RunningItem[] {
    return this.#ports.workers().flatMap((worker) => worker.running());
  }

  /** The stacks of busy workers; a worker that waits has no stack. */
  async #stacks(): Promise<string> {
    const busy = this.#ports
      .workers()
      .filter((worker) => worker.channel.stack !== undefined && worker.running().length > 0)
      .slice(0, STACKS);
    const told = busy.map(async ({ id, channel }) => {
      const stack = await channel.stack?.().catch(() => undefined);
      return `\nworker ${id} ${stack === undefined ? "is waiting: no JavaScript is running" : `is running:\n${stack}`}`;
    });
    return (await Promise.all(told)).join("");
  }
}

function oldest(running: readonly RunningItem[], now: number): string {
  return [...running]
    .sort((a, b) => a.startedMs - b.startedMs)
    .slice(0, 5)
    .map(({ key, startedMs }) => `${key} (${shortDuration(now - startedMs)})`)
    .join(", ");
}
