import { monotonicMs } from "../../base/clock.js";
import { shortDuration } from "../../base/text.js";
import { activityLayout } from "../../contracts/activity.js";
import type { RunSettings } from "../../contracts/run-config.js";
import type { WorkerHandle } from "./worker-handle.js";

/** After its signal fired, an item has this long to settle. */
const SETTLE_WITHIN_MS = 2000;
/** The other items of a worker that is to go have this long. */
const OTHERS_WITHIN_MS = 10_000;
const WARN_AFTER_MS = 30 * 60_000;
const SWEEP_MS = 250;
const STACKS = 4;

export interface WatchPorts {
  workers(): readonly WorkerHandle[];
  inFlight(): number;
  onTimeout(worker: WorkerHandle, seq: number): void;
  /** `blocked`, `settled`: end it now. `unsettled`: give it nothing new. */
  onHopeless(worker: WorkerHandle, why: "blocked" | "unsettled" | "settled"): void;
  onStalled(message: string): void;
  onWarning(message: string): void;
}

/** Looks at the marks a few times a second: who runs over the time limit, and is anything moving at all. */
export class Watch {
  readonly #timeoutMs: number | undefined;
  readonly #stallMs: number | undefined;
  readonly #ports: WatchPorts;
  #timer: NodeJS.Timeout | undefined;
  #lastSettledMs = monotonicMs();
  #warned = false;

  constructor(settings: Pick<RunSettings, "timeout" | "stall">, ports: WatchPorts) {
    this.#timeoutMs = settings.timeout;
    this.#stallMs = settings.stall;
    this.#ports = ports;
  }

  start(): void {
    const shortest = Math.min(this.#timeoutMs ?? Number.POSITIVE_INFINITY, this.#stallMs ?? Number.POSITIVE_INFINITY);
    const every = Math.max(10, Math.min(SWEEP_MS, shortest / 8));
    this.#lastSettledMs = monotonicMs();
    // Not unref'd: an item under inline may wait for something that holds no handle, and the process must not end for it.
    this.#timer = setInterval(() => this.#sweep(), every);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  settled(): void {
    this.#lastSettledMs = monotonicMs();
    this.#warned = false;
  }

  #sweep(): void {
    const now = monotonicMs();
    for (const worker of this.#ports.workers())
      if (this.#timeoutMs !== undefined) this.#sweepWorker(worker, this.#timeoutMs, now);
    this.#sweepStall(now);
  }

  #sweepWorker(worker: WorkerHandle, timeoutMs: number, now: number): void {
    const running = worker.running();
    for (const { seq, startedMs } of running) {
      if (now - startedMs > timeoutMs && !worker.timedOut.has(seq)) this.#ports.onTimeout(worker, seq);
    }
    const overdue = running.filter(({ seq }) => now - (worker.timedOut.get(seq)?.atMs ?? now) > SETTLE_WITHIN_MS);
    if (overdue.length === 0) return;
    const blocked = overdue.some(
      ({ seq }) => worker.timedOut.get(seq)!.abortsSeen === worker.activity[activityLayout.abortsSeen]!,
    );
    if (blocked) return this.#ports.onHopeless(worker, "blocked");
    if (worker.takesItems) this.#ports.onHopeless(worker, "unsettled");
    const others = running.length > overdue.length;
    if (!others || now - worker.drainingSinceMs > OTHERS_WITHIN_MS) this.#ports.onHopeless(worker, "settled");
  }

  #sweepStall(now: number): void {
    if (this.#ports.inFlight() === 0) {
      this.#lastSettledMs = now;
      return;
    }
    const running = this.#ports.workers().flatMap((worker) => worker.running());
    const lastSign = running.reduce((last, { progressMs }) => Math.max(last, progressMs), this.#lastSettledMs);
    const quietMs = now - lastSign;
    const stalled = this.#stallMs !== undefined && quietMs > this.#stallMs;
    if (this.#warned || !(stalled || quietMs > WARN_AFTER_MS)) return;
    this.#warned = true;
    const message = `nothing settled for ${shortDuration(quietMs)}; oldest: ${oldest(running, now)}`;
    void this.#stacks().then((stacks) =>
      stalled ? this.#ports.onStalled(message + stacks) : this.#ports.onWarning(message + stacks),
    );
  }

  /** What busy workers are doing; a worker that waits has no stack to show. */
  async #stacks(): Promise<string> {
    const busy = this.#ports
      .workers()
      .filter((worker) => worker.channel.stack !== undefined && worker.running().length > 0)
      .slice(0, STACKS);
    const stacks = await Promise.all(
      busy.map(async (worker) => ({ worker, stack: await worker.channel.stack?.().catch(() => undefined) })),
    );
    return stacks
      .map(
        ({ worker, stack }) =>
          `\nworker ${worker.id} ${stack === undefined ? "waits; no JavaScript is running" : `is here:\n${stack}`}`,
      )
      .join("");
  }
}

function oldest(running: ReturnType<WorkerHandle["running"]>, now: number): string {
  return [...running]
    .sort((a, b) => a.startedMs - b.startedMs)
    .slice(0, 5)
    .map(({ key, startedMs }) => `${key} (${shortDuration(now - startedMs)})`)
    .join(", ");
}
