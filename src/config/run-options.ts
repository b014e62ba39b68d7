import type { OptionSpec, OptionValues } from "../base/option-spec.js";
import { type RunSettings, redoCauses } from "../contracts/run-config.js";
import * as text from "./text/quantities.js";

/** A flag of the tool itself. */
export interface ToolOption extends OptionSpec {
  /** A flag that may stand alone: what it then means, and the only words it takes as its value otherwise. */
  readonly bare?: { readonly value: string; readonly words: readonly string[] };
  /** Only the command line has it: it decides before any configuration is read. */
  readonly argvOnly?: true;
  /** An object that code gives, as the text a flag would carry. */
  readonly write?: (value: never) => string | undefined;
}

/** What code says with types as the text of a flag; anything else as it is. */
export const writtenValue = ({ write }: ToolOption, value: unknown): unknown =>
  write && typeof value === "object" ? write(value as never) : value;

const flag = { type: "boolean", default: false } as const;
const time = { type: "duration", min: 1, placeholder: "TIME" } as const;

/** The run's own settings, in the order help shows them. */
export const runOptions = {
  dryRun: {
    ...flag,
    help: "Count items by what would happen to them and show the first input → output pairs; run nothing.",
  },
  limit: {
    type: "integer",
    min: 0,
    placeholder: "N",
    help: "Run at most N items; what is finished already does not count. Default: all.",
  },
  sample: {
    ...text.sample,
    placeholder: "P%|N",
    help: "Only a share of the items by hash of key (1%), or the N with the smallest hashes (of each hard shard). The same items every time. Default: all.",
  },
  only: {
    type: "strings",
    notEmpty: true,
    default: [],
    placeholder: "GLOB",
    help: "Only items whose key matches; may be repeated, one match is enough. Default: all.",
  },
  keys: {
    type: "string",
    notEmpty: true,
    placeholder: "FILE|-",
    help: "Only items whose key stands in FILE, one key a line; - is standard input. Default: all.",
  },
  shuffle: {
    ...flag,
    help: "Run items in random order, within a window of 65,536 items; the order depends on --seed. Default: as listed.",
  },
  seed: { type: "integer", default: 0, placeholder: "N", help: "Seed of --shuffle and of ctx.random(). Default: 0." },
  shard: { ...text.shard, placeholder: "I/N", help: "Only part I (from 0) of N parts, by hash of key. Default: all." },
  force: {
    ...text.force,
    default: "false",
    placeholder: "continue|new",
    bare: { value: "continue", words: ["continue", "new"] },
    help: "Do finished items again. Repeating the command goes on with the redoing; `--force new` starts it over. Default: off.",
  },
  redo: {
    type: "strings",
    default: [],
    choices: redoCauses,
    help: "Do finished items again that were made by other code, other options or another version, or whose inputs changed since. Default: they are kept, with a warning that counts them.",
  },
  skipFailed: { ...flag, help: "Skip items that failed in an earlier run. Default: they are tried again." },
  retryFailed: { ...flag, help: "Run just the items in failed.jsonl, without listing the input again." },
  retries: {
    type: "integer",
    default: 2,
    min: 0,
    max: 1_000_000,
    placeholder: "N",
    help: "Tries of one item after its first. Default: 2.",
  },
  backoff: {
    ...text.backoff,
    default: "1s:60s",
    placeholder: "MIN:MAX",
    help: "Wait before a retry: exponential from MIN up to MAX with full jitter, from the moment the try failed. Default: 1s:60s.",
  },
  timeout: { ...time, help: "Longest time of one try (60s), from the moment process() is called. Default: none." },
  maxFailures: {
    ...text.budget,
    placeholder: "N|P%|none",
    help: "Stop (exit 4) after N failed items, or above P% of at least 1,000 settled ones; none: never. Default: stop when the first 20 all fail alike.",
  },
  allowFailures: {
    ...text.share,
    placeholder: "N|P%",
    help: "Exit 0 although items failed, up to N or P% of them. Default: 0.",
  },
  stall: {
    ...time,
    help: "Stop (exit 5) when no item settled and no ctx.progress() came for this time. Default: warn after 30m, never stop.",
  },
  grace: {
    type: "duration",
    default: "30s",
    min: 0,
    placeholder: "TIME",
    help: "How long running items may finish, from the first SIGINT or SIGTERM. Default: 30s.",
  },
  rate: {
    ...text.rate,
    placeholder: "N/s|N/m|N/h",
    help: "Start at most so many items per second, minute or hour, over all workers. Default: no bound.",
  },
  runDir: {
    type: "string",
    notEmpty: true,
    placeholder: "DIR",
    help: "Where ledger, reports and logs go. Default: <output root>/.kagurazaka/<task id>.",
  },
  durable: {
    ...flag,
    help: "fsync outputs and ledger before an item counts as done, so that a power loss loses nothing. Default: safe against kill -9 only.",
  },
  concurrency: {
    type: "integer",
    min: 1,
    max: 100_000,
    placeholder: "N",
    help: "Items at once, all workers together (on a fleet: per node), for items that mostly wait. Default: one per worker.",
  },
  chunksize: {
    ...text.chunksize,
    default: "auto",
    placeholder: "N|auto",
    help: "Items that travel to a worker together. Default: auto, about 100 ms of work.",
  },
} as const satisfies { readonly [K in keyof RunSettings]: ToolOption };

/** Flags of the command line alone: code does not have them. */
export const cliOptions = {
  backbone: {
    type: "string",
    default: "auto",
    placeholder: "NAME",
    help: "Where items run: auto, inline, mp, bullmq, or the path or package of another backbone. Default: auto.",
  },
  cfg: {
    type: "string",
    placeholder: "FILE",
    argvOnly: true,
    help: "YAML with sections task, backbone and mixin. Repeatable: each is merged over those before it.",
  },
  mixinCfg: {
    type: "string",
    placeholder: "FILE",
    argvOnly: true,
    help: "YAML with a mixin tree alone; wins over the mixin section of --cfg. Repeatable, as --cfg is.",
  },
  mixin: {
    type: "strings",
    placeholder: "KEY=VALUE",
    argvOnly: true,
    help: "Values over the task's template (hard_shard_mode.input_path=in). Several in a row, and repeatable; wins over both files.",
  },
  json: { ...flag, help: "Print one JSON object with the counts on stdout at the end." },
  progress: {
    type: "string",
    choices: ["auto", "bar", "lines", "none"],
    default: "auto",
    placeholder: "auto|bar|lines|none",
    help: "How progress is shown on stderr. Default: auto, a bar on a terminal and a line every 10 s elsewhere.",
  },
  logFormat: {
    type: "string",
    choices: ["pretty", "json"],
    default: "pretty",
    placeholder: "pretty|json",
    help: "Form of messages on stderr. Default: pretty.",
  },
  withWorker: {
    ...flag,
    help: "Start a node beside the run, for a fleet (--backbone bullmq). It ends with the run.",
  },
  detach: {
    ...flag,
    help: "Let the run of a fleet go on by itself, and print its id. `kagurazaka wait RUN` waits for its end.",
  },
  showConfig: { ...flag, help: "Show every value with its origin, and run nothing." },
  debugItem: {
    type: "string",
    placeholder: "KEY",
    help: "Run only the item of this key, in this process, where a debugger can see it.",
  },
  help: { ...flag, argvOnly: true, help: "Flags of the task, or the short help without one." },
  helpBackbone: { ...flag, argvOnly: true, help: "Flags of the chosen backbone." },
  helpKagurazaka: { ...flag, argvOnly: true, help: "This page: all flags of kagurazaka." },
  version: { ...flag, argvOnly: true, help: "Print the version." },
} as const satisfies Record<string, ToolOption>;

export const toolOptions: Readonly<Record<string, ToolOption>> = { ...runOptions, ...cliOptions };

export const uiNames = ["json", "progress", "logFormat", "showConfig", "debugItem", "withWorker", "detach"] as const;

/** Settings of the command line program itself; a run does not know them. */
export type UiSettings = OptionValues<Pick<typeof cliOptions, (typeof uiNames)[number]>>;

/** The most frequent uses of --mixin, as flags. A task or backbone that declares such a name itself keeps it. */
export const shortOptions = {
  in: {
    type: "string",
    notEmpty: true,
    placeholder: "DIR",
    help: "Where the inputs lie. Short for --mixin hard_shard_mode.input_path=DIR.",
  },
  out: {
    type: "string",
    notEmpty: true,
    placeholder: "DIR",
    help: "Where the outputs go. Short for --mixin hard_shard_mode.output_path=DIR.",
  },
  lines: {
    type: "string",
    notEmpty: true,
    placeholder: "FILE|-",
    help: "One item for each line of a file, or of standard input with -. Short for --mixin input_mode='{use: InputByLines, as: text, lines_path: FILE}'.",
  },
  filesFrom: {
    type: "string",
    notEmpty: true,
    placeholder: "FILE|-",
    help: "The same, each line being the path of a file. Short for --mixin input_mode='{use: InputByLines, as: path, lines_path: FILE}'.",
  },
} as const satisfies Record<string, ToolOption>;
