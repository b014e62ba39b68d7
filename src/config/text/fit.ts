import { stringifyJson } from "../../base/exact-json.js";
import type { OptionSpec } from "../../base/option-spec.js";
import { refuseForbiddenKey } from "../tree.js";
import { parseDuration, parseInteger, parseNumber, parseSize } from "./quantities.js";

/** Carries "what is allowed" up to where name and origin are known. */
export class Unfit extends Error {}

const yaml11: Readonly<Record<string, boolean>> = { yes: true, no: false, on: true, off: false, y: true, n: false };

export interface Fitting {
  note(text: string): void;
  /** Messages must not repeat the value. */
  readonly hidden: boolean;
}

/** The typed value of a bare one. @throws Unfit */
export function fitValue(spec: OptionSpec, value: unknown, how: Fitting): unknown {
  switch (spec.type) {
    case "string":
      return inChoices(spec, fitString(spec, value));
    case "boolean":
      return fitBoolean(value, how);
    case "integer":
    case "number":
      return inRange(spec, fitNumber(spec, value, how));
    case "duration":
      return inRange(spec, fitDuration(value, how), " ms");
    case "size":
      return inRange(spec, fitSize(spec, value, how), " bytes");
    case "strings":
      return (Array.isArray(value) ? value : [value]).map((item) =>
        inChoices(spec, fitString(spec, item, "a list of texts")),
      );
    case "integers":
      return fitIntegers(spec, value, how);
    case "map":
      return fitMap(value);
    case "json":
      return fitJson(value);
  }
}

/** A mapping given for a text becomes one JSON argument, as the Python tool's YAML sections have it. */
function fitString(spec: Pick<OptionSpec, "notEmpty">, value: unknown, allowed = "a text"): string {
  if (value === "" && spec.notEmpty) throw new Unfit("a text that is not empty");
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean") return String(value);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return stringifyJson(value);
  throw new Unfit(allowed);
}

function inChoices(spec: OptionSpec, text: string): string {
  if (spec.choices && !spec.choices.includes(text)) throw new Unfit(`one of ${spec.choices.join(", ")}`);
  return text;
}

function fitBoolean(value: unknown, how: Fitting): boolean {
  if (typeof value === "boolean") return value;
  if (typeof value === "string") {
    const lower = value.toLowerCase();
    if (lower === "true" || lower === "false") return lower === "true";
    if (Object.hasOwn(yaml11, lower)) {
      how.note(`"${value}" is YAML 1.1 and read as ${yaml11[lower]}; write true or false`);
      return yaml11[lower]!;
    }
  }
  throw new Unfit("true or false");
}

function rangeText({ min, max }: OptionSpec, unit = ""): string {
  if (min !== undefined && max !== undefined) return ` from ${min}${unit} to ${max}${unit}`;
  if (min !== undefined) return ` of at least ${min}${unit}`;
  return max === undefined ? "" : ` of at most ${max}${unit}`;
}

const kinds: Readonly<Record<string, string>> = {
  integer: "a whole number",
  number: "a number",
  duration: "a duration",
  size: "a size",
  integers: "whole numbers",
};

function inRange(spec: OptionSpec, value: number, unit = ""): number {
  const { min = -Infinity, max = Infinity } = spec;
  if (min <= value && value <= max) return value;
  throw new Unfit(`${kinds[spec.type]}${rangeText(spec, unit)}`);
}

function fitNumber(spec: OptionSpec, value: unknown, how: Fitting): number {
  const isWhole = spec.type !== "number";
  if (typeof value === "number" && (isWhole ? Number.isSafeInteger(value) : Number.isFinite(value))) return value;
  const text = typeof value === "string" ? value : "";
  const read = (isWhole ? undefined : parseNumber(text)) ?? parseInteger(text);
  if (typeof value === "bigint" || (read === undefined && /^\s*[-+]?\d+\s*$/.test(text)))
    throw new Unfit(`a number that is exact, below 2^53${rangeText(spec)}`);
  if (read === undefined) throw new Unfit(`${isWhole ? "a whole number" : "a number"}${rangeText(spec)}`);
  if (read.note) how.note(read.note);
  return read.value;
}

/** Milliseconds. A number alone could be seconds or milliseconds, so it says which; 0 is 0. */
function fitDuration(value: unknown, how: Fitting): number {
  if (isPlainNumber(value)) throw new Unfit(`a duration with its unit${readings(value, ["ms", "s"], how)}`);
  const ms = value === 0 ? 0 : typeof value === "string" ? parseDuration(value) : undefined;
  if (ms !== undefined && Number.isFinite(ms)) return ms;
  throw new Unfit('a duration like "500ms", "60s", "30m" or "1h"');
}

function fitSize({ plainUnit = 1 }: OptionSpec, value: unknown, how: Fitting): number {
  if (plainUnit !== 1 && isPlainNumber(value))
    throw new Unfit(`a size with its unit${readings(value, [unitNames[plainUnit] ?? "k", "B"], how)}`);
  const bytes = typeof value === "string" ? parseSize(value) : value;
  if (Number.isSafeInteger(bytes) && (bytes as number) >= 0) return bytes as number;
  throw new Unfit('a size like "64KB", "2GiB" or "10k"');
}

const unitNames: Readonly<Record<number, string>> = { 1e3: "KB", 1e6: "MB", 1e9: "GB" };

/** A positive number without a unit, as a value or as a text. */
function isPlainNumber(value: unknown): value is number | string {
  const number = typeof value === "string" ? parseNumber(value)?.value : value;
  return typeof number === "number" && number > 0 && Number.isFinite(number);
}

function readings(value: number | string, units: readonly [string, string], { hidden }: Fitting): string {
  const [one, other] = units.map((unit) => `${hidden ? "N" : Number(value)}${unit}`);
  return ` (write ${one} or ${other})`;
}

const MAX_INTEGERS = 100_000;

function fitIntegers(spec: OptionSpec, value: unknown, how: Fitting): number | number[] {
  const one = (item: unknown): number => inRange(spec, fitNumber(spec, item, how));
  const isSeveral = (item: unknown): item is string => typeof item === "string" && /[,-]/.test(item.slice(1));
  if (!Array.isArray(value) && !isSeveral(value)) return one(value);
  const found: number[] = [];
  const add = (from: number, to: number): void => {
    if (found.length + to - from >= MAX_INTEGERS) throw new Unfit(`at most ${MAX_INTEGERS} whole numbers`);
    for (let n = from; n <= to; n++) found.push(n);
  };
  for (const item of Array.isArray(value) ? (value.flat(Number.POSITIVE_INFINITY) as unknown[]) : [value]) {
    const pieces: readonly unknown[] = isSeveral(item)
      ? item
          .trim()
          .replace(/^\[(.*)\]$/s, "$1")
          .split(",")
      : [item];
    for (const piece of pieces) {
      const between = typeof piece === "string" ? /^\s*(\d+)\s*-\s*(\d+)\s*$/.exec(piece) : null;
      const [from, to] = between ? [one(between[1]!), one(between[2]!)] : [one(piece), undefined];
      if (to !== undefined && to < from) throw new Unfit('whole numbers like "3", "0,2" or "0-9"');
      add(from, to ?? from);
    }
  }
  return found;
}

function fitMap(value: unknown): Record<string, string> {
  const isMapping = typeof value === "object" && value !== null && !Array.isArray(value);
  const pairs: [string, unknown][] = isMapping ? Object.entries(value) : [value].flat().map(fitPair);
  const map = Object.create(null) as Record<string, string>;
  for (const [key, item] of pairs) {
    refuseForbiddenKey(key, "a mapping");
    if (typeof item === "object" || item === undefined) throw new Unfit("a mapping whose values are texts");
    map[key] = fitString({}, item);
  }
  return map;
}

function fitPair(word: unknown): [string, string] {
  const at = typeof word === "string" ? word.indexOf("=") : -1;
  if (at < 1) throw new Unfit("a mapping: key=value words, or JSON");
  return [(word as string).slice(0, at), (word as string).slice(at + 1)];
}

function fitJson(value: unknown): unknown {
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") {
    if (Number.isFinite(value)) return value;
    throw new Unfit("something JSON can say (no NaN, no infinity)");
  }
  if (typeof value === "bigint")
    throw new Unfit("JSON with numbers that are exact: write integers beyond 2^53 as texts");
  if (Array.isArray(value)) return value.map(fitJson);
  if (typeof value !== "object") throw new Unfit("something JSON can say");
  const object = Object.create(null) as Record<string, unknown>;
  for (const [key, item] of Object.entries(value)) {
    refuseForbiddenKey(key, "JSON");
    if (item !== undefined) object[key] = fitJson(item);
  }
  return object;
}
