import type { Batch, Row } from "../batch/batch.js";
import { rowFlaw } from "../features/plain-data.js";
import type { RowBlock } from "../formats/format.js";
import { positionOf } from "../formats/row-block.js";
import type { MapContext, RowFunction } from "./define-map.js";

/** Rows, or a batch, that came of one input row or of a batch of them; or why nothing did. */
export type Mapped =
  | { readonly position: number; readonly rows: readonly Row[]; readonly inputs: number }
  | { readonly position: number; readonly batch: Batch; readonly inputs: number }
  | { readonly position: number; readonly input: Row; readonly thrown: unknown };

interface MapRowsOptions {
  readonly map: RowFunction;
  readonly contextAt: (position: number) => MapContext;
  /** Rows whose promises are awaited at the same time. */
  readonly concurrency: number;
  readonly signal: AbortSignal;
  /** Called when a row is done that had to be awaited. */
  readonly alive: () => void;
}

/** Results that wait for one before them are kept, but not without bound. */
const MOST_KEPT = 1024;

/**
 * Calls a function for each row. A row that throws costs itself. Rows whose results are promises wait side by side, those of the
 * next block too; results come in the order of the rows.
 */
export async function* mapRows(
  blocks: AsyncIterable<RowBlock>,
  options: MapRowsOptions,
): AsyncGenerator<readonly Mapped[]> {
  const { map, contextAt, concurrency, signal } = options;
  const queue = new Results(options.alive);
  for await (const block of blocks) {
    for (let i = 0; i < block.rows.length; i++) {
      // The next call may cost money.
      if (signal.aborted) signal.throwIfAborted();
      const position = positionOf(block, i);
      queue.add(mapOne(block.rows[i]!, position, map, contextAt(position)));
      while (queue.waiting >= concurrency) await queue.next();
    }
    while (queue.length >= Math.max(MOST_KEPT, 4 * concurrency) && queue.waiting > 0) await queue.next();
    yield queue.take();
  }
  while (queue.length > 0) {
    if (queue.waiting > 0) await queue.next();
    yield queue.take();
  }
}

/** A result that is still to come. */
class Waiting {
  result: Mapped | undefined;
}

/** Results in the order of their rows, some of them still to come. */
class Results {
  readonly #alive: () => void;
  #all: (Mapped | Waiting)[] = [];
  #done: () => void = () => {};
  waiting = 0;

  constructor(alive: () => void) {
    this.#alive = alive;
  }

  get length(): number {
    return this.#all.length;
  }

  add(one: Mapped | Promise<Mapped>): void {
    if (!(one instanceof Promise)) {
      this.#all.push(one);
      return;
    }
    const place = new Waiting();
    this.#all.push(place);
    this.waiting++;
    void one.then((result) => {
      place.result = result;
      this.waiting--;
      this.#alive();
      this.#done();
    });
  }

  /** Until one more is done. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#done = resolve;
    });
  }

  /** Those that are done, up to the first that is not. */
  take(): readonly Mapped[] {
    const open = this.#all.findIndex((one) => one instanceof Waiting && one.result === undefined);
    const taken = open < 0 ? this.#all : this.#all.slice(0, open);
    this.#all = open < 0 ? [] : this.#all.slice(open);
    for (let i = 0; i < taken.length; i++) {
      const one = taken[i]!;
      if (one instanceof Waiting) taken[i] = one.result!;
    }
    return taken as Mapped[];
  }
}

/** A promise of it never rejects. */
function mapOne(input: Row, position: number, map: RowFunction, ctx: MapContext): Mapped | Promise<Mapped> {
  try {
    const result = map(input, ctx);
    if (isPromise(result)) return settle(input, position, result);
    return isIterator(result)
      ? settle(input, position, collect(result))
      : { position, inputs: 1, rows: rowsOfResult(result) };
  } catch (thrown) {
    return { position, input, thrown };
  }
}

async function settle(input: Row, position: number, promise: PromiseLike<unknown>): Promise<Mapped> {
  try {
    const result = await promise;
    return { position, inputs: 1, rows: rowsOfResult(isIterator(result) ? await collect(result) : result) };
  } catch (thrown) {
    return { position, input, thrown };
  }
}

const isPromise = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === "object" && value !== null && typeof (value as PromiseLike<unknown>).then === "function";

/** A generator, and other iterables that are no array and no text. */
const isIterator = (value: unknown): value is AsyncIterable<Row> | Iterable<Row> =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  (Symbol.asyncIterator in value || Symbol.iterator in value);

async function collect(rows: AsyncIterable<Row> | Iterable<Row>): Promise<Row[]> {
  const all: Row[] = [];
  for await (const row of rows) all.push(row);
  return all;
}

function rowsOfResult(result: unknown): readonly Row[] {
  if (result === null || result === undefined) return [];
  if (!Array.isArray(result)) return [checkedRow(result)];
  for (const row of result) checkedRow(row);
  return result;
}

function checkedRow(row: unknown): Row {
  const flaw = rowFlaw(row);
  if (flaw === undefined) return row as Row;
  throw new TypeError(
    `the function returned ${flaw} for a row: return an object, an array of objects, or null to drop the row`,
  );
}
