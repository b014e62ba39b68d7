import { encodeItem } from "../../base/canonical-json.js";
import { nextTurn } from "../../base/clock.js";
import { KagurazakaError, toErrorRecord } from "../../base/errors.js";
import { type Chunk, type ChunkHeader, PendingItem } from "../../contracts/chunk.js";
import type { RunSettings } from "../../contracts/run-config.js";
import type { TaskInstance } from "../../contracts/task.js";
import type { TaskProgram } from "../program/task-program.js";
import { Packer } from "./bulk/packed-chunk.js";
import type { SeenKeys } from "./bulk/seen-keys.js";
import { type Candidate, isRefusal, type KnownItem, type Named, Namer, type Refusal } from "./candidates.js";
import { type FinishedCheck, isFinished, type SkipReason } from "./finished.js";
import { batchesOf } from "./item-batches.js";
import { ItemChunk } from "./item-chunk.js";
import type { KeyFilter } from "./key-filter.js";
import { ShuffleWindow, SmallestHashes } from "./ordering.js";

/** An item that is to run. `again`: it was finished, and has to be redone. */
type PlannedItem = Candidate & { readonly json: string; readonly again: boolean };

/** How many more items may run. One for all shards of a run. */
export interface Limit {
  left: number;
}

export interface PlanListener {
  onListed(): void;
  onSkipped(key: string, reason: SkipReason): void;
  onRefused(refusal: Refusal): void;
  /** The input mode has something to say of the listing as a whole. */
  onWarning?(message: string): void;
}

export interface PlannerOptions {
  readonly program: TaskProgram;
  readonly instance: TaskInstance;
  /** Number of the hard shard whose items these are. */
  readonly shard: number;
  readonly settings: RunSettings;
  readonly limit: Limit;
  readonly keyFilter: KeyFilter;
  readonly finished: FinishedCheck;
  /** Every item of the source runs, whatever it is: nothing selects, and no earlier run finished any. */
  readonly runsAll: boolean;
  /** The task's `isExecuted` has no say: an epoch is open. */
  readonly ignoresTask: boolean;
  readonly seen: { keys: SeenKeys | null; outputs: SeenKeys | null };
  /** Items to use in place of listing the input (`--retry-failed`). */
  readonly items?: Iterable<readonly KnownItem[]>;
  readonly signal: AbortSignal;
}

const MAX_TURN_MS = 10;

/**
 * Which items run, lazily and in order:
 * list → name → soft shard (by raw index) → key filters → sample → shuffle → leave out the finished → limit.
 */
export class Planner {
  readonly #options: PlannerOptions;
  readonly #namer: Namer;
  readonly #inSoftShard: (index: number) => boolean;
  readonly #packer: Packer | undefined;
  /** On which header items run, and items that are redone. */
  readonly #header: { readonly first: ChunkHeader; readonly again: ChunkHeader };

  constructor(options: PlannerOptions) {
    this.#options = options;
    this.#namer = new Namer(options);
    const softShard = options.program.modes?.softShard;
    const divides = softShard && !options.items && softShard.definition.scope(softShard.fields).length > 0;
    const byContent = !options.program.modes && !options.instance.keyOf && options.seen.keys;
    const { shard, ignoresTask } = options;
    this.#header = { first: { shard, forced: ignoresTask }, again: { shard, forced: true } };
    this.#packer = options.runsAll && byContent ? new Packer(byContent, this.#header.first) : undefined;
    this.#inSoftShard = divides ? softShard.definition.selector(softShard.fields) : () => true;
  }

  /** Arrays of items to run. Stops early at `--limit`. A source that throws ends it with "generate-tasks". */
  async *batches(listener: PlanListener): AsyncGenerator<readonly PlannedItem[]> {
    const { limit } = this.#options;
    let turnStarted = performance.now();
    for await (const candidates of this.#ordered(listener)) {
      const due: PlannedItem[] = [];
      for (const candidate of candidates) {
        if (limit.left <= 0) break;
        if (this.#due(candidate, listener, due)) limit.left--;
      }
      if (due.length > 0) yield due;
      if (limit.left <= 0) return;
      if (performance.now() - turnStarted > MAX_TURN_MS) {
        // Skipping a million finished items must not keep messages and signals out.
        await nextTurn();
        turnStarted = performance.now();
      }
    }
  }

  /** What is to run, as the dispatcher takes it. */
  async *chunks(listener: PlanListener): AsyncGenerator<Chunk> {
    if (this.#packer) yield* this.#packed(this.#packer, listener);
    else
      for await (const due of this.batches(listener)) {
        const [first, again] = [due.filter((planned) => !planned.again), due.filter((planned) => planned.again)];
        if (first.length > 0) yield loose(first, this.#header.first);
        if (again.length > 0) yield loose(again, this.#header.again);
      }
  }

  /** Nothing can leave an item out, so that naming it is all there is to do: plain records go in bulk. */
  async *#packed(packer: Packer, listener: PlanListener): AsyncGenerator<Chunk> {
    let index = 0;
    for await (const batch of this.#source(listener)) {
      for (let at = 0; at < batch.length; ) {
        listener.onListed();
        const chunk = packer.pack(batch, at) ?? this.#single(batch[at], index + at, listener);
        at += chunk?.count ?? 1;
        if (chunk) yield chunk;
      }
      index += batch.length;
    }
  }

  #single(raw: unknown, index: number, listener: PlanListener): Chunk | undefined {
    const named = this.#namer.name(raw, index);
    if (!isRefusal(named)) return loose([named as PlannedItem], this.#header.first);
    listener.onRefused(named);
    return undefined;
  }

  #due(candidate: Candidate, listener: PlanListener, due: PlannedItem[]): boolean {
    const state = this.#options.finished.stateOf(candidate);
    listener.onListed();
    if (isFinished(state)) {
      listener.onSkipped(candidate.key, state);
      return false;
    }
    const { key, item, json = encodeItem(item), outputs } = candidate;
    due.push({ key, item, json, outputs, again: state !== "due" });
    return true;
  }

  async *#ordered(listener: PlanListener): AsyncGenerator<readonly Candidate[]> {
    const { sample, shuffle, seed } = this.#options.settings;
    const smallest = sample && "count" in sample ? new SmallestHashes(sample.count) : null;
    const window = shuffle ? new ShuffleWindow(seed) : null;
    const mix = (candidates: readonly Candidate[]): readonly Candidate[] =>
      window
        ? candidates.map((candidate) => window.exchange(candidate)).filter((one) => one !== undefined)
        : candidates;
    for await (const candidates of this.candidates(listener)) {
      if (smallest) for (const candidate of candidates) smallest.add(candidate);
      else yield mix(candidates);
    }
    if (smallest) yield mix(smallest.drain());
    if (window) yield window.drain();
  }

  /** Named items that belong to this run, finished or not. `listener` hears of refusals only. */
  async *candidates(listener: Omit<PlanListener, "onSkipped">): AsyncGenerator<readonly Candidate[]> {
    let index = 0;
    for await (const batch of this.#source(listener)) {
      const candidates: Candidate[] = [];
      for (const raw of batch) {
        const at = index++;
        // Repeats are counted over the whole input, so that a record has one name in every soft shard.
        const watched = this.#options.seen.keys !== null;
        if (!watched && !this.#inSoftShard(at)) continue;
        const named = this.#options.items ? this.#rename(raw as KnownItem) : this.#namer.name(raw, at);
        if (watched && !this.#inSoftShard(at)) continue;
        if (this.#options.keyFilter(named.key) !== null) continue;
        if (isRefusal(named)) {
          listener.onListed();
          listener.onRefused(named);
        } else {
          candidates.push(named);
        }
      }
      if (candidates.length > 0) yield candidates;
    }
  }

  #rename({ key, item }: KnownItem): Named {
    return this.#namer.rename(key, item);
  }

  async *#source({ onWarning }: Pick<PlanListener, "onWarning">): AsyncGenerator<readonly unknown[]> {
    const { program, instance, shard, items, signal } = this.#options;
    try {
      if (items) {
        yield* items;
        return;
      }
      const input = program.modes?.inputMode;
      if (!input) {
        if (!instance.generateTasks) throw new KagurazakaError("generate-tasks", "the task has no generateTasks()");
        yield* batchesOf(instance.generateTasks());
        return;
      }
      const { inputPath, outputPath } = program.roots[shard]!;
      yield* input.definition.list(input.fields, {
        inputRoot: inputPath,
        root: shard,
        leaveOut: outputPath === null ? [] : [outputPath],
        signal,
        warn: (message) => onWarning?.(message),
      });
    } catch (cause) {
      if (KagurazakaError.is(cause)) throw cause;
      const { name, message } = toErrorRecord(cause);
      throw new KagurazakaError("generate-tasks", `listing the items failed: ${name}: ${message}`, { cause });
    }
  }
}

const loose = (planned: readonly PlannedItem[], header: ChunkHeader): Chunk =>
  new ItemChunk(planned.map((one) => new PendingItem(one, header)));
