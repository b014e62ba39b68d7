import { monotonicMs } from "../../base/clock.js";
import type { ErrorRecord } from "../../base/errors.js";
import type { BackboneSession } from "../../contracts/backbone.js";
import { type FromWorker, marksLayout, type WorkerSetup } from "../../contracts/wire.js";
import { Seat } from "./seat.js";

export interface CrewOptions {
  /** Asked anew for every worker. */
  readonly session: () => BackboneSession;
  readonly setupOf: (workerId: number) => WorkerSetup;
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
    const { session, setupOf, onMessage } = this.#options;
    const id = this.#nextId++;
    const setup = setupOf(id);
    const marks = new SharedArrayBuffer(marksLayout.bytes(setup.concurrency));
    let seat: Seat | undefined;
    const channel = session().startWorker(
      { setup, marks },
      { onMessage: (message) => onMessage(seat!, message), onExit: (error) => this.#onExit(seat!, error) },
    );
    seat = new Seat(id, setup.concurrency, marks, channel);
    this.#seats.push(seat);
  }

  #onExit(seat: Seat, error: ErrorRecord | null): void {
    if (seat.state === "gone") return;
    const wasStarting = seat.state === "starting";
    seat.state = "gone";
    seat.killChildren();
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

  /** A worker that takes nothing new and has nothing left goes; its seat is filled again when it has. */
  relieve(): void {
    for (const seat of this.#seats) if (seat.state === "held" && seat.inFlight.size === 0) seat.channel.kill();
  }

  killAll(): void {
    for (const seat of this.#seats) seat.channel.kill();
  }

  /** Lets every worker tear down, which may flush and close; the last ones are ended. */
  async close(graceMs: number): Promise<void> {
    for (const seat of this.#seats) seat.channel.send({ type: "close" });
    const deadline = monotonicMs() + graceMs;
    while (this.#seats.length > 0 && monotonicMs() < deadline) await new Promise((resolve) => setTimeout(resolve, 2));
    this.killAll();
  }
}
