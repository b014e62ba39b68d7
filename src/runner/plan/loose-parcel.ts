import { packKeys } from "../../contracts/wire.js";
import type { Envelope, Parcel, Terms } from "./parcel.js";

/** One envelope per item: retries, files, whatever is not plain enough to be packed. All on the same terms. */
export class LooseParcel implements Parcel {
  readonly terms: Terms;
  readonly #envelopes: readonly Envelope[];

  /** @param envelopes at least one */
  constructor(envelopes: readonly Envelope[]) {
    this.terms = envelopes[0]!.terms;
    this.#envelopes = envelopes;
  }

  get count(): number {
    return this.#envelopes.length;
  }

  keyAt(index: number): string {
    return this.#envelopes[index]!.key;
  }

  sizeAt(index: number): number {
    return this.#envelopes[index]!.json.length;
  }

  envelopeAt(index: number): Envelope {
    return this.#envelopes[index]!;
  }

  itemsText(from: number, to: number): string {
    return this.#slice(from, to, ({ json }) => json).join(",");
  }

  keysText(from: number, to: number): string {
    return packKeys(this.#slice(from, to, ({ key }) => key));
  }

  attempts(from: number, to: number): Record<number, number> | undefined {
    let attempts: Record<number, number> | undefined;
    for (let i = from; i < to; i++) {
      const { attempt } = this.#envelopes[i]!;
      if (attempt === 1) continue;
      attempts ??= {};
      attempts[i - from] = attempt;
    }
    return attempts;
  }

  nameAt(): undefined {
    return undefined;
  }

  #slice(from: number, to: number, read: (envelope: Envelope) => string): string[] {
    const out: string[] = [];
    for (let i = from; i < to; i++) out.push(read(this.#envelopes[i]!));
    return out;
  }
}
