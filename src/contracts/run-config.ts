import type { TaskOptions } from "./task.js";

/** A number of items or a share of them. */
export type CountOrShare = { readonly count: number } | { readonly percent: number };

/** `--shard i/N`: part `index` (0-based) of `of`, by hash of key. */
export interface HashShard {
  readonly index: number;
  readonly of: number;
}

/** What may have changed since an item was finished. */
export const redoCauses = ["code", "options", "version", "inputs"] as const;
export type RedoCause = (typeof redoCauses)[number];

/** The run's own settings after all layers, defaults filled in. Milliseconds throughout. Where `config/` ends. */
export interface RunSettings {
  readonly dryRun: boolean;
  /** Items that run, not items listed. */
  readonly limit: number | undefined;
  readonly sample: CountOrShare | undefined;
  /** Globs over keys; an item is in when one matches. Empty: all. */
  readonly only: readonly string[];
  /** File with one key a line; or the keys themselves. */
  readonly keys: string | readonly string[] | undefined;
  readonly shuffle: boolean;
  readonly seed: number;
  readonly shard: HashShard | undefined;
  readonly force: false | "continue" | "new";
  /** Finished items are redone where this has changed. */
  readonly redo: readonly RedoCause[];
  readonly skipFailed: boolean;
  readonly retryFailed: boolean;
  /** Tries after the first. */
  readonly retries: number;
  readonly backoff: { readonly minMs: number; readonly maxMs: number };
  readonly timeout: number | undefined;
  readonly maxFailures: CountOrShare | "none" | undefined;
  readonly allowFailures: CountOrShare | undefined;
  readonly stall: number | undefined;
  readonly grace: number;
  readonly rate: { readonly perSecond: number } | undefined;
  readonly runDir: string | undefined;
  readonly durable: boolean;
  /** Items at once in one worker. */
  readonly concurrency: number;
  readonly chunksize: number | "auto";
}

/** Where a value was said. `text` is what an error prints: `base.yaml:12:3`, `--mixin`, `decorator`, `task`, `default`. */
export interface Origin {
  readonly kind: "default" | "task" | "decorator" | "file" | "flag" | "code";
  readonly text: string;
}

/** One line of `--show-config` and of run.json: the value as an expression (`${oc.env:KEY}` is kept), secrets masked. */
export interface ConfigEntry {
  /** Dotted: `run.retries`, `backbone.num_process`, `task.language`, `mixin.hard_shard_mode.input_path`. */
  readonly path: string;
  readonly value: unknown;
  readonly origin: Origin;
}

/** Everything a run needs to know, decided and checked. */
export interface ResolvedConfig {
  readonly run: RunSettings;
  readonly backbone: { readonly name: string; readonly options: Readonly<Record<string, unknown>> };
  readonly task: TaskOptions;
  readonly entries: readonly ConfigEntry[];
  /** Things worth a line but no error: YAML 1.1 spellings, ignored keys of the Python tool. */
  readonly notes: readonly string[];
}
