import { tmpdir } from "node:os";
import { openDisposalStack } from "../../base/disposal-stack.js";
import { foldsNames } from "../../base/names-on-disk.js";
import { eachSettles } from "../../base/settles.js";
import type { Item } from "../../contracts/item.js";
import { type Yields, yieldsOf } from "../../contracts/modes.js";
import type { RunSettings } from "../../contracts/run-config.js";
import { eachDoneKey, failedItems, type LedgerIndex } from "../ledger/index.js";
import { openSeenKeys, type SeenKeys } from "../plan/bulk/seen-keys.js";
import type { KnownItem } from "../plan/candidates.js";
import { FinishedCheck } from "../plan/finished.js";
import { createKeyFilter, createReach, type KeyFilter } from "../plan/key-filter.js";
import { leftOutOf } from "../plan/left-out.js";
import { type Limit, Planner } from "../plan/planner.js";
import { createStaleness } from "../plan/staleness.js";
import type { PreparedRun } from "../prepare/prepared-run.js";
import { givenSelectors } from "../prepare/selection.js";
import { filesOf, pathOfFile } from "../program/item-files.js";
import { earlierOutputModes } from "../record/earlier-outputs.js";
import type { History } from "../record/history.js";

export interface OpenPlanner extends AsyncDisposable, Pick<Planner, "planned" | "candidates" | "selected" | "chunks"> {
  readonly finished: FinishedCheck;
  readonly keyFilter: KeyFilter;
}

/** `--limit`, over all shards of a run. */
export const limitOf = ({ limit = Number.POSITIVE_INFINITY }: RunSettings): Limit => ({ left: limit });

/** The plan of one shard, with the keys seen so far, where keys could repeat. */
export async function openPlanner(
  prepared: PreparedRun,
  history: History,
  limit = limitOf(prepared.config.run),
): Promise<OpenPlanner> {
  const { program, instance, config } = prepared;
  const { shard } = history;
  const { modes } = program;
  const stack = openDisposalStack();
  const openSeen = (isNeeded: boolean): SeenKeys | null =>
    isNeeded ? stack.use(openSeenKeys({ spillDir: tmpdir() })) : null;
  const yields = modes?.inputMode ? yieldsOf(modes.inputMode) : "record";
  const finishMode = modes?.finishCheckMode;
  const { outputRoot } = prepared.shards[shard]!;
  const foldsOutputs = modes?.outputMode && outputRoot !== null ? foldsNames(outputRoot) : false;
  const checks = {
    rule: finishMode ? finishMode.definition.rule(finishMode.fields) : null,
    outputRoot,
    inputPathsOf: (item: Item) => filesOf(yields, item).map(([, file]) => pathOfFile(program.roots[file.root], file)),
  };
  const { index, now } = history;
  const finished = new FinishedCheck({
    ...checks,
    taskDecides: typeof instance.isExecuted === "function",
    skipFailed: config.run.skipFailed,
    ledger: history,
    isStale: createStaleness({ ...checks, redo: config.run.redo, now, index }),
  });
  const retry = config.run.retryFailed ? failedBefore(history.index) : undefined;
  const selected = createKeyFilter(config.run);
  const hasFailed = retry?.keys && withDirectories(retry.keys);
  const keyFilter: KeyFilter = hasFailed
    ? (key) => (hasFailed(key) ? selected(key) : "--retry-failed: it has not failed")
    : selected;
  const reaches = createReach(config.run);
  const selects = givenSelectors(config.run, "selects-by-key", "selects-by-order", "counts").length > 0;
  const abort = new AbortController();
  stack.defer(() => abort.abort());
  const planner = new Planner({
    program,
    instance,
    shard,
    settings: config.run,
    limit,
    ignoresTask: history.ignoresTask,
    keyFilter,
    mayReach: (dir) => (hasFailed?.(dir) ?? true) && reaches(dir),
    leaveOut: leftOutOf(prepared.shards, config.run.runDir),
    earlierOutputModes: () => earlierOutputModes(program, prepared.shards[shard]!.runsDir),
    eachDoneKey: (onKey) => eachDoneKey(index, onKey),
    refusedBefore: refusedBefore(history, yields),
    finished,
    runsAll: !selects && history.index.segments.length === 0,
    seen: {
      keys: openSeen(!modes?.inputMode?.definition.uniqueKeys),
      items: openSeen(!modes?.inputMode?.definition.uniqueKeys && hasOwnKeys(prepared, yields)),
      outputs: openSeen(modes?.outputMode?.definition.unique === false || foldsOutputs),
    },
    foldsOutputs,
    isDone: (key) => index.statusOf(key)?.status === "done",
    ...(retry?.items ? { items: retry.items } : {}),
    signal: abort.signal,
  });
  const source = modes?.inputMode
    ? `input mode ${modes.inputMode.definition.name}`
    : `generateTasks() of ${program.ref.id}`;
  return {
    finished,
    keyFilter,
    planned: (listener) => eachSettles(source, planner.planned(listener)),
    chunks: (listener) => eachSettles(source, planner.chunks(listener)),
    candidates: (listener) => eachSettles(source, planner.candidates(listener)),
    selected: (listener) => eachSettles(source, planner.selected(listener)),
    [Symbol.asyncDispose]: () => stack.close(),
  };
}

/**
 * The failed items, without listing the input again: the ledger has the items themselves. Where an item was too large to be
 * kept there, the input is listed and filtered by the failed keys.
 */
function failedBefore(index: LedgerIndex): { items?: Iterable<readonly KnownItem[]>; keys?: ReadonlySet<string> } {
  for (const { item, attempts } of failedItems(index)) {
    // An item without an attempt was refused. The ledger may have kept less than all of it, and it has to be refused again.
    if (item === undefined || attempts === 0) return { keys: new Set(index.failedKeys()) };
  }
  return { items: knownItems(index) };
}

/** Items in a directory that could not be listed have failed with it. */
function withDirectories(keys: ReadonlySet<string>): (key: string) => boolean {
  return (key) => {
    if (keys.has(key)) return true;
    for (let end = key.indexOf("/"); end >= 0; end = key.indexOf("/", end + 1))
      if (keys.has(key.slice(0, end + 1))) return true;
    return false;
  };
}

/** Items are named by files, by a field or by the task, and not by a hash of all that they are. */
function hasOwnKeys({ program, instance }: PreparedRun, yields: Yields): boolean {
  const input = program.modes?.inputMode;
  return (
    yields !== "record" ||
    typeof instance.keyOf === "function" ||
    input?.definition.keyField?.(input.fields) !== undefined
  );
}

/**
 * Directories that could not be listed, and items whose key was taken (`key#2`): nothing runs by which the ledger would learn
 * that they are no more, so the end of a listing tells. Every listing reads all directories; only a whole one has all keys.
 */
function refusedBefore({ index, seesAll }: History, yields: Yields): Set<string> {
  const keys = new Set<string>();
  const mayTell = (key: string): boolean => (key.endsWith("/") ? yields !== "record" : seesAll && /#\d+$/.test(key));
  for (const { key, attempts } of failedItems(index, mayTell)) if (attempts === 0) keys.add(key);
  return keys;
}

function* knownItems(index: LedgerIndex): Generator<readonly KnownItem[]> {
  let items: KnownItem[] = [];
  for (const { key, item } of failedItems(index)) {
    items.push({ key, item: item as Item });
    if (items.length < 1024) continue;
    yield items;
    items = [];
  }
  if (items.length > 0) yield items;
}
