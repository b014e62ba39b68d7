import { GrowingBytes } from "../../bytes/growing-bytes.js";
import { writeHybrid } from "./levels.js";
import type { Stored } from "./store-values.js";

/** The values of a page that is being filled, as they will stand in it. */
export class PlainValues {
  readonly #bytes = new GrowingBytes(1 << 16);
  readonly #isFixed: boolean;
  #isBits = false;

  /** @param isFixed all byte arrays have one length, which is not written */
  constructor(isFixed: boolean) {
    this.#isFixed = isFixed;
  }

  /** Some of the values. */
  add(stored: Stored, from: number, to: number): void {
    if (ArrayBuffer.isView(stored)) {
      const part = (stored as Int32Array).subarray(from, to);
      return this.#bytes.put(Buffer.from(part.buffer, part.byteOffset, part.byteLength));
    }
    if (from < to && typeof stored[from] === "boolean") return this.#addBits(stored as readonly boolean[], from, to);
    for (let i = from; i < to; i++) {
      if (this.#isFixed) this.#bytes.put(stored[i] as Uint8Array);
      else this.#bytes.putSized(stored[i] as Uint8Array);
    }
  }

  addTexts(texts: ArrayLike<string>, from: number, to: number): void {
    for (let i = from; i < to; i++) this.#bytes.putText(texts[i]!);
  }

  /** A byte each, until the page is full. */
  #addBits(bits: readonly boolean[], from: number, to: number): void {
    this.#isBits = true;
    for (let i = from; i < to; i++) this.#bytes.fill(bits[i] ? 1 : 0, 1);
  }

  /** What the page holds; the next one begins empty. */
  take(): Buffer {
    const { view } = this.#bytes;
    this.#bytes.clear();
    return this.#isBits ? packedBits(view) : Buffer.from(view);
  }
}

function packedBits(bits: Uint8Array): Buffer {
  const bytes = Buffer.alloc(Math.ceil(bits.length / 8));
  for (let i = 0; i < bits.length; i++) bytes[i >> 3]! |= bits[i]! << (i & 7);
  return bytes;
}

/** Texts of a column chunk by their numbers in a dictionary. */
export class TextDictionary {
  readonly #numbers = new Map<string, number>();
  #indices: number[] = [];
  /** Of the texts, about. */
  bytes = 0;

  get size(): number {
    return this.#numbers.size;
  }

  get texts(): readonly string[] {
    return [...this.#numbers.keys()];
  }

  addTexts(texts: ArrayLike<string>, from: number, to: number): void {
    for (let i = from; i < to; i++) {
      const text = texts[i]!;
      let number = this.#numbers.get(text);
      if (number === undefined) {
        number = this.#numbers.size;
        this.#numbers.set(text, number);
        this.bytes += text.length + 4;
      }
      this.#indices.push(number);
    }
  }

  /** The indices of a page; the next one begins empty. Its width stands before them. */
  take(): Buffer {
    const width = Math.max(1, 32 - Math.clz32(this.#numbers.size - 1));
    const packed = writeHybrid(this.#indices, 0, this.#indices.length, width);
    this.#indices = [];
    return Buffer.concat([Buffer.from([width]), packed]);
  }
}
