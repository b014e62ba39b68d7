import { LooseParcel } from "../plan/loose-parcel.js";
import type { Envelope, Parcel } from "../plan/parcel.js";

/** Part of a parcel: what one message carries. */
export interface Load {
  readonly parcel: Parcel;
  readonly from: number;
  readonly to: number;
}

/** Parcels in the order of the plan, cut up as they are taken; what comes back goes to the front. */
export class ReadyQueue {
  #parcels: { readonly parcel: Parcel; next: number }[] = [];
  #front: Envelope[] = [];
  /** Items waiting. */
  length = 0;
  /** Characters of their JSON. */
  size = 0;

  push(parcel: Parcel): void {
    this.#parcels.push({ parcel, next: 0 });
    this.length += parcel.count;
    for (let i = 0; i < parcel.count; i++) this.size += parcel.sizeAt(i);
  }

  unshift(envelope: Envelope): void {
    this.#front.push(envelope);
    this.length++;
    this.size += envelope.json.length;
  }

  /** At most `maxItems` and about `maxSize` characters, at least one item; undefined when nothing waits. */
  take(maxItems: number, maxSize: number): Load | undefined {
    const load = this.#front.length > 0 ? this.#takeFront(maxItems) : this.#takeParcel(maxItems, maxSize);
    if (!load) return undefined;
    this.length -= load.to - load.from;
    for (let i = load.from; i < load.to; i++) this.size -= load.parcel.sizeAt(i);
    return load;
  }

  #takeFront(maxItems: number): Load {
    const envelopes = this.#front.splice(-maxItems).reverse();
    return { parcel: new LooseParcel(envelopes), from: 0, to: envelopes.length };
  }

  #takeParcel(maxItems: number, maxSize: number): Load | undefined {
    const head = this.#parcels[0];
    if (!head) return undefined;
    const { parcel, next: from } = head;
    const most = Math.min(parcel.count, from + maxItems);
    let to = from;
    for (let size = 0; to < most && size < maxSize; to++) size += parcel.sizeAt(to);
    head.next = to;
    if (to === parcel.count) this.#parcels.shift();
    return { parcel, from, to };
  }

  drain(): Envelope[] {
    const rest = this.#front.reverse();
    for (const { parcel, next } of this.#parcels)
      for (let i = next; i < parcel.count; i++) rest.push(parcel.envelopeAt(i));
    this.#parcels = [];
    this.#front = [];
    this.length = 0;
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
