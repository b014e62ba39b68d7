import { LooseParcel } from "../plan/loose-parcel.js";
import type { Envelope, Parcel, Terms } from "../plan/parcel.js";

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

  /** Those at the very front that run on the same terms. */
  #takeFront(maxItems: number): Load {
    const { terms } = this.#front.at(-1)!;
    let count = 1;
    while (count < maxItems && this.#front.at(-1 - count)?.terms === terms) count++;
    const envelopes = this.#front.splice(-count).reverse();
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

  /** Takes out everything on these terms. */
  drain(wanted: (terms: Terms) => boolean): Envelope[] {
    const taken = this.#front.filter(({ terms }) => wanted(terms)).reverse();
    this.#front = this.#front.filter(({ terms }) => !wanted(terms));
    for (const { parcel, next } of this.#parcels)
      if (wanted(parcel.terms)) for (let i = next; i < parcel.count; i++) taken.push(parcel.envelopeAt(i));
    this.#parcels = this.#parcels.filter(({ parcel }) => !wanted(parcel.terms));
    this.length -= taken.length;
    for (const { json } of taken) this.size -= json.length;
    return taken;
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

  drain(wanted: (terms: Terms) => boolean): Envelope[] {
    const taken = this.#waiting.filter(({ envelope }) => wanted(envelope.terms));
    this.#waiting = this.#waiting.filter(({ envelope }) => !wanted(envelope.terms));
    return taken.map(({ envelope }) => envelope);
  }
}
