import { monotonicMs } from "../../base/clock.js";
import { whenNothingIsLeft } from "../../base/settles.js";
import { shortDuration } from "../../base/text.js";
import { activityLayout } from "../../contracts/activity.js";
import type { RunSettings } from "../../contracts/run-config.js";
import { StallClock } from "./stall-clock.js";
import type { RunningItem, WorkerHandle } from "./worker-handle.js";

/** How long an item may take to settle after its signal fired. */
const SETTLE_WITHIN_MS = 2000;
/** How long the other items of a worker may take to settle before it is ended. */
const OTHERS_WITHIN_MS = 10_000;
const SWEEP_MS = 250;
const STACKS = 4;

interface WatchPorts {
  workers(): readonly WorkerHandle[];
  inFlight(): number;
  onTimeout(worker: WorkerHandle, seq: number): void;
  /** `blocked`, `settled`: end the worker now. `unsettled`: send it no new items. */
  onHopeless(worker: WorkerHandle, why: "blocked" | "unsettled" | "settled"): void;
  onStalled(message: string): void;
  onWarning(message: string): void;
}

/** Reads the activity of workers a few times a second: finds items over their time limit, and notices a stall. */
export class Watch {
  readonly #settings: Pick<RunSettings, "timeout" | "stall">;
  readonly #ports: WatchPorts;
  readonly #clock: StallClock;
  #timer: NodeJS.Timeout | undefined;
  #release = (): void => {};

  constructor(settings: Pick<RunSettings, "timeout" | "stall">, ports: WatchPorts) {
    this.#settings = settings;
    this.#ports = ports;
    this.#clock = new StallClock(settings.stall);
  }

  start(): void {
    const { timeout = Number.POSITIVE_INFINITY, stall = Number.POSITIVE_INFINITY } = this.#settings;
    const every = Math.max(10, Math.min(SWEEP_MS, Math.min(timeout, stall) / 8));
    this.#clock.reset();
    this.#timer = setInterval(() => this.#sweep(), every).unref();
    this.#release = whenNothingIsLeft(() => this.#hold());
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#release();
  }

  /** An item of `inline` may wait without any open handle, and Node would end the process. A list that does so has failed. */
  #hold(): void {
    if (this.#ports.inFlight() > 0 || this.#ports.workers().some(({ state }) => state === "starting"))
      this.#timer?.ref();
  }

  settled(): void {
    this.#clock.reset();
  }

  /** Milliseconds without a settled item or a sign of progress, while items are in flight. */
  get quietMs(): number {
    if (this.#ports.inFlight() === 0) return 0;
    return this.#clock.quietMs(this.#running().reduce((last, { progressMs }) => Math.max(last, progressMs), 0));
  }

  #sweep(): void {
    if (this.#ports.inFlight() === 0) this.#timer?.unref();
    const now = monotonicMs();
    const { timeout } = this.#settings;
    if (timeout !== undefined) for (const worker of this.#ports.workers()) this.#sweepWorker(worker, timeout, now);
    this.#sweepStall(now);
  }

  #sweepWorker(worker: WorkerHandle, timeoutMs: number, now: number): void {
    const running = worker.running();
    for (const { seq, startedMs } of running) {
      if (now - startedMs > timeoutMs && !worker.timedOut.has(seq)) this.#ports.onTimeout(worker, seq);
    }
    const overdue = running.filter(({ seq }) => now - (worker.timedOut.get(seq)?.atMs ?? now) > SETTLE_WITHIN_MS);
    if (overdue.length === 0) return;
    const abortsSeen = worker.activity[activityLayout.abortsSeen]!;
    const isBlocked = overdue.some(({ seq }) => worker.timedOut.get(seq)!.abortsSeen === abortsSeen);
    if (isBlocked) return this.#ports.onHopeless(worker, "blocked");
    if (worker.takesItems) this.#ports.onHopeless(worker, "unsettled");
    const others = running.length > overdue.length;
    if (!others || now - worker.drainingSinceMs > OTHERS_WITHIN_MS) this.#ports.onHopeless(worker, "settled");
  }

  #sweepStall(now: number): void {
    if (this.#ports.inFlight() === 0) return this.#clock.reset();
    const { quietMs } = this;
    const verdict = this.#clock.judge(quietMs);
    if (verdict === "fine") return;
    const message = `no item has settled for ${shortDuration(quietMs)}; running longest: ${oldest(this.#running(), now)}`;
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
