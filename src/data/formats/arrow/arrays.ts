import type { NumberArray } from "../../batch/batch.js";
import { doublesOf } from "../../batch/wide-integers.js";
import type { Dictionary } from "./dictionaries.js";
import type { BatchHeader, BufferPlace } from "./headers.js";
import type { Layout, NumberArrayType } from "./layout.js";

/** An array of a record batch: its buffers, with nothing decoded. Lengths and offsets are checked, so decoding stays within them. */
export interface ArrayData {
  readonly layout: Layout;
  readonly length: number;
  /** A bit for each value; undefined: none is null. */
  readonly validity: Uint8Array | undefined;
  /** Where values or lists begin, and where the last one ends. */
  readonly offsets: Int32Array | Float64Array;
  readonly values: Buffer;
  /** What views point to. */
  readonly pointed: readonly Buffer[];
  readonly children: readonly ArrayData[];
  readonly dictionary: Dictionary | undefined;
}

/** The bytes of a message's body, or of those parts of it that were read. */
export interface Body {
  /** Of a buffer, unpacked. */
  bytes(place: BufferPlace): Buffer;
}

/** Where the nodes and buffers of a column begin in the header. */
interface Cursor {
  readonly node: number;
  readonly buffer: number;
  readonly view: number;
}

const nothing = Buffer.alloc(0);
const noOffsets = new Int32Array(1);
/** Values without a byte in the file: more of them in a list than this are damage. */
const MAX_EMPTY_VALUES = 1 << 24;

/** Walks over the nodes and buffers of columns. */
export class ArrayReader {
  readonly #header: BatchHeader;
  #node: number;
  #buffer: number;
  #view: number;

  constructor(header: BatchHeader, { node, buffer, view }: Cursor = { node: 0, buffer: 0, view: 0 }) {
    this.#header = header;
    this.#node = node;
    this.#buffer = buffer;
    this.#view = view;
  }

  get cursor(): Cursor {
    return { node: this.#node, buffer: this.#buffer, view: this.#view };
  }

  /** Passes over a column. @returns the places of its buffers */
  skip(layout: Layout): readonly BufferPlace[] {
    const from = this.#buffer;
    this.#pass(layout);
    if (this.#node > this.#header.nodes.length || this.#buffer > this.#header.buffers.length) throw missing();
    return this.#header.buffers.slice(from, this.#buffer);
  }

  #pass({ kind, children }: Layout): void {
    this.#node++;
    this.#buffer += { null: 0, bits: 2, fixed: 2, bytes: 3, views: 2, list: 2, fixedList: 1, struct: 1 }[kind];
    if (kind === "views") this.#buffer += this.#viewBuffers();
    for (const child of children) this.#pass(child);
  }

  /** @throws Error for lengths and offsets that do not fit their buffers */
  load(layout: Layout, body: Body, dictionaries: ReadonlyMap<number, Dictionary>, isNested = false): ArrayData {
    const { kind, width, dictionary } = layout;
    const node = this.#header.nodes[this.#node++];
    if (!node) throw missing();
    const { length } = node;
    const validity = kind === "null" ? undefined : this.#validity(node, body);
    const hasOffsets = kind === "bytes" || kind === "list";
    const offsets = hasOffsets ? offsetsOf(body.bytes(this.#next()), width, length) : noOffsets;
    const hasValues = kind === "bits" || kind === "fixed" || kind === "bytes" || kind === "views";
    const values = hasValues ? body.bytes(this.#next()) : nothing;
    const pointed = kind === "views" ? Array.from({ length: this.#viewBuffers() }, () => body.bytes(this.#next())) : [];
    const children = layout.children.map((child) =>
      this.load(child, body, dictionaries, isNested || kind !== "struct"),
    );
    const last = hasOffsets ? offsets[length]! : 0;
    const isShort =
      (kind === "bits" && values.length < Math.ceil(length / 8)) ||
      ((kind === "fixed" || kind === "views") && values.length < length * width) ||
      (kind === "bytes" && values.length < last) ||
      children.some(
        (child) => child.length < (kind === "list" ? last : kind === "fixedList" ? length * width : length),
      );
    if (isShort) throw new Error("its buffers are too short");
    const isEmpty =
      kind === "null" ||
      ((kind === "struct" || kind === "fixedList") && children.length === 0) ||
      (kind === "fixed" && width === 0);
    if (isNested && isEmpty && length > MAX_EMPTY_VALUES) throw new Error("it has more values than can be");
    return {
      layout,
      length,
      validity,
      offsets,
      values,
      pointed,
      children,
      dictionary: dictionary && dictionaries.get(dictionary.id),
    };
  }

  #validity({ length, nulls }: { length: number; nulls: number }, body: Body): Uint8Array | undefined {
    const place = this.#next();
    if (length === 0 || nulls === 0 || (nulls < 0 && place.length === 0)) return undefined;
    const bits = body.bytes(place);
    if (bits.length < Math.ceil(length / 8)) throw new Error("its buffers are too short");
    return bits;
  }

  #viewBuffers(): number {
    const count = this.#header.viewBuffers[this.#view++] ?? 0;
    if (count < 0 || count > this.#header.buffers.length) throw missing();
    return count;
  }

  #next(): BufferPlace {
    const place = this.#header.buffers[this.#buffer++];
    if (!place) throw missing();
    return place;
  }
}

const missing = (): Error => new Error("its buffers are missing");

function offsetsOf(bytes: Buffer, width: number, length: number): Int32Array | Float64Array {
  if (length === 0) return noOffsets;
  if (bytes.length < (length + 1) * width) throw new Error("its buffers are too short");
  const offsets =
    width === 4
      ? (numbersIn(bytes, Int32Array, length + 1) as Int32Array)
      : doublesOf(numbersIn(bytes, BigInt64Array, length + 1) as BigInt64Array);
  if (!offsets || offsets[0]! < 0) throw disordered();
  for (let i = 0; i < length; i++) if (offsets[i + 1]! < offsets[i]!) throw disordered();
  return offsets;
}

const disordered = (): Error => new Error("its offsets are not in order");

/** A view of the bytes, or a copy where they do not begin where such numbers may. */
export function numbersIn(bytes: Uint8Array, array: NumberArrayType, count: number, first = 0): NumberArray {
  const size = array.BYTES_PER_ELEMENT;
  if (bytes.byteOffset % size === 0) return new array(bytes.buffer, bytes.byteOffset + first * size, count);
  const copy = new Uint8Array(bytes.subarray(first * size, (first + count) * size));
  return new array(copy.buffer, 0, count);
}
