import type { Json } from "./item.js";
import type { TaskOptions } from "./task.js";

/** A number of items or a share of them. */
export type CountOrShare = { readonly count: number } | { readonly percent: number };

/** `--shard i/N`: part `index` (0-based) of `of` parts, by the hash of the key. */
export interface HashShard {
  readonly index: number;
  readonly of: number;
}

/** What `--redo` can name: something that may have changed since an item was finished. */
export const redoCauses = ["code", "options", "version", "inputs"] as const;
export type RedoCause = (typeof redoCauses)[number];

/** The settings of a run after all layers of configuration, with defaults. Durations are in milliseconds. */
export interface RunSettings {
  readonly dryRun: boolean;
  /** Counts items that run, not items listed. */
  readonly limit: number | undefined;
  readonly sample: CountOrShare | undefined;
  /** Globs over keys, of which one has to match. Empty: all items. */
  readonly only: readonly string[];
  /** The name of a file with one key a line, or `-`; in a run that is prepared, the keys themselves. */
  readonly keys: string | readonly string[] | undefined;
  readonly shuffle: boolean;
  readonly seed: number;
  readonly shard: HashShard | undefined;
  readonly force: false | "continue" | "new";
  /** Finished items are redone where this has changed. */
  readonly redo: readonly RedoCause[];
  readonly skipFailed: boolean;
  readonly retryFailed: boolean;
  /** Attempts after the first. */
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
  /** Items at once in one process, all its workers together. Default: one per worker. */
  readonly concurrency: number | undefined;
  readonly chunksize: number | "auto";
}

/** Where a value was set. `text` is for messages: `base.yaml:12:3`, `--mixin`, `decorator`, `task`, `default`. */
export interface Origin {
  readonly kind: "default" | "task" | "decorator" | "file" | "flag" | "code";
  readonly text: string;
}

/** One line of `--show-config` and of run.json. Expressions such as `${oc.env:KEY}` are kept, secrets are masked. */
export interface ConfigEntry {
  /** Dotted: `run.retries`, `backbone.num_process`, `task.language`, `mixin.hard_shard_mode.input_path`. */
  readonly path: string;
  readonly value: unknown;
  readonly origin: Origin;
}

/** The configuration of a task as it was written, for another machine to resolve: `${oc.env:KEY}` stands as it is. */
export interface WrittenConfig {
  readonly task: Readonly<Record<string, Json>>;
  /** The merged template; null for a task without one. */
  readonly mixin: Readonly<Record<string, Json>> | null;
  readonly rawArgs: readonly string[];
}

/** Values of a backbone's `options`, parsed. */
export type BackboneOptions = Readonly<Record<string, unknown>>;

/** The resolved and checked configuration of a run. */
export interface ResolvedConfig {
  readonly run: RunSettings;
  readonly backbone: { readonly name: string; readonly options: BackboneOptions };
  readonly task: TaskOptions;
  readonly entries: readonly ConfigEntry[];
  /** @throws KagurazakaError where a value is a secret: it must not leave this machine */
  written(): WrittenConfig;
  /** For the user: YAML 1.1 spellings, ignored keys of the Python tool. */
  readonly notes: readonly string[];
}
