import type { CountOrShare, HashShard } from "../../contracts/run-config.js";
import { parseDuration } from "./quantities.js";

/** Texts of single flags and back. An Error's message completes "… must be". */

export function parseShare(text: string): CountOrShare {
  const bare = text.trim();
  const percent = /^(\d+(?:\.\d+)?)\s*%$/.exec(bare);
  if (percent && Number(percent[1]) <= 100) return { percent: Number(percent[1]) };
  if (/^\d+$/.test(bare) && Number.isSafeInteger(Number(bare))) return { count: Number(bare) };
  throw new Error('a number of items or a share like "1%"');
}

export const writeShare = (value: CountOrShare | number): string =>
  typeof value === "number" ? String(value) : "percent" in value ? `${value.percent}%` : String(value.count);

export function parseBudget(text: string): CountOrShare | "none" {
  if (text.trim() === "none") return "none";
  try {
    return parseShare(text);
  } catch {
    throw new Error('a number of items, a share like "5%", or none');
  }
}

export const writeBudget = (value: CountOrShare | number | "none"): string =>
  value === "none" ? value : writeShare(value);

export function parseShard(text: string): HashShard {
  const match = /^\s*(\d+)\s*\/\s*(\d+)\s*$/.exec(text);
  const [index, of] = [Number(match?.[1]), Number(match?.[2])];
  if (match && Number.isSafeInteger(of) && index < of) return { index, of };
  throw new Error("i/N with i from 0 to N - 1");
}

export const writeShard = (value: HashShard): string => `${value.index}/${value.of}`;

export function parseForce(text: string): false | "continue" | "new" {
  const bare = text.trim();
  if (bare === "false") return false;
  if (bare === "true" || bare === "continue") return "continue";
  if (bare === "new") return "new";
  throw new Error("continue or new");
}

export const writeForce = (value: boolean | string): string => String(value);

export function parseBackoff(text: string): { minMs: number; maxMs: number } {
  const [first, second, ...more] = text.split(":");
  const minMs = parseDuration(first ?? "");
  const maxMs = second === undefined ? minMs : parseDuration(second);
  if (minMs === undefined || maxMs === undefined || more.length > 0 || minMs > maxMs) {
    throw new Error('two durations, the smaller first, like "1s:60s"');
  }
  return { minMs, maxMs };
}

export const writeBackoff = (value: { minMs: number; maxMs: number }): string => `${value.minMs}ms:${value.maxMs}ms`;

const perSecond: Readonly<Record<string, number>> = { s: 1, m: 1 / 60, h: 1 / 3600 };

export function parseRate(text: string): { perSecond: number } {
  const match = /^\s*(\d+(?:\.\d+)?)\s*(?:\/\s*(s|m|h))?\s*$/.exec(text);
  const rate = Number(match?.[1]) * perSecond[match?.[2] ?? "s"]!;
  if (match && Number.isFinite(rate) && rate > 0) return { perSecond: rate };
  throw new Error('a rate above 0 like "50/s", "100/m" or "1000/h"');
}

export const writeRate = (value: { perSecond: number }): string => `${value.perSecond}/s`;

export function parseChunksize(text: string): number | "auto" {
  if (text.trim() === "auto") return "auto";
  if (/^\s*\d+\s*$/.test(text) && Number(text) >= 1 && Number.isSafeInteger(Number(text))) return Number(text);
  throw new Error("a whole number of at least 1, or auto");
}
