import { setTimeout as delay } from "node:timers/promises";

interface Gate {
  inside: number;
  readonly queue: (() => void)[];
  nextStartMs: number;
  pausedUntilMs: number;
}

export interface Visitor {
  readonly signal: AbortSignal;
  /** The host asks for no requests for so long. The error returned is thrown; without one the visitor waits in its worker. */
  onPaused(host: string, ms: number): Error | undefined;
}

/**
 * Limits the requests to one host, at once and per second, and holds them back while the host asks for none. Visitors are
 * served in the order in which they came; one that is aborted while it waits leaves the queue.
 */
export class HostGates {
  readonly #atOnce: number;
  readonly #betweenMs: number;
  readonly #gates = new Map<string, Gate>();

  constructor(limits: { readonly atOnce: number; readonly perSecond: number | undefined }) {
    this.#atOnce = limits.atOnce;
    this.#betweenMs = limits.perSecond === undefined ? 0 : 1000 / limits.perSecond;
  }

  /** Resolves when a request may be sent, with the function that ends it. Rejects with the signal's reason when it fires first. */
  async enter(host: string, visitor: Visitor): Promise<() => void> {
    const { signal } = visitor;
    signal.throwIfAborted();
    const gate = this.#gateOf(host);
    if (gate.inside < this.#atOnce) gate.inside++;
    // A visitor that leaves passes its place on, so that no other one gets in between.
    else await waitInLine(gate.queue, signal);
    let left = false;
    const leave = (): void => {
      if (!left) this.#leave(host, gate);
      left = true;
    };
    try {
      await this.#waitForStart(host, gate, visitor);
    } catch (thrown) {
      leave();
      throw thrown;
    }
    return leave;
  }

  pause(host: string, ms: number): void {
    const gate = this.#gateOf(host);
    gate.pausedUntilMs = Math.max(gate.pausedUntilMs, performance.now() + ms);
  }

  #gateOf(host: string): Gate {
    let gate = this.#gates.get(host);
    if (!gate) {
      gate = { inside: 0, queue: [], nextStartMs: 0, pausedUntilMs: 0 };
      this.#gates.set(host, gate);
    }
    return gate;
  }

  async #waitForStart(host: string, gate: Gate, { signal, onPaused }: Visitor): Promise<void> {
    let startMs = 0;
    // A pause may begin, or be prolonged, while a visitor waits.
    for (;;) {
      const pausedMs = gate.pausedUntilMs - performance.now();
      const sentAway = pausedMs > 0 ? onPaused(host, pausedMs) : undefined;
      if (sentAway) throw sentAway;
      if (startMs === 0) {
        startMs = Math.max(performance.now(), gate.nextStartMs);
        gate.nextStartMs = startMs + this.#betweenMs;
      }
      const waitMs = Math.max(startMs - performance.now(), pausedMs);
      if (waitMs <= 0) return;
      await delay(Math.min(waitMs, MAX_TIMER_MS), undefined, { signal });
    }
  }

  #leave(host: string, gate: Gate): void {
    const next = gate.queue.shift();
    if (next) return next();
    gate.inside--;
    // A list may name millions of hosts: the gate of an idle one is forgotten.
    const rememberMs = Math.max(gate.nextStartMs, gate.pausedUntilMs) - performance.now();
    if (rememberMs <= 0) this.#forget(host, gate);
    else setTimeout(() => this.#forget(host, gate), Math.min(rememberMs, MAX_TIMER_MS)).unref();
  }

  #forget(host: string, gate: Gate): void {
    const idle = gate.inside === 0 && gate.pausedUntilMs <= performance.now();
    if (idle && this.#gates.get(host) === gate) this.#gates.delete(host);
  }
}

/** Timers take 31 bits. */
const MAX_TIMER_MS = 2 ** 31 - 1;

function waitInLine(queue: (() => void)[], signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onTurn = (): void => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    };
    const onAbort = (): void => {
      queue.splice(queue.indexOf(onTurn), 1);
      reject(signal.reason);
    };
    queue.push(onTurn);
    signal.addEventListener("abort", onAbort, { once: true });
  });
}
