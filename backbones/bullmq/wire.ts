import { deflateRawSync, inflateRawSync } from "node:zlib";
import { z } from "zod";
import {
  type ChunkMessage,
  type ErrorRecord,
  type FleetJob,
  type NodeMessage,
  type NodeOutcomes,
  type NodeReport,
  parseJson,
  type RunReport,
  stringifyJson,
} from "../../src/kit.js";
import { RUN_NAME } from "./keys.js";

/** What stands in Redis, and the check of everything that is read from it: others may write there as well. */

const MAX_CHUNK_BYTES = 256 * 1024 * 1024;
const count = z
  .number()
  .int()
  .min(0)
  .max(2 ** 40);
const json = z.json();

const chunkHeader = z.strictObject({
  id: count,
  count: count.min(1),
  shard: count,
  forced: z.boolean(),
  attempts: z.record(z.string().regex(/^\d+$/), count.min(1)).optional(),
  isolated: z.boolean().optional(),
  /** The keys are names of items. */
  named: z.boolean(),
  compressed: z.boolean(),
  /** Of the names: bytes. Of other keys: characters. */
  keysLength: count,
});

/** Names of items are so many hexadecimal digits. */
const NAME_DIGITS = 24;
const NEWLINE = 0x0a;
/** Characters. To begin to compress costs a millisecond. */
const WORTH_COMPRESSING = 4096;
/** A typical chunk fits into one buffer of so many bytes. */
const DEFLATED_BYTES = 64 * 1024;
const NOTHING = Buffer.alloc(0);

/**
 * A line of JSON, then keys and items, compressed where that saves something. Names of items are hashes, which do not compress:
 * they follow the line as bytes.
 */
export function encodeChunk({ items, keys, ...header }: ChunkMessage): Buffer {
  const names = bytesOfNames(keys, header.count);
  const text = names ? items : `${keys}\n${items}`;
  const compressed = text.length >= WORTH_COMPRESSING;
  const about = { ...header, named: names !== undefined, compressed, keysLength: (names ?? keys).length };
  const head = JSON.stringify(about);
  const rest = compressed ? deflateRawSync(text, { level: 1, chunkSize: DEFLATED_BYTES }) : Buffer.from(text);
  return Buffer.concat([Buffer.from(`${head}\n`), names ?? NOTHING, rest]);
}

/** @throws Error where the bytes are no chunk */
export function decodeChunk(bytes: Buffer): ChunkMessage {
  const end = bytes.indexOf("\n");
  const { keysLength, named, compressed, ...header } = chunkHeader.parse(JSON.parse(bytes.toString("utf8", 0, end)));
  const start = end + 1;
  const rest = bytes.subarray(named ? start + keysLength : start);
  const limits = { maxOutputLength: MAX_CHUNK_BYTES, chunkSize: DEFLATED_BYTES };
  const text = (compressed ? inflateRawSync(rest, limits) : rest).toString();
  const keys = named ? namesOf(bytes.toString("hex", start, start + keysLength)) : text.slice(0, keysLength);
  const items = named ? text : text.slice(keysLength + 1);
  const lines = keys.startsWith("[") ? (JSON.parse(keys) as unknown[]).length : countLines(keys);
  if (lines !== header.count || countLines(items) !== header.count) throw new Error("it has another number of items");
  return { ...header, keys, items } as ChunkMessage;
}

/** Undefined where the keys, as `packKeys` packs them, are not all names. */
function bytesOfNames(keys: string, count: number): Buffer | undefined {
  const stride = NAME_DIGITS + 1;
  if (keys.length !== count * stride - 1 || keys !== keys.toLowerCase()) return undefined;
  for (let at = NAME_DIGITS; at < keys.length; at += stride) if (keys.charCodeAt(at) !== NEWLINE) return undefined;
  // Ends at the first character that is no digit.
  const bytes = Buffer.from(keys.replaceAll("\n", ""), "hex");
  return bytes.length === (count * NAME_DIGITS) / 2 ? bytes : undefined;
}

function namesOf(digits: string): string {
  const names: string[] = [];
  for (let at = 0; at < digits.length; at += NAME_DIGITS) names.push(digits.slice(at, at + NAME_DIGITS));
  return names.join("\n");
}

function countLines(text: string): number {
  let lines = 1;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lines++;
  return lines;
}

const errorRecord: z.ZodType<ErrorRecord> = z.lazy(() =>
  z.object({
    name: z.string(),
    message: z.string(),
    code: z.string().optional(),
    hint: z.string().optional(),
    stack: z.string().optional(),
    cause: errorRecord.optional(),
    permanent: z.literal(true).optional(),
    retryAfter: z.object({ delayMs: z.number(), scope: z.string().optional() }).optional(),
  }),
) as z.ZodType<ErrorRecord>;

const outcome = z.object({
  index: count,
  attempt: count,
  status: z.enum(["done", "skipped", "filtered", "failed"]),
  durationMs: z.number().min(0),
  reason: z.string().optional(),
  error: errorRecord.optional(),
  value: z.unknown().optional(),
  amounts: z.record(z.string(), z.number()).optional(),
});

/** Checked by hand: they are as many as the items of a run. */
const arePairs = (plain: unknown): boolean =>
  Array.isArray(plain) && plain.length % 2 === 0 && plain.every((number) => Number.isFinite(number) && number >= 0);

const snapshot = z.object({
  inFlight: count,
  waiting: count,
  scopes: z.array(z.object({ scope: z.string(), items: count })),
  oldest: z.object({ key: z.string(), sinceMs: z.number() }).optional(),
});

const retry = z.object({
  type: z.literal("retry"),
  chunk: count,
  index: count,
  attempt: count,
  error: errorRecord,
  delayMs: z.number(),
});

const shardFailed = z.object({ type: z.literal("shard-failed"), shard: count, error: errorRecord });

const nodeMessage = z.discriminatedUnion("type", [
  z.object({ type: z.literal("print"), key: z.string().nullable(), text: z.string() }),
  z.object({
    type: z.literal("log"),
    key: z.string(),
    level: z.enum(["info", "warn", "error"]),
    message: z.string(),
    fields: z.unknown().optional(),
  }),
  z.object({ type: z.literal("warning"), message: z.string() }),
  z.object({ type: z.literal("recycled"), worker: z.string(), why: z.string() }),
  z.object({ type: z.literal("heartbeat"), node: z.string(), snapshot, quietMs: z.number(), chunks: z.array(count) }),
]);

/** One entry of the stream of outcomes. */
type FromNode =
  | { readonly kind: "outcomes"; readonly outcomes: NodeOutcomes }
  | { readonly kind: "given-back"; readonly chunk: number; readonly indices: readonly number[] }
  | { readonly kind: "alone"; readonly chunk: number; readonly index: number }
  | { readonly kind: "lost"; readonly chunk: number }
  /** What must arrive, and in its order with outcomes. */
  | { readonly kind: "said"; readonly message: Extract<NodeMessage, { type: "retry" | "shard-failed" }> }
  | { readonly kind: "left"; readonly node: string; readonly error?: ErrorRecord | undefined };

const fromNode = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("outcomes"),
    outcomes: z.object({ chunk: count, plain: z.custom<readonly number[]>(arePairs), rest: z.array(outcome) }),
  }),
  z.object({ kind: z.literal("given-back"), chunk: count, indices: z.array(count) }),
  z.object({ kind: z.literal("alone"), chunk: count, index: count }),
  z.object({ kind: z.literal("lost"), chunk: count }),
  z.object({ kind: z.literal("said"), message: z.discriminatedUnion("type", [retry, shardFailed]) }),
  z.object({ kind: z.literal("left"), node: z.string(), error: errorRecord.optional() }),
]);

export const encodeFromNode = (message: FromNode): string => stringifyJson(message)!;
/** Undefined where the text is no such message. */
export const decodeFromNode = (text: string): FromNode | undefined => checked(fromNode, text) as FromNode | undefined;

/** A heartbeat tells in addition which chunks the node has. */
type StreamedMessage = NodeMessage & { readonly chunks?: readonly number[] };

export const encodeMessage = (message: StreamedMessage): string => stringifyJson(message)!;
export const decodeMessage = (text: string): StreamedMessage | undefined =>
  checked(nodeMessage, text) as StreamedMessage | undefined;

const fleetJob = z.object({
  task: z.object({
    source: z.union([
      z.object({ builtin: z.string(), argument: z.string().optional() }),
      z.object({ alias: z.string(), export: z.string() }),
    ]),
    id: z.string(),
    baseId: z.string(),
    kind: z.enum(["item", "batch"]),
    moduleHash: z.string(),
    files: z.record(z.string(), z.string()),
    config: z.object({
      task: z.record(z.string(), json),
      mixin: z.record(z.string(), json).nullable(),
      rawArgs: z.array(z.string()),
    }),
  }),
  run: z.string().regex(RUN_NAME),
  shards: z.array(
    z.object({
      // Names below the output root of the node: never a way out of it.
      staging: z.string().regex(/^(?!.*(?:^|\/)\.\.(?:\/|$))[^/\0][^\0]*$/),
      kept: z.string().regex(/^(?!.*(?:^|\/)\.\.(?:\/|$))[^/\0][^\0]*$/),
      rootId: z.string(),
      record: json,
    }),
  ),
  seed: z.number(),
  durable: z.boolean(),
  atomic: z.boolean(),
  wantValues: z.boolean(),
  settings: z.object({
    concurrency: count.optional(),
    chunksize: z.union([count, z.literal("auto")]),
    retries: count,
    backoff: z.object({ minMs: z.number(), maxMs: z.number() }),
    timeout: z.number().optional(),
    grace: z.number(),
  }),
});

export const encodeJob = (job: FleetJob): string => JSON.stringify(job);
export const decodeJob = (text: string): FleetJob | undefined => checked(fleetJob, text) as FleetJob | undefined;

const running = z.array(z.object({ key: z.string(), sinceMs: z.number(), node: z.string().optional() }));

const runReport = z.object({
  counts: z.object({ total: count, done: count, skipped: count, filtered: count, failed: count, cancelled: count }),
  listed: z.boolean(),
  inFlight: count,
  waiting: count,
  retries: count,
  elapsedMs: z.number(),
  itemsPerSecond: z.number(),
  failures: z.array(z.object({ class: z.string(), count, key: z.string(), error: errorRecord })),
  oldest: running,
  exitCode: z.number().int().optional(),
  error: errorRecord.optional(),
});

export const decodeRunReport = (text: string): RunReport | undefined =>
  checked(runReport, text) as RunReport | undefined;

const nodeReport = z.object({
  host: z.string(),
  pid: count,
  version: z.string(),
  task: z.string(),
  moduleHash: z.string(),
  startedAt: z.string(),
  backbone: z.string(),
  slots: count,
  run: z.string().optional(),
  inFlight: count,
  running,
  settled: count,
  itemsPerSecond: z.number(),
  rssBytes: z.number(),
  leaving: z.boolean(),
});

export const decodeNodeReport = (text: string): NodeReport | undefined =>
  checked(nodeReport, text) as NodeReport | undefined;

function checked<T>(schema: z.ZodType<T>, text: string): T | undefined {
  try {
    return schema.parse(parseJson(text));
  } catch {
    return undefined;
  }
}
