/**
 * The words of this house, each meaning one thing everywhere (code, flags, logs, files). Words in `code` are types and
 * classes; a test holds that every exported class of the runner is here.
 *
 * What a user says
 * - **task**: the user's class: which items there are, which are finished, how to process one. Its *kind* (`TaskKind`) is
 *   what one `process` is given: an item, or a batch. `TaskRef`: a task as it crosses a border, without any path.
 * - **item**: one input, a JSON-like record; **key**: the stable text that names it, never its position.
 * - **mode**: a template's building block: how inputs are found, outputs named, completion judged.
 * - **mixin**: configuration merged over a template's values. **origin**: where a value was said.
 * - **shard**: a part of the input: *hard* = its own directories (`Shard`, `ShardPaths`), *soft* = by index or key.
 *   **partition**: the part of a root that one run works on. **selection**: the items that one run is asked for.
 *
 * Planning
 * - **plan**: which items run, in which order (`Planner`). A listed item is named (`Namer`) and becomes a *candidate*; it is
 *   finished or due (`FinishedCheck`, by `ExistingFiles` or the ledger); `--sample N` and `--shuffle` reorder
 *   (`SmallestHashes`, `ShuffleWindow`).
 * - **chunk**: items that travel together; transport only, no unit of work, no barrier. `ItemChunk`: one `PendingItem` per
 *   item; `PackedChunk` (by `Packer`): bytes; `ChunkSlice`: a part of one; `ReceivedChunk`: on the worker's side.
 *
 * Execution
 * - **execution**: the half of a run that turns chunks into outcomes (`Execution`). The *local* one is the `Dispatcher`: its
 *   `WorkerPool` has a `WorkerHandle` per worker, with what is `InFlight` there; the `Feeder` has a `ReadyQueue`, a
 *   `WaitingRoom` (backoff) and a `Throttle`, and sizes chunks by the `MeanDuration`; `ItemOutcomes` decides what becomes of
 *   an item; `Watch` and `StallClock` look for items over their time.
 * - **backbone**: where items are executed and how many at once. **worker**: a thread or process that executes for it;
 *   **slot**: one item's place in a worker. **activity**: shared memory that shows which item runs in which slot.
 * - **fleet**: a coordinator, nodes on other machines, a queue between them (`FleetBookkeeping`,
 *   `OutstandingChunks`). **node**: a process on one
 *   machine that runs a local execution for a coordinator elsewhere.
 * - **executor**: what turns items into outcomes inside a worker: item executor (`ItemExecutor`) or batch executor. Belongs to
 *   the task's kind. **batch**: what a model is given at once, or columns of records; nothing else.
 * - **attempt**: one try at one item (`Attempts`, `ItemContext`): bound to its files (`ItemBinder`, `RootGuard`), published by
 *   a rename (`Publication`), told in bulk (`OutcomeBuffer`). **program**: what an item starts (`ItemPrograms`, `SpawnerPool`,
 *   `Spawner`, `PidBoard`).
 * - **outcome** of an item: `done`, `skipped` (finished before), `filtered` (nothing to do, with a reason), `failed`, `cancelled`.
 * - **draining**: starts nothing new, running items may settle. **leaving**: a worker starts nothing more, asked to or by a
 *   limit (`RecycleLimit`). **quarantine**: a suspect of a crash runs alone in a worker. **suspects** of a crash of the whole
 *   process (`Suspects`, found by the `InFlightJournal`) go first, in an *isolated session*.
 *
 * Recording
 * - **run**: one invocation (`Run`). **recorder**: writes down what became of items (`Recorder`), counts it (`RunCounters`,
 *   `DurationHistogram`), logs it (`RunLog`). **sink**: where rows go that are not one file per item; **frame**: rows of one
 *   attempt for one sink; **part**: a finished file of a sink.
 * - **ledger**: append-only record of outcomes (`Ledger`, `SegmentWriter`, `LineBuffer`; read as a `LedgerIndex` over a `FingerprintTable`, with
 *   `FailedKeys`). **segment**: the ledger's file of one run. **epoch**: one full (re)doing, opened by `--force`.
 *   **checkpoint** (`Checkpoints`): a line that says how far the disk has come; what is not covered by one is *unsynced*.
 * - **lease**: the right to work on a partition, with a heartbeat (`Beat`, `HeartbeatThread`).
 * - **audit**: holds a root against its ledger (`Judge`, `Findings`, `AuditCounters`, `DeepCheck`, `KnownOutputs`).
 *   **compaction**: folds a ledger (`LineWriter`). **split**: makes hard shards of a tree (`Placer`, `Removals`,
 *   `ShardDirectories`, `SplitCounters`, `PlacingFailed`).
 */
export type * from "./activity.js";
export type * from "./backbone.js";
export type * from "./chunk.js";
export type * from "./execution.js";
export type * from "./executor.js";
export type * from "./fleet.js";
export type * from "./item.js";
export type * from "./modes.js";
export type * from "./outcome.js";
export type * from "./partition.js";
export type * from "./run-config.js";
export type * from "./run-hooks.js";
export type * from "./sink.js";
export type * from "./task.js";
export type * from "./wire.js";
