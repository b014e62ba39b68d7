import type { PlannedItem } from "../plan/planner.js";

/** An item on its way through the dispatcher, with what is known of its tries. */
export class Envelope {
  readonly key: string;
  readonly json: string;
  /** 1 for the first try. Tries that were nobody's fault (a worker replaced, a service asked for patience) do not count. */
  attempt = 1;
  /** How often it ended a worker in which nothing else had run. */
  crashes = 0;
  /** Its worker ended while it ran alone, but something that ran there before may have done that: timers outlive items. */
  needsFreshWorker = false;
  /** What it last asked to pause, by `RetryAfterError`. */
  scope: string | undefined;

  constructor(planned: PlannedItem) {
    this.key = planned.key;
    this.json = planned.json;
  }
}

/** First in, first out, without shifting arrays; retries may go to the front. */
export class ReadyQueue {
  #items: Envelope[] = [];
  #head = 0;
  #front: Envelope[] = [];
  /** Characters of JSON waiting. */
  size = 0;

  get length(): number {
    return this.#items.length - this.#head + this.#front.length;
  }

  push(envelope: Envelope): void {
    this.#items.push(envelope);
    this.size += envelope.json.length;
  }

  unshift(envelope: Envelope): void {
    this.#front.push(envelope);
    this.size += envelope.json.length;
  }

  shift(): Envelope | undefined {
    const envelope = this.#front.pop() ?? this.#items[this.#head++];
    if (!envelope) return undefined;
    this.size -= envelope.json.length;
    if (this.#head === this.#items.length) {
      this.#items = [];
      this.#head = 0;
    } else if (this.#head >= 4096) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return envelope;
  }

  drain(): Envelope[] {
    const rest = [...this.#front.reverse(), ...this.#items.slice(this.#head)];
    this.#items = [];
    this.#front = [];
    this.#head = 0;
    this.size = 0;
    return rest;
  }
}

/** Items that wait for a time: backing off, or asked to be patient. They hold no slot. */
export class WaitingRoom {
  #waiting: { readyMs: number; envelope: Envelope }[] = [];

  get length(): number {
    return this.#waiting.length;
  }

  /** When the next one is due; Infinity when nobody waits. */
  get nextMs(): number {
    return this.#waiting[0]?.readyMs ?? Number.POSITIVE_INFINITY;
  }

  add(envelope: Envelope, readyMs: number): void {
    let low = 0;
    let high = this.#waiting.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#waiting[middle]!.readyMs <= readyMs) low = middle + 1;
      else high = middle;
    }
    this.#waiting.splice(low, 0, { readyMs, envelope });
  }

  takeDue(nowMs: number): Envelope[] {
    let due = 0;
    while (due < this.#waiting.length && this.#waiting[due]!.readyMs <= nowMs) due++;
    return this.#waiting.splice(0, due).map(({ envelope }) => envelope);
  }

  drain(): Envelope[] {
    return this.#waiting.splice(0).map(({ envelope }) => envelope);
  }
}
