import { monotonicMs } from "../../base/clock.js";
import type { RunSettings } from "../../contracts/run-config.js";
import { LooseParcel } from "../plan/loose-parcel.js";
import type { Envelope, Parcel, Terms } from "../plan/parcel.js";
import { itemsPerWorker, MeanDuration, shareOf } from "./chunk-size.js";
import type { Crew } from "./crew.js";
import { envelopeAt } from "./in-flight.js";
import { type Load, ReadyQueue, WaitingRoom } from "./queues.js";
import type { Seat } from "./seat.js";
import { Throttle } from "./throttle.js";

const LOOKAHEAD_CHARS = 32 * 1024 * 1024;
const LOOKAHEAD_ITEMS = 1024;
const MAX_CHUNK_ITEMS = 1024;
const MAX_CHUNK_CHARS = 1024 * 1024;
const MAX_SEAT_CHARS = 16 * 1024 * 1024;
/** They tell whether the task works at all, so they go one by one: a broken task fails few items before the run stops. */
const FIRST_ITEMS = 20;

export interface FeederOptions {
  readonly crew: Crew;
  readonly settings: Pick<RunSettings, "concurrency" | "rate" | "chunksize">;
  readonly workers: number;
  /** Part of a parcel goes to a worker; its keys, packed. */
  onSent(seat: Seat, load: Load, keys: string): void;
}

/**
 * Everything that waits or is under way, and who gets it: what is ready goes to the hungriest worker, what backs off waits
 * for its time, suspects of a crash run one by one, alone.
 */
export class Feeder {
  readonly #options: FeederOptions;
  readonly #crew: Crew;
  readonly #ready = new ReadyQueue();
  readonly #waiting = new WaitingRoom();
  /** Suspects of a crash: tried one by one, alone. */
  #suspects: Envelope[] = [];
  readonly #mean = new MeanDuration();
  readonly #throttle: Throttle;
  #nextSeq = 1;
  #settled = 0;
  #inFlight = 0;
  /** Nothing more will be pushed. */
  listEnded = false;

  constructor(options: FeederOptions) {
    const { settings, workers } = options;
    this.#options = options;
    this.#crew = options.crew;
    this.#throttle = new Throttle(workers * settings.concurrency, settings.rate, monotonicMs());
  }

  /** Items at workers. */
  get inFlight(): number {
    return this.#inFlight;
  }

  get waiting(): number {
    return this.#ready.length + this.#waiting.length + this.#suspects.length;
  }

  /** The plan should be pulled further: workers would run dry. */
  get wantsMore(): boolean {
    const work = this.#mean.ms === undefined ? 0 : this.#crew.seats.length * itemsPerWorker(this.#mean.ms, 1);
    const wanted = Math.max(LOOKAHEAD_ITEMS, this.#crew.slots * 2, work);
    return !this.listEnded && this.#ready.length < wanted && this.#ready.size < LOOKAHEAD_CHARS;
  }

  /** When time alone changes something; Infinity when only a message can. */
  nextMs(now: number): number {
    const throttled = this.#ready.length > 0 ? this.#throttle.nextMs(now) : Number.POSITIVE_INFINITY;
    return Math.min(this.#waiting.nextMs, throttled);
  }

  // ── In ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

  push(parcel: Parcel): void {
    this.#ready.push(parcel);
  }

  /** Back to the front: it was nobody's fault and costs no attempt. */
  putBack(envelope: Envelope): void {
    this.#ready.unshift(envelope);
  }

  suspect(envelope: Envelope): void {
    this.#suspects.push(envelope);
  }

  /** It runs again after this time. */
  wait(envelope: Envelope, delayMs: number): void {
    this.#waiting.add(envelope, monotonicMs() + delayMs);
  }

  /** A service asked for patience. */
  pause(envelope: Envelope, scope: string | undefined, delayMs: number): void {
    envelope.scope = scope;
    this.#waiting.add(envelope, this.#throttle.pause(scope, delayMs, monotonicMs()));
  }

  // ── Out ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** So many items have left their worker, done. */
  left(count: number): void {
    this.#inFlight -= count;
  }

  /** An item leaves its worker, with something to be said or done about it. */
  takeEnvelope(seat: Seat, seq: number): Envelope | undefined {
    const place = seat.take(seq);
    if (!place) return undefined;
    this.#inFlight--;
    return envelopeAt(place);
  }

  /** Takes out everything on these terms that is not at a worker. */
  drain(wanted: (terms: Terms) => boolean): Envelope[] {
    const suspects = this.#suspects.filter(({ terms }) => wanted(terms));
    this.#suspects = this.#suspects.filter(({ terms }) => !wanted(terms));
    return [...suspects, ...this.#ready.drain(wanted), ...this.#waiting.drain(wanted)];
  }

  /** A message of outcomes is through: what items take is what the next ones will. */
  settled(count: number, totalMs: number): void {
    this.#settled += count;
    this.#mean.add(totalMs, count);
  }

  succeeded(count: number): void {
    this.#throttle.succeeded(count);
  }

  // ── To the workers ───────────────────────────────────────────────────────────────────────────────────────────────────

  feed(now: number): void {
    this.#promoteWaiting(now);
    this.#placeSuspect();
    this.#feedHungry(now);
  }

  #promoteWaiting(now: number): void {
    if (this.#waiting.nextMs > now) return;
    for (const envelope of this.#waiting.takeDue(now)) {
      const pausedUntil = this.#throttle.scopePausedUntilMs(envelope.scope);
      if (pausedUntil > now) this.#waiting.add(envelope, pausedUntil);
      else this.#ready.unshift(envelope);
    }
  }

  /** One suspect at a time, in a worker where nothing else runs; the youngest worker, for it has the least behind it. */
  #placeSuspect(): void {
    const suspect = this.#suspects[0];
    const { seats } = this.#crew;
    if (!suspect || seats.some((seat) => seat.alone && (seat.inFlight.size > 0 || seat.state === "held"))) return;
    const open = seats.filter((one) => one.takesItems).sort((a, b) => a.inFlight.size - b.inFlight.size || b.id - a.id);
    const seat = open.find((one) => one.alone) ?? open[0];
    if (!seat) return;
    seat.alone = true;
    // Held, it is replaced once it is empty: by a worker in which nothing has run.
    if (suspect.needsFreshWorker && seat.given > 0) return this.#crew.hold(seat);
    if (seat.inFlight.size > 0) return;
    this.#suspects.shift();
    this.#send(seat, { parcel: new LooseParcel([suspect]), from: 0, to: 1 });
  }

  #feedHungry(now: number): void {
    for (;;) {
      // The last items wait here, and not in a worker behind a slow one while another is idle.
      const ending = this.listEnded && this.#ready.length < 8 * this.#crew.slots;
      const tight = ending || this.#throttle.tight || this.#settled < FIRST_ITEMS;
      const { seats } = this.#crew;
      const hungry = seats.filter((seat) => this.#isHungry(seat, tight));
      hungry.sort((a, b) => a.inFlight.size / a.slots - b.inFlight.size / b.slots);
      let sent = 0;
      for (const [index, seat] of hungry.entries()) {
        const share = shareOf(this.#ready.length, seats.length, hungry.length - index, this.listEnded);
        const room = this.#capacity(seat, tight) - seat.inFlight.size;
        const allowed = this.#throttle.allowance(this.#inFlight, now);
        const count = Math.min(this.#ready.length, share, room, allowed, MAX_CHUNK_ITEMS);
        if (count >= 1) sent += this.#sendReady(seat, count);
      }
      if (sent === 0 || this.#ready.length === 0) return;
    }
  }

  #capacity(seat: Seat, tight: boolean): number {
    return tight ? seat.slots : itemsPerWorker(this.#mean.ms, seat.slots);
  }

  /** Below half of what it should have: messages then carry many items, and none of them runs dry. */
  #isHungry(seat: Seat, tight: boolean): boolean {
    if (!seat.takesItems || seat.alone || seat.size >= MAX_SEAT_CHARS) return false;
    const capacity = this.#capacity(seat, tight);
    return seat.inFlight.size < (capacity > 4 * seat.slots ? capacity / 2 : capacity);
  }

  #sendReady(seat: Seat, count: number): number {
    const { chunksize } = this.#options.settings;
    const load = this.#ready.take(chunksize === "auto" ? count : Math.min(count, chunksize), MAX_CHUNK_CHARS);
    if (!load) return 0;
    this.#throttle.started(load.to - load.from);
    this.#send(seat, load);
    return load.to - load.from;
  }

  #send(seat: Seat, load: Load): void {
    const { parcel, from, to } = load;
    const firstSeq = this.#nextSeq;
    const attempts = parcel.attempts(from, to);
    this.#nextSeq += to - from;
    this.#inFlight += to - from;
    seat.add(firstSeq, load);
    const keys = parcel.keysText(from, to);
    this.#options.onSent(seat, load, keys);
    seat.channel.send({
      type: "items",
      firstSeq,
      items: `[${parcel.itemsText(from, to)}]`,
      keys,
      ...parcel.terms,
      ...(attempts ? { attempts } : {}),
    });
  }
}
