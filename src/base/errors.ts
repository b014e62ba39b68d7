/**
 * The codes of all errors that a user can see. A test compares them with the table in REFERENCE.md. `exit` is the exit code of
 * a run that stops with the error; codes without it belong to single items.
 */
export const errorCodes = {
  // Usage, configuration and loading: nothing ran.
  usage: { exit: 2, says: "the command line does not make sense" },
  "unknown-flag": { exit: 2, says: "unknown flag" },
  "bad-value": { exit: 2, says: "a value is not of the declared type" },
  "config-file": { exit: 2, says: "a YAML file cannot be read or parsed" },
  "forbidden-key": { exit: 2, says: "a layer of configuration has a key like __proto__" },
  interpolation: { exit: 2, says: "a ${...} reference is unknown or circular" },
  placeholder: { exit: 2, says: "a value marked ??? was not set" },
  mixin: { exit: 2, says: "a mixin key or mode does not exist" },
  "task-not-found": { exit: 2, says: "the task file or its export does not exist" },
  "task-load": { exit: 2, says: "the task file cannot be compiled or throws while loading" },
  "not-a-task": { exit: 2, says: "the export is not a task, or a template is used wrongly" },
  backbone: { exit: 2, says: "the backbone does not exist or cannot run this task" },
  "input-root": { exit: 2, says: "the input root is missing" },
  "other-state": { exit: 2, says: "the state directory is of another output root or task" },
  "output-root": { exit: 2, says: "the output root cannot be written" },
  source: { exit: 2, says: "a dataset cannot be found or listed" },
  "bad-data": { exit: 2, says: "a file of records is not of its format, or a row cannot be read" },
  features: { exit: 2, says: "columns or their types do not fit" },
  "other-slices": { exit: 2, says: "the output root holds parts of other slices" },
  // The run as a whole.
  internal: { exit: 1, says: "a defect of kagurazaka itself" },
  "task-ended": { exit: 1, says: "the task's code ended the process, or awaits what never happens" },
  "generate-tasks": { exit: 1, says: "listing the items threw; the items before are finished and recorded" },
  "failure-budget": { exit: 4, says: "too many items failed" },
  stalled: { exit: 5, says: "no item settled for the --stall time" },
  "root-in-use": { exit: 6, says: "another run works on this output root" },
  environment: { exit: 7, says: "disk full, root gone, ledger not writable, or setup() failed" },
  queue: { exit: 75, says: "the queue of a fleet cannot be reached" },
  interrupted: { exit: 130, says: "the run was stopped before its end, by a signal or from code" },
  // Single items.
  "item-failed": { says: "process() threw" },
  timeout: { says: "the item ran longer than --timeout" },
  crash: { says: "the item crashed its worker twice while running alone" },
  "unsafe-name": { says: "a name would leave the output root" },
  "reserved-field": { says: "the item carries a field that a mode injects" },
  unreadable: { says: "a directory of the input cannot be listed" },
  "duplicate-key": { says: "two different items have one key, or one output path" },
  "not-json": { says: "the item or its result is not JSON-like and cannot be sent to a worker" },
  "item-too-large": { says: "the item is too large for the queue of a fleet" },
  "bad-row": { says: "a row cannot be mapped, or the result is not of its features" },
  "no-output": { says: "process() returned without writing a declared output" },
} as const satisfies Record<string, { exit?: number; says: string }>;

export type ErrorCode = keyof typeof errorCodes;

const brand = Symbol.for("kagurazaka.error");

export interface ErrorDetails {
  /** file:line:column, or the flag that carried the value. */
  where?: string;
  /** What to do about it; a whole sentence. */
  hint?: string;
  /** A few source lines with a marker, already laid out. */
  frame?: string;
  cause?: unknown;
}

/** An error with a code. Recognised by a symbol, not by its class: a task may have another copy of this package. */
export class KagurazakaError extends Error {
  readonly code: ErrorCode;
  readonly where: string | undefined;
  readonly hint: string | undefined;
  readonly frame: string | undefined;
  readonly [brand] = true;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "KagurazakaError";
    this.code = code;
    this.where = details.where;
    this.hint = details.hint;
    this.frame = details.frame;
  }

  static is(value: unknown): value is KagurazakaError {
    return typeof value === "object" && value !== null && (value as Record<symbol, unknown>)[brand] === true;
  }
}

/** The error itself where it has a code, else as `internal`. @param what put in front of the message */
export function asKagurazakaError(thrown: unknown, what?: string): KagurazakaError {
  if (KagurazakaError.is(thrown)) return thrown;
  const { message } = toErrorRecord(thrown);
  return new KagurazakaError("internal", what === undefined ? message : `${what}: ${message}`, { cause: thrown });
}

/** Several mistakes in one configuration, reported together. Never empty. */
export class MistakesError extends KagurazakaError {
  readonly mistakes: readonly KagurazakaError[];

  constructor(mistakes: readonly KagurazakaError[]) {
    super(mistakes[0]!.code, mistakes.map((mistake) => mistake.message).join("\n"));
    this.name = "MistakesError";
    this.mistakes = mistakes;
  }

  /** Throws the mistakes, if any: a single one as itself, several as one error. */
  static throwIfAny(mistakes: readonly KagurazakaError[]): void {
    if (mistakes.length === 1) throw mistakes[0]!;
    if (mistakes.length > 1) throw new MistakesError(mistakes);
  }
}

/** The exit code of an error; 1 where it has no code. */
export function exitCodeOf(error: unknown): number {
  if (!KagurazakaError.is(error)) return 1;
  const entry: { exit?: number; says: string } = errorCodes[error.code];
  return entry.exit ?? 1;
}

const permanentBrand = Symbol.for("kagurazaka.permanent");
const retryAfterBrand = Symbol.for("kagurazaka.retryAfter");

/** Thrown by a task whose item must not be retried. */
export class PermanentError extends Error {
  readonly [permanentBrand] = true;
  override readonly name: string = "PermanentError";
}

/**
 * Thrown by a task when a service is overloaded (HTTP 429, 503). Does not count as an attempt.
 * @param delayMs how long the item waits, in milliseconds
 * @param scope what is overloaded: a host, a model. All items that have named it wait along, then start as fast as it accepts
 * them. While a run has named one scope only, items that have not named any are taken to be of that scope.
 */
export class RetryAfterError extends Error {
  readonly [retryAfterBrand] = true;
  override readonly name: string = "RetryAfterError";
  readonly delayMs: number;
  readonly scope: string | undefined;

  constructor(delayMs: number, scope?: string, message = `asked to wait ${delayMs} ms`) {
    super(message);
    this.delayMs = delayMs;
    this.scope = scope;
  }
}

/** @param cause what the item threw afterwards */
export function timeoutRecord(limitMs: number, cause?: ErrorRecord): ErrorRecord {
  const record = toErrorRecord(new KagurazakaError("timeout", `the item ran longer than ${limitMs} ms`));
  delete record.stack;
  return cause ? { ...record, cause } : record;
}

/** An error as it is sent between workers or kept on disk. */
export interface ErrorRecord {
  name: string;
  message: string;
  code?: string;
  /** What to do about it, where that is known. */
  hint?: string;
  stack?: string;
  cause?: ErrorRecord;
  permanent?: true;
  retryAfter?: { delayMs: number; scope?: string };
}

const MAX_TEXT = 16_384;
const MAX_CAUSES = 5;

function text(value: unknown): string {
  const full = typeof value === "string" ? value : String(value);
  return full.length > MAX_TEXT ? `${full.slice(0, MAX_TEXT)}… (${full.length} characters)` : full;
}

/** Never throws, whatever the value is: `undefined`, a frozen proxy, an error whose getters throw. */
export function toErrorRecord(thrown: unknown, depth = 0): ErrorRecord {
  try {
    if (!(thrown instanceof Error) && !KagurazakaError.is(thrown))
      return { name: "NonError", message: describe(thrown) };
    const error = thrown as Error & { code?: unknown; delayMs?: number; scope?: string } & Record<symbol, unknown>;
    const record: ErrorRecord = { name: text(error.name), message: text(error.message) };
    if (typeof error.code === "string" || typeof error.code === "number") record.code = String(error.code);
    // The message of an error with a code is enough; a stack in our own code would not help the user.
    const named = KagurazakaError.is(error) && error.code !== "internal";
    if (typeof error.stack === "string" && !named) record.stack = text(error.stack);
    if (named && error.hint !== undefined) record.hint = text(error.hint);
    if (error.cause !== undefined && depth < MAX_CAUSES) record.cause = toErrorRecord(error.cause, depth + 1);
    if (error[permanentBrand]) record.permanent = true;
    if (error[retryAfterBrand])
      record.retryAfter = {
        delayMs: Number(error.delayMs),
        ...(error.scope === undefined ? {} : { scope: String(error.scope) }),
      };
    return record;
  } catch {
    return { name: "NonError", message: "a value that cannot be looked at was thrown" };
  }
}

function describe(thrown: unknown): string {
  if (typeof thrown === "string") return text(thrown);
  if (thrown === undefined || thrown === null) return `${thrown} was thrown`;
  let json: string | undefined;
  try {
    json = JSON.stringify(thrown);
  } catch {
    // Circular, or with a toJSON that throws.
  }
  return text(`${json ?? Object.prototype.toString.call(thrown)} was thrown`);
}

const MAX_MASKED = 500;

/**
 * Groups failures in reports: the code and the message, in which everything that varies from item to item is masked (quoted
 * words, paths, digits), so that 10,000 × ENOENT is one line.
 */
export function failureClassOf(record: ErrorRecord): string {
  // The patterns below cost the square of the length.
  const masked = (record.message.slice(0, MAX_MASKED).split("\n", 1)[0] ?? "")
    .replace(/(['"`])(?:(?!\1).)*\1/g, "$1…$1")
    .replace(/(?:[A-Za-z]:)?(?:[\w.@~-]*[\\/])+[\w.@~-]*/g, "<path>")
    .replace(/\d+/g, "#")
    .slice(0, 200);
  return `${record.code ?? record.name}: ${masked}`;
}
