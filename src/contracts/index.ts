/**
 * Glossary. Each word has one meaning in code, flags, logs and files. Words in `code` are types and classes; a test checks
 * that every exported class of the runner is here.
 *
 * Input
 * - **task**: the user's class, which lists items, tells which are finished, and processes them. Its *kind* (`TaskKind`) is
 *   what one call of `process` gets: an item, or a batch. `TaskRef`: a task as it is sent to workers, without any path.
 * - **item**: one input, a JSON-like record; **key**: the stable text that identifies it, never its position.
 * - **mode**: a building block of a template: finds inputs, names outputs, or judges completion.
 * - **mixin**: configuration merged over a template's values. **origin**: where a value was set.
 * - **shard**: a part of the input: *hard* = its own directories (`Shard`, `ShardPaths`), *soft* = by index or key.
 *   **partition**: the part of a root that one run works on. **selection**: the items that one run is asked for.
 *
 * Planning
 * - **plan**: which items run, in which order (`Planner`). A listed item is named (`Namer`) and becomes a *candidate*; it is
 *   finished or due (`FinishedCheck`, by `ExistingFiles` or the ledger); `--sample N` and `--shuffle` reorder
 *   (`SmallestHashes`, `ShuffleWindow`). What a task has made (`OwnOutputs`, of `KnownOutputs`) is not its input.
 * - **chunk**: items that travel together; transport only, no unit of work, no barrier. `ItemChunk`: one `PendingItem` per
 *   item; `PackedChunk` (by `Packer`): bytes; `ChunkSlice`: a part of one; `ReceivedChunk`: on the worker's side.
 *
 * Execution
 * - **execution**: the half of a run that turns chunks into outcomes (`Execution`). The *local* one is the `Dispatcher`: its
 *   `WorkerPool` has a `WorkerHandle` per worker, with what is `InFlight` there, and `Staffing` decides how many there are; the
 *   `Feeder` has a `ReadyQueue`, `WaitingItems`, a `Throttle` (`--rate`) and `Credits` by the `MeanDuration`; `ItemOutcomes`
 *   decides what becomes of an item; `Watch` and `StallClock` look for items over their time.
 * - **scope**: what refuses items for now, as they say by `RetryAfterError`: a host, a model. Items wait for a time in a
 *   `WaitingRoom`, those of a scope at its `ScopeGate` (`Scopes`), whose `AdaptiveLimit` knows what it accepts by a `Flow`.
 *   `UnnamedItems` have named no scope yet.
 * - **backbone**: where items are executed and how many at once. **worker**: a thread or process that executes for it;
 *   **slot**: one item's place in a worker. **activity**: shared memory that shows which item runs in which slot.
 * - **fleet**: a coordinator, nodes on other machines, and a queue between them (`FleetBookkeeping`:
 *   `OutgoingItems`, `OutstandingChunks`, `NodeHeartbeats`, `LostItems`, `FirstOutcomes`, `RunReports`; a node has a `QueueChunk` with `QueueItem`s). **node**: a process that runs a local execution for a
 *   coordinator on another machine (`NodeEvents`). An *isolated* chunk was on a lost node: its items run one by one, alone.
 * - **dashboard**: a page that shows a fleet to people (`FleetPoller` asks, `RateHistories` remember, a `Feed` says what has
 *   changed, to the pages of an `EventStream`); it knows `FleetControl` alone. **worker** is on it what is a *node* here.
 * - **executor**: turns items into outcomes inside a worker: item executor (`ItemExecutor`) or batch executor, by the task's
 *   kind. **batch**: the input of one call of a model, or columns of records; nothing else.
 * - **attempt**: one try at one item (`Attempts`, `ItemContext`): bound to its files (`ItemBinder`, `RootGuard`), published by
 *   a rename (`Publication`), told in bulk (`OutcomeBuffer`). **program**: what an item starts (`ItemPrograms`, `SpawnerPool`,
 *   `Spawner`, `PidBoard`).
 * - **outcome** of an item: `done`, `skipped` (finished before), `filtered` (nothing to do, with a reason), `failed`, `cancelled`.
 * - **draining**: no more items start, running ones may settle. **leaving**: a worker starts no more items, because it drains
 *   or has reached a limit (`RecycleLimit`). **quarantine**: a suspect of a crash runs alone in a worker. **suspects** of a
 *   crash of the whole process (`Suspects`, found in the `InFlightJournal`) go first, in an *isolated session*.
 *
 * Recording
 * - **run**: one invocation (`Run`). **recorder**: writes outcomes to the ledger (`Recorder`), counts them (`RunCounters`,
 *   `DurationHistogram`), logs (`RunLog`). **sink**: collects rows of many items in few files; **frame**: the rows of one
 *   attempt for one sink; **part**: a finished file of a sink.
 * - **ledger**: append-only record of outcomes (`Ledger`, `SegmentWriter`, `LineBuffer`; read as a `LedgerIndex` over a `FingerprintTable`, with
 *   `FailedKeys`). **segment**: the ledger's file of one run. **epoch**: one full (re)doing, opened by `--force`.
 *   **checkpoint** (`Checkpoints`): a line up to which the ledger and its outputs are on disk; later lines are *unsynced*.
 * - **lease**: the exclusive right to work on a partition, with a heartbeat (`Beat`, `HeartbeatThread`).
 * - **audit**: compares a root with its ledger (`Judge`, `AuditCounters`, `DeepCheck`).
 *   **compaction**: folds a ledger (`LineWriter`). **split**: makes hard shards of a tree (`Placer`, `Removals`,
 *   `ShardDirectories`, `SplitCounters`, `PlacingFailed`).
 */
export type * from "./activity.js";
export type * from "./backbone.js";
export type * from "./chunk.js";
export type * from "./execution.js";
export type * from "./executor.js";
export type * from "./fleet.js";
export type * from "./fleet-control.js";
export type * from "./item.js";
export type * from "./modes.js";
export type * from "./outcome.js";
export type * from "./partition.js";
export type * from "./run-config.js";
export type * from "./run-hooks.js";
export type * from "./sink.js";
export type * from "./task.js";
export type * from "./wire.js";
