import { MAX_TIMER_MS, monotonicMs } from "../../base/clock.js";
import type { ErrorRecord } from "../../base/errors.js";
import type { BackboneSession, ProcessGuard } from "../../contracts/backbone.js";
import { type FromWorker, marksLayout, type WorkerSetup } from "../../contracts/wire.js";
import { Seat } from "./seat.js";

export interface CrewOptions {
  /** Asked anew for every worker. */
  readonly session: () => BackboneSession;
  readonly setupOf: (workerId: number) => WorkerSetup;
  /** Gets to know the children of items. */
  readonly guard: ProcessGuard;
  /** How long a worker's teardown() may take, in milliseconds. */
  readonly graceMs: number;
  onMessage(seat: Seat, message: FromWorker): void;
  /** The worker of the seat is gone, and the seat with it. `error` null: it was ended by us. */
  onLost(seat: Seat, error: ErrorRecord | null, wasStarting: boolean): void;
}

/** The workers of a run: started, held, replaced, ended. */
export class Crew {
  readonly #options: CrewOptions;
  #seats: Seat[] = [];
  #nextId = 0;

  constructor(options: CrewOptions) {
    this.#options = options;
  }

  get seats(): readonly Seat[] {
    return this.#seats;
  }

  /** Items that may run at once. */
  get slots(): number {
    return this.#seats.reduce((sum, seat) => sum + seat.slots, 0);
  }

  add(): void {
    const { session, setupOf, guard, onMessage } = this.#options;
    const id = this.#nextId++;
    const setup = setupOf(id);
    const marks = new SharedArrayBuffer(marksLayout.bytes(setup.concurrency));
    let seat: Seat | undefined;
    const channel = session().startWorker(
      { setup, marks },
      { onMessage: (message) => onMessage(seat!, message), onExit: (error) => this.#onExit(seat!, error) },
    );
    seat = new Seat(id, setup.concurrency, marks, channel, guard);
    this.#seats.push(seat);
  }

  #onExit(seat: Seat, error: ErrorRecord | null): void {
    if (seat.state === "gone") return;
    const wasStarting = seat.state === "starting";
    seat.state = "gone";
    seat.killChildren();
    clearTimeout(seat.closing);
    this.#seats = this.#seats.filter((other) => other !== seat);
    this.#options.onLost(seat, error, wasStarting);
  }

  /** It takes nothing new, and gives back what it has not begun. */
  hold(seat: Seat): void {
    if (seat.state === "held" || seat.state === "gone") return;
    seat.state = "held";
    seat.heldSinceMs = monotonicMs();
    seat.channel.send({ type: "hold" });
  }

  holdAll(): void {
    for (const seat of this.#seats) this.hold(seat);
  }

  /** It starts nothing more by itself, so it need not be held; what it was sent meanwhile it gives back. */
  wornOut(seat: Seat): void {
    seat.worn = true;
    if (seat.takesItems) seat.state = "held";
    seat.heldSinceMs = monotonicMs();
  }

  /** All are replaced, each when it is through with what it has begun. */
  renewAll(): void {
    for (const seat of this.#seats) {
      seat.worn = true;
      this.hold(seat);
    }
  }

  /** A worker that takes nothing new and has nothing left goes; its seat is filled again when it has. */
  relieve(): void {
    for (const seat of this.#seats) {
      if (seat.state !== "held" || seat.inFlight.size > 0) continue;
      if (seat.worn) this.#retire(seat);
      else seat.channel.kill();
    }
  }

  /** teardown() runs, within as much time as it has at the end of the run. */
  #retire(seat: Seat): void {
    if (seat.closing) return;
    seat.channel.send({ type: "close" });
    seat.closing = setTimeout(() => seat.channel.kill(), Math.min(MAX_TIMER_MS, this.#options.graceMs));
  }

  killAll(): void {
    for (const seat of this.#seats) seat.channel.kill();
  }

  /** Lets every worker tear down, which may flush and close; the last ones are ended. */
  async close(): Promise<void> {
    for (const seat of this.#seats) if (!seat.closing) seat.channel.send({ type: "close" });
    const deadline = monotonicMs() + this.#options.graceMs;
    while (this.#seats.length > 0 && monotonicMs() < deadline) await new Promise((resolve) => setTimeout(resolve, 2));
    this.killAll();
  }
}
