/**
 * A map from 64-bit fingerprints to numbers above zero, for tens of millions of keys.
 *
 *     low & 255 → sub-table      high / 2^32 × capacity → slot, then linear probing
 *     slot = [low] [high] [value, 0 = free]
 *
 * Each sub-table grows separately, by half, so the whole table is never copied at once. A slot takes 12 bytes and the load
 * factor is 53 to 80 %: 15 to 23 bytes per key.
 */
const SUB_TABLES = 256;
const FIRST_CAPACITY = 16;
const MAX_LOAD = 0.8;
const TWO_32 = 0x1_0000_0000;

interface SubTable {
  slots: Uint32Array;
  capacity: number;
  size: number;
}

export class FingerprintTable {
  readonly #tables: (SubTable | undefined)[] = new Array(SUB_TABLES).fill(undefined);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The value of a fingerprint, 0 if it has none. */
  find(low: number, high: number): number {
    const table = this.#tables[low & (SUB_TABLES - 1)];
    return table === undefined ? 0 : table.slots[slotOf(table, low, high) + 2]!;
  }

  /** Returns the value before, 0 if there was none. */
  set(low: number, high: number, value: number): number {
    const index = low & (SUB_TABLES - 1);
    let table = this.#tables[index];
    if (table === undefined) table = this.#tables[index] = emptyTable(FIRST_CAPACITY);
    let slot = slotOf(table, low, high);
    const before = table.slots[slot + 2]!;
    if (before === 0) {
      if (table.size >= table.capacity * MAX_LOAD) {
        table = this.#tables[index] = grown(table);
        slot = slotOf(table, low, high);
      }
      table.size++;
      this.#size++;
      table.slots[slot] = low;
      table.slots[slot + 1] = high;
    }
    table.slots[slot + 2] = value;
    return before;
  }
}

function emptyTable(capacity: number): SubTable {
  return { slots: new Uint32Array(capacity * 3), capacity, size: 0 };
}

/** Where the fingerprint lies, or the free slot where it belongs. */
function slotOf(table: SubTable, low: number, high: number): number {
  const { slots, capacity } = table;
  const end = capacity * 3;
  let slot = Math.floor((high / TWO_32) * capacity) * 3;
  while (slots[slot + 2] !== 0 && (slots[slot] !== low || slots[slot + 1] !== high)) {
    slot += 3;
    if (slot === end) slot = 0;
  }
  return slot;
}

function grown(table: SubTable): SubTable {
  const next = emptyTable(table.capacity + (table.capacity >>> 1));
  next.size = table.size;
  const { slots } = table;
  for (let from = 0; from < slots.length; from += 3) {
    if (slots[from + 2] === 0) continue;
    const to = slotOf(next, slots[from]!, slots[from + 1]!);
    next.slots[to] = slots[from]!;
    next.slots[to + 1] = slots[from + 1]!;
    next.slots[to + 2] = slots[from + 2]!;
  }
  return next;
}
