import type { FleetControl, FleetNode, FleetRun } from "../contracts/fleet-control.js";

/** The fleet at one moment. */
export interface FleetState {
  /** By the clock of this machine, in milliseconds since 1970. */
  readonly atMs: number;
  readonly runs: readonly FleetRun[];
  readonly nodes: readonly FleetNode[];
  /** Why the queue did not answer. Runs and nodes are then those of its last answer. */
  readonly error: string | undefined;
}

interface PollerOptions {
  /** From one answer to the next question, and how old a state may be that is shown again; in milliseconds. */
  readonly everyMs: number;
  /** How long an answer may take, in milliseconds. */
  readonly timeoutMs: number;
  readonly onState: (state: FleetState) => void;
}

/** Asks the queue for all readers together: at most one question is open, and only those who listen cause questions. */
export class FleetPoller {
  readonly #control: FleetControl;
  readonly #options: PollerOptions;
  #last: FleetState = { atMs: 0, runs: [], nodes: [], error: undefined };
  /** The open question. One that gets no answer stays open: to ask again would only add another. */
  #question: Promise<FleetState> | undefined;
  #reading: Promise<FleetState> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isPolling = false;

  constructor(control: FleetControl, options: PollerOptions) {
    this.#control = control;
    this.#options = options;
  }

  /** The state, at most `everyMs` old. Never rejects. */
  async read(): Promise<FleetState> {
    if (Date.now() - this.#last.atMs < this.#options.everyMs) return this.#last;
    this.#reading ??= this.#readNow().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  setPolling(isPolling: boolean): void {
    if (this.#isPolling === isPolling) return;
    this.#isPolling = isPolling;
    clearTimeout(this.#timer);
    if (isPolling) void this.#poll();
  }

  async #poll(): Promise<void> {
    await this.read();
    if (!this.#isPolling) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#poll(), this.#options.everyMs);
  }

  async #readNow(): Promise<FleetState> {
    const { timeoutMs, onState } = this.#options;
    this.#question ??= this.#ask().finally(() => {
      this.#question = undefined;
    });
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<FleetState>((resolve) => {
      const error = `the queue has not answered within ${timeoutMs / 1000} s`;
      timer = setTimeout(() => resolve({ ...this.#last, atMs: Date.now(), error }), timeoutMs);
    });
    this.#last = await Promise.race([this.#question, tooLate]);
    clearTimeout(timer);
    onState(this.#last);
    return this.#last;
  }

  async #ask(): Promise<FleetState> {
    try {
      const [runs, nodes] = await Promise.all([this.#control.runs(), this.#control.nodes()]);
      return { atMs: Date.now(), runs, nodes, error: undefined };
    } catch (error) {
      return { ...this.#last, atMs: Date.now(), error: messageOf(error) };
    }
  }
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
