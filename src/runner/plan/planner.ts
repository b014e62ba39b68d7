import { encodeItem } from "../../base/canonical-json.js";
import { nextTurn } from "../../base/clock.js";
import { KagurazakaError, toErrorRecord } from "../../base/errors.js";
import { type Chunk, type ChunkHeader, PendingItem } from "../../contracts/chunk.js";
import type { OutputDefinition, ResolvedMode } from "../../contracts/modes.js";
import type { RunSettings } from "../../contracts/run-config.js";
import { Packer } from "./bulk/packed-chunk.js";
import {
  type Candidate,
  isRefusal,
  isRepeat,
  type KnownItem,
  Namer,
  type NamerOptions,
  type Refusal,
  refuse,
} from "./candidates.js";
import { type FinishedCheck, isFinished, type SkipReason } from "./finished.js";
import { listInput } from "./input-listing.js";
import { ItemChunk } from "./item-chunk.js";
import { itemListsOf } from "./item-lists.js";
import type { KeyFilter } from "./key-filter.js";
import { ShuffleWindow, SmallestHashes } from "./ordering.js";
import { OwnOutputs } from "./own-outputs.js";

/** An item to run. `again`: it was finished, and has to be redone. */
type PlannedItem = Candidate & { readonly json: string; readonly again: boolean };

/** How many more items may start. Shared by all shards of a run. */
export interface Limit {
  left: number;
}

export interface PlanListener {
  onListed(): void;
  onSkipped(key: string, reason: SkipReason): void;
  /** An item will run. `size` is what the task says of it. */
  onPlanned?(size: number): void;
  onRefused(refusal: Refusal): void;
  /** The listing as a whole: what was passed over, and what the input mode warns of. */
  onWarning?(message: string): void;
  /** An item could not run in an earlier run, and the listing, now at its end, has no such item any more. */
  onCleared?(key: string): void;
}

/** For plans that ask not what is finished. */
type ListingListener = Partial<PlanListener> & Omit<PlanListener, "onSkipped">;

export interface PlannerOptions extends NamerOptions {
  readonly settings: RunSettings;
  readonly limit: Limit;
  readonly keyFilter: KeyFilter;
  /** Whether a directory, by its path with a slash, may have items that the filter selects. */
  readonly mayReach: (dir: string) => boolean;
  /** Directories that are no input: of outputs and of the state of tasks. */
  readonly leaveOut: readonly string[];
  /** The output modes of earlier runs, but for the one of this run. */
  earlierOutputModes(): Promise<readonly ResolvedMode<OutputDefinition>[]>;
  /** Calls back for each item that was ever done. */
  eachDoneKey(onKey: (key: string) => void): Promise<void>;
  /** Items that could not run in an earlier run, where this listing tells whether they are still there. Emptied while it goes on. */
  readonly refusedBefore: Set<string>;
  readonly finished: FinishedCheck;
  /** Every item of the source runs: no flag selects, and no earlier run finished any. */
  readonly runsAll: boolean;
  /** An epoch is open: the task's `isExecuted` is not asked. */
  readonly ignoresTask: boolean;
  /** Items to plan in place of listing the input (`--retry-failed`). */
  readonly items?: Iterable<readonly KnownItem[]>;
  readonly signal: AbortSignal;
}

const MAX_TURN_MS = 10;

/**
 * Plans lazily which items run, in which order:
 * list → name → soft shard (by raw index) → key filters → sample → shuffle → skip finished items → limit.
 */
export class Planner {
  readonly #options: PlannerOptions;
  readonly #namer: Namer;
  readonly #inSoftShard: (index: number) => boolean;
  readonly #packer: Packer | undefined;
  /** The header of items that run for the first time, and of items that are redone. */
  readonly #header: { readonly first: ChunkHeader; readonly again: ChunkHeader };

  constructor(options: PlannerOptions) {
    this.#options = options;
    this.#namer = new Namer(options);
    const softShard = options.program.modes?.softShard;
    const divides = softShard && !options.items && softShard.definition.scope(softShard.fields).length > 0;
    const byContent =
      !options.program.modes && !options.instance.keyOf && !options.instance.sizeOf && options.seen.keys;
    const { shard, ignoresTask } = options;
    this.#header = { first: { shard, forced: ignoresTask }, again: { shard, forced: true } };
    this.#packer = options.runsAll && byContent ? new Packer(byContent, this.#header.first) : undefined;
    this.#inSoftShard = divides ? softShard.definition.selector(softShard.fields) : () => true;
  }

  /** Items to run, in arrays. Ends early at `--limit`; throws "generate-tasks" where the source throws. */
  async *planned(listener: PlanListener): AsyncGenerator<readonly PlannedItem[]> {
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
        // Skipping a million finished items must not block messages and signals.
        await nextTurn();
        turnStarted = performance.now();
      }
    }
  }

  /** The same as chunks. */
  async *chunks(listener: PlanListener): AsyncGenerator<Chunk> {
    if (this.#packer) return yield* this.#packed(this.#packer, listener);
    for await (const due of this.planned(listener)) {
      const [first, again] = [due.filter((item) => !item.again), due.filter((item) => item.again)];
      if (first.length > 0) yield chunkOf(first, this.#header.first);
      if (again.length > 0) yield chunkOf(again, this.#header.again);
    }
  }

  /** For `runsAll`: no stage can leave an item out, so plain records are named and packed in bulk. */
  async *#packed(packer: Packer, listener: PlanListener): AsyncGenerator<Chunk> {
    let index = 0;
    for await (const items of this.#source(listener)) {
      for (let at = 0; at < items.length; ) {
        listener.onListed();
        const chunk = packer.pack(items, at) ?? this.#single(items[at], index + at, listener);
        at += chunk?.count ?? 1;
        if (chunk) yield chunk;
      }
      index += items.length;
    }
  }

  #single(raw: unknown, index: number, listener: PlanListener): Chunk | undefined {
    const named = this.#namer.name(raw, index);
    if (isRefusal(named)) listener.onRefused(named);
    else if (!isRepeat(named)) return chunkOf([named as PlannedItem], this.#header.first);
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
    if (this.#options.instance.sizeOf) listener.onPlanned?.(this.#options.instance.sizeOf(item));
    return true;
  }

  async *#ordered(listener: ListingListener): AsyncGenerator<readonly Candidate[]> {
    const { sample, shuffle, seed } = this.#options.settings;
    const smallest = sample && "count" in sample ? new SmallestHashes(sample.count) : null;
    const window = shuffle ? new ShuffleWindow(seed) : null;
    const mix = (candidates: readonly Candidate[]): readonly Candidate[] =>
      window ? candidates.flatMap((candidate) => window.exchange(candidate) ?? []) : candidates;
    for await (const candidates of this.candidates(listener)) {
      if (smallest) for (const candidate of candidates) smallest.add(candidate);
      else yield mix(candidates);
    }
    if (smallest) yield mix(smallest.drain());
    if (window) yield window.drain();
  }

  /** Named items that belong to this run, finished or not, in the order of the plan and up to `--limit`. */
  async *selected(listener: ListingListener): AsyncGenerator<readonly Candidate[]> {
    const { limit } = this.#options;
    for await (const candidates of this.#ordered(listener)) {
      const some = candidates.length > limit.left ? candidates.slice(0, limit.left) : candidates;
      limit.left -= some.length;
      if (some.length > 0) yield some;
      if (limit.left <= 0) return;
    }
  }

  /** Named items that belong to this run, finished or not, as listed. */
  async *candidates(listener: ListingListener): AsyncGenerator<readonly Candidate[]> {
    const { seen, items: known, keyFilter, refusedBefore, foldsOutputs } = this.#options;
    const repeats = { count: 0, first: "" };
    let index = 0;
    for await (const items of this.#source(listener)) {
      const candidates: Candidate[] = [];
      for (const raw of items) {
        const isIncluded = this.#inSoftShard(index++);
        // Items outside the soft shard are named as well where keys may repeat: a repeated record is numbered over the whole
        // input, so that it has the same name in every soft shard. So are output names that are one file: one item has it.
        if (!isIncluded && seen.keys === null && !foldsOutputs) continue;
        const named = known ? this.#namer.rename(raw as KnownItem) : this.#namer.name(raw, index - 1);
        if (!isIncluded || keyFilter(named.key) !== null) continue;
        if (refusedBefore.size > 0) refusedBefore.delete(named.key);
        if (isRefusal(named)) {
          listener.onListed();
          listener.onRefused(named);
        } else if (isRepeat(named)) {
          if (repeats.count++ === 0) repeats.first = named.key;
          listener.onListed();
          listener.onSkipped?.(named.key, "listed before");
        } else {
          candidates.push(named);
        }
      }
      if (candidates.length > 0) yield candidates;
    }
    if (repeats.count > 0) listener.onWarning?.(describeRepeats(repeats));
    for (const key of refusedBefore) listener.onCleared?.(key);
  }

  #refuseDirectory(refusal: Refusal, listener: ListingListener): void {
    if (!this.#options.mayReach(refusal.key)) return;
    this.#options.refusedBefore.delete(refusal.key);
    listener.onListed();
    listener.onRefused(refusal);
  }

  async *#source(listener: ListingListener): AsyncGenerator<readonly unknown[]> {
    const { program, instance, shard, items, signal } = this.#options;
    try {
      if (items) {
        yield* items;
        return;
      }
      const input = program.modes?.inputMode;
      if (!input) {
        if (!instance.generateTasks) throw new KagurazakaError("generate-tasks", "the task has no generateTasks()");
        yield* itemListsOf(instance.generateTasks());
        return;
      }
      const ownOutputs = await OwnOutputs.of(program, shard, this.#options.earlierOutputModes);
      if (ownOutputs) await this.#options.eachDoneKey((key) => ownOutputs.addKey(key));
      yield* listInput({
        mode: input,
        inputRoot: program.roots[shard]!.inputPath,
        shard,
        leaveOut: this.#options.leaveOut,
        ownOutputs,
        signal,
        warn: (message) => listener.onWarning?.(message),
        onUnreadable: (key, item, error) => this.#refuseDirectory(refuse(key, item, error), listener),
      });
    } catch (cause) {
      if (KagurazakaError.is(cause)) throw cause;
      const { name, message } = toErrorRecord(cause);
      throw new KagurazakaError("generate-tasks", `listing the items failed: ${name}: ${message}`, { cause });
    }
  }
}

const describeRepeats = ({ count, first }: { count: number; first: string }): string =>
  count === 1
    ? `1 item is listed twice and runs once: ${JSON.stringify(first)}`
    : `${count} items are repeats of items listed before, which run once: ${JSON.stringify(first)} and others`;

const chunkOf = (planned: readonly PlannedItem[], header: ChunkHeader): Chunk =>
  new ItemChunk(planned.map((one) => new PendingItem(one, header)));
