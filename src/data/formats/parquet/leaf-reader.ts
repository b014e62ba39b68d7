import { joinValues } from "../../batch/concat.js";
import type { ChunkBytes } from "./chunk-bytes.js";
import type { PageLocation } from "./engine.js";
import type { LeafNode } from "./nodes.js";
import { countOf, type Page, type PageDecoder, rowsOfHeader } from "./pages.js";

/** The entries of some rows. */
export interface LeafData {
  /** The values that are not null, as rows have them. */
  readonly values: ArrayLike<unknown>;
  /** Of every entry; undefined where all are there. */
  readonly def: Uint8Array | undefined;
  /** Undefined outside of lists. */
  readonly rep: Uint8Array | undefined;
  readonly entries: number;
  /** Of a value that is there. */
  readonly maxDef: number;
}

interface LeafReaderOptions {
  readonly leaf: LeafNode;
  readonly bytes: ChunkBytes;
  readonly decoder: PageDecoder;
  /** Of the chunk. */
  readonly entries: number;
  /** Where its data pages begin, if the file has an index of them. */
  readonly locations: () => Promise<readonly PageLocation[] | undefined>;
}

/** Reads a leaf of a row group from its first row to its last, some rows at a time, whatever its pages hold. */
export class LeafReader {
  readonly #options: LeafReaderOptions;
  /** Where the next page begins in the file. */
  #at: number;
  /** Entries, or pages once an index was used, that are not decoded yet. */
  #left: number;
  #leftIsPages = false;
  #page: Page | undefined;
  /** Entries and values of the page that were taken. */
  #entry = 0;
  #value = 0;

  constructor(options: LeafReaderOptions) {
    this.#options = options;
    this.#at = options.bytes.from;
    this.#left = options.entries;
  }

  get isAtEnd(): boolean {
    return this.#page === undefined && this.#left === 0;
  }

  /** @throws Error where there are fewer rows */
  async take(rows: number): Promise<LeafData> {
    const parts: LeafData[] = [];
    await this.#advance(rows, (part) => parts.push(part));
    return parts.length === 1 ? parts[0]! : joinParts(parts, this.#options.leaf.ownDef);
  }

  /** To be called before `take`. Pages that the index or their headers say to be skipped are not decoded. */
  async skip(rows: number): Promise<void> {
    if (rows === 0) return;
    const first = await this.#jump(rows);
    await this.#advance(rows - first);
  }

  /** Goes to the page of a row, by the index. @returns the first row of the page */
  async #jump(row: number): Promise<number> {
    const locations = (await this.#options.locations()) ?? [];
    const index = locations.findLastIndex(({ first_row_index }) => Number(first_row_index) <= row);
    if (index <= 0) return 0;
    // The dictionary stands before the pages, if there is one.
    if (this.#at < Number(locations[0]!.offset)) await this.#next();
    const { offset, first_row_index } = locations[index]!;
    this.#page = undefined;
    this.#at = Number(offset);
    this.#left = locations.length - index;
    this.#leftIsPages = true;
    return Number(first_row_index);
  }

  /** Passes over rows, and gives their parts of pages. A row of lists may go on in the next page. */
  async #advance(rows: number, give?: (part: LeafData) => void): Promise<void> {
    let begun = 0;
    for (;;) {
      if (this.#page === undefined) {
        if (this.#left <= 0) break;
        begun += await this.#next(give ? 0 : rows - begun);
        continue;
      }
      const page = this.#page;
      const from = this.#entry;
      let to = from;
      if (page.rep === undefined) {
        to = Math.min(page.entries, from + rows - begun);
        begun += to - from;
      } else {
        // To the first entry of the row behind the last one.
        while (to < page.entries) {
          if (page.rep[to] === 0) {
            if (begun === rows) break;
            begun++;
          }
          const next = page.rep.indexOf(0, to + 1);
          to = next < 0 ? page.entries : next;
        }
      }
      if (to > from) {
        const part = this.#part(page, to);
        give?.(part());
      }
      if (to < page.entries) break;
      this.#page = undefined;
      if (page.rep === undefined && begun === rows) break;
    }
    if (begun < rows) throw new Error(`it ends ${rows - begun} rows before its row group does`);
  }

  /** Up to an entry. The values are not decoded where nobody calls for the part. */
  #part(page: Page, to: number): () => LeafData {
    const { ownDef: maxDef } = this.#options.leaf;
    const [from, valueFrom] = [this.#entry, this.#value];
    const valueTo = valueFrom + (page.def ? countOf(page.def, maxDef, from, to) : to - from);
    this.#entry = to;
    this.#value = valueTo;
    return () => ({
      values: page.values(valueFrom, valueTo),
      def: page.def?.subarray(from, to),
      rep: page.rep?.subarray(from, to),
      entries: to - from,
      maxDef,
    });
  }

  /** Decodes the next page, or passes over one that has at most `skippable` rows. @returns rows that were passed over */
  async #next(skippable = 0): Promise<number> {
    const { bytes, decoder, leaf } = this.#options;
    const { header, body } = await bytes.header(this.#at);
    const size = header.compressed_page_size;
    this.#at = body + size;
    const rows = rowsOfHeader(header, leaf);
    const entries = (header.data_page_header ?? header.data_page_header_v2)?.num_values;
    if (entries !== undefined) {
      if (entries > (this.#leftIsPages ? this.#options.entries : this.#left))
        throw new Error("a page has more values than its column");
      this.#left -= this.#leftIsPages ? 1 : entries;
    }
    if (rows !== undefined && rows > 0 && rows <= skippable) return rows;
    this.#page = decoder.page(await bytes.bytes(body, size), header);
    this.#entry = 0;
    this.#value = 0;
    return 0;
  }
}

function joinParts(parts: readonly LeafData[], maxDef: number): LeafData {
  const hasDef = parts.some(({ def }) => def !== undefined);
  return {
    values: joinValues(parts.map(({ values }) => values)),
    def: hasDef ? joinBytes(parts.map(({ def, entries }) => def ?? new Uint8Array(entries).fill(maxDef))) : undefined,
    rep: parts.some(({ rep }) => rep !== undefined)
      ? joinBytes(parts.map(({ rep, entries }) => rep ?? new Uint8Array(entries)))
      : undefined,
    entries: parts.reduce((sum, { entries }) => sum + entries, 0),
    maxDef,
  };
}

function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
