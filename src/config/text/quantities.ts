import type { CountOrShare, HashShard } from "../../contracts/run-config.js";

// Texts that stand for numbers. Each parser answers `undefined` for a text that is none.

interface ReadNumber {
  readonly value: number;
  /** Set where the spelling is YAML 1.1's or easily misread. */
  readonly note?: string;
}

export function parseInteger(text: string): ReadNumber | undefined {
  const bare = text.trim();
  const value = Number(bare.replaceAll("_", ""));
  if (!Number.isSafeInteger(value)) return undefined;
  if (/^[-+]?0\d+$/.test(bare))
    return { value, note: `"${bare}" is read as ${value}, not as an octal number of YAML 1.1` };
  if (/^([-+]?\d+|0x[\da-f]+)$/i.test(bare)) return { value };
  if (/^(0o[0-7]+|0b[01]+)$/i.test(bare)) return { value, note: `"${bare}" is read as ${value}` };
  if (/^[-+]?\d[\d_]*$/.test(bare)) return { value, note: `"${bare}" is YAML 1.1 and read as ${value}` };
  return undefined;
}

/** The integer that `text` stands for, which as a number is `value`. */
export function exactInteger(value: number, text: string): number | bigint {
  const isRounded = /^([-+]?\d+|0[ox][\da-f]+)$/i.test(text) && !Number.isSafeInteger(value);
  return isRounded ? BigInt(text) : value;
}

export function parseNumber(text: string): ReadNumber | undefined {
  const bare = text.trim();
  if (!/^[-+]?(\.\d+|\d+(\.\d*)?)(e[-+]?\d+)?$/i.test(bare)) return undefined;
  const value = exactInteger(Number(bare), bare);
  return typeof value === "number" && Number.isFinite(value) ? { value } : undefined;
}

const msOf: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `500ms`, `60s`, `1h30m`, `0`. In milliseconds. */
export function parseDuration(text: string): number | undefined {
  const bare = text.trim().toLowerCase();
  if (parseNumber(bare)?.value === 0) return 0;
  if (!/^(\d+(\.\d+)?\s*(ms|s|m|h|d)\s*)+$/.test(bare)) return undefined;
  let total = 0;
  for (const [, amount, unit] of bare.matchAll(/(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)/g))
    total += Number(amount) * msOf[unit!]!;
  return total;
}

const powers = ["", "k", "m", "g", "t", "p"];

/** `64KB` = 64,000, `2GiB` = 2 × 1024³, `10k` = 10,000; a plain number counts bytes. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgtp]?)(i?)(b?)$/i.exec(text.trim());
  if (!match || (match[3] && !match[2])) return undefined;
  const unit = (match[3] ? 1024 : 1000) ** powers.indexOf(match[2]!.toLowerCase());
  const whole = Math.round(Number(match[1]) * unit);
  return Number.isSafeInteger(whole) ? whole : undefined;
}

/** A flag whose value has a text and a typed form. An Error that `parse` throws completes "… must be". */
interface TextOption<T> {
  readonly type: "string";
  readonly parse: (text: string) => T;
  readonly write: (value: T) => string;
}

function parseShare(text: string): CountOrShare {
  const bare = text.trim();
  const percent = /^(\d+(?:\.\d+)?)\s*%$/.exec(bare);
  if (percent && Number(percent[1]) <= 100) return { percent: Number(percent[1]) };
  if (/^\d+$/.test(bare) && Number.isSafeInteger(Number(bare))) return { count: Number(bare) };
  throw new Error('a number of items or a share like "1%"');
}

function writeShare(value: CountOrShare | number | "none"): string {
  if (typeof value !== "object") return String(value);
  return "percent" in value ? `${value.percent}%` : String(value.count);
}

export const share: TextOption<CountOrShare> = { type: "string", parse: parseShare, write: writeShare };

const MAX_SAMPLE = 1_000_000;

/** The items of a sample by number are kept in memory until the list is at its end. */
export const sample: TextOption<CountOrShare> = {
  ...share,
  parse(text) {
    const value = parseShare(text);
    if ("percent" in value || value.count <= MAX_SAMPLE) return value;
    throw new Error(`at most ${MAX_SAMPLE} items, or a share like "1%"`);
  },
};

export const budget: TextOption<CountOrShare | "none"> = {
  type: "string",
  parse(text) {
    if (text.trim() === "none") return "none";
    try {
      return parseShare(text);
    } catch {
      throw new Error('a number of items, a share like "5%", or none');
    }
  },
  write: writeShare,
};

export const shard: TextOption<HashShard> = {
  type: "string",
  parse(text) {
    const match = /^\s*(\d+)\s*\/\s*(\d+)\s*$/.exec(text);
    const [index, of] = [Number(match?.[1]), Number(match?.[2])];
    if (match && Number.isSafeInteger(of) && index < of) return { index, of };
    throw new Error("i/N with i from 0 to N - 1");
  },
  write: ({ index, of }) => `${index}/${of}`,
};

export const force: TextOption<boolean | "continue" | "new"> = {
  type: "string",
  parse(text) {
    const bare = text.trim();
    if (bare === "false") return false;
    if (bare === "true" || bare === "continue") return "continue";
    if (bare === "new") return "new";
    throw new Error("continue or new");
  },
  write: String,
};

export const backoff: TextOption<{ minMs: number; maxMs: number }> = {
  type: "string",
  parse(text) {
    const [first, second, ...more] = text.split(":");
    const plain = [first, second].find((one) => (parseNumber(one ?? "")?.value ?? 0) > 0)?.trim();
    if (plain !== undefined) throw new Error(`durations with their units (write ${plain}ms or ${plain}s)`);
    const minMs = parseDuration(first ?? "");
    const maxMs = second === undefined ? minMs : parseDuration(second);
    if (minMs === undefined || maxMs === undefined || more.length > 0 || minMs > maxMs)
      throw new Error('two durations, the smaller first, like "1s:60s"');
    return { minMs, maxMs };
  },
  write: ({ minMs, maxMs }) => `${minMs}ms:${maxMs}ms`,
};

const perSecond: Readonly<Record<string, number>> = { s: 1, m: 1 / 60, h: 1 / 3600 };

export const rate: TextOption<{ perSecond: number }> = {
  type: "string",
  parse(text) {
    const bare = text.trim();
    if (/^\d+(?:\.\d+)?$/.test(bare) && Number(bare) > 0)
      throw new Error(`a rate with its time (write ${bare}/s, ${bare}/m or ${bare}/h)`);
    const match = /^(\d+(?:\.\d+)?)\s*\/\s*(s|m|h)$/.exec(bare);
    const rate = match ? Number(match[1]) * perSecond[match[2]!]! : 0;
    if (Number.isFinite(rate) && rate > 0) return { perSecond: rate };
    throw new Error('a rate above 0 like "50/s", "100/m" or "1000/h"');
  },
  write: (value) => `${value.perSecond}/s`,
};

const MAX_CHUNK = 100_000;

export const chunksize: TextOption<number | "auto"> = {
  type: "string",
  parse(text) {
    if (text.trim() === "auto") return "auto";
    if (/^\s*\d+\s*$/.test(text) && Number(text) >= 1 && Number(text) <= MAX_CHUNK) return Number(text);
    throw new Error(`a whole number from 1 to ${MAX_CHUNK}, or auto`);
  },
  write: String,
};
