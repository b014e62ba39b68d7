import { KagurazakaError } from "../base/errors.js";
import type { OptionSpec } from "../base/option-spec.js";
import { parseDuration, parseInteger, parseNumber, parseSize } from "./quantities.js";
import { isSecretName } from "./secrets.js";
import { refuseForbiddenKey } from "./tree.js";

export interface ValueNotes {
  /** Gets what is worth a line but no error: YAML 1.1 spellings. */
  readonly note?: (text: string) => void;
  /** The value was written in code, where types hold: a number for a duration is milliseconds, not seconds. */
  readonly typed?: boolean;
  /** What messages show in place of the value: the expression it came from. */
  readonly shown?: string;
}

/** Carries "what is allowed" up to where name and place are known. */
class Unfit extends Error {}

const yaml11: Readonly<Record<string, boolean>> = { yes: true, no: false, on: true, off: false, y: true, n: false };

/**
 * The typed value of what was written on a command line.
 * @param where file:line:column or the flag
 * @throws KagurazakaError "bad-value" naming what, where and what is allowed
 */
export function parseOptionText(
  name: string,
  spec: OptionSpec,
  text: string,
  where: string,
  notes: ValueNotes = {},
): unknown {
  return guard({ name, spec, value: text, where, notes }, (note) => {
    if (spec.parse) return runParse(spec.parse, text);
    if (spec.type === "json" || spec.type === "map" || spec.type === "strings") {
      const trimmed = text.trim();
      const parsed = looksLikeJson(trimmed, spec.type) ? tryJson(trimmed) : undefined;
      if (parsed !== undefined) return fitValue(spec, parsed.value, { note, typed: false });
      if (spec.type === "json" && /^[[{]/.test(trimmed)) throw new Unfit("JSON");
    }
    return fitValue(spec, text, { note, typed: false });
  });
}

/** The same for a value that already has a type, from YAML or from code. */
export function checkOptionValue(
  name: string,
  spec: OptionSpec,
  value: unknown,
  where: string,
  notes: ValueNotes = {},
): unknown {
  return guard({ name, spec, value, where, notes }, (note) => {
    if (value === null && (spec.nullable || spec.type === "json")) return null;
    if (spec.parse && (typeof value === "string" || typeof value === "number" || typeof value === "boolean")) {
      return runParse(spec.parse, String(value));
    }
    return fitValue(spec, value, { note, typed: notes.typed === true });
  });
}

interface Written {
  readonly name: string;
  readonly spec: OptionSpec;
  readonly value: unknown;
  readonly where: string;
  readonly notes: ValueNotes;
}

function guard(written: Written, read: (note: (spelling: string) => void) => unknown): unknown {
  const { name, where, notes } = written;
  try {
    return read((text) => notes.note?.(`${name} (${where}): ${text}`));
  } catch (error) {
    if (!(error instanceof Unfit)) throw error;
    const shown = notes.shown ?? (isSecretName(name) ? "something else" : show(written.value));
    throw new KagurazakaError("bad-value", `${name} must be ${error.message}, not ${shown}`, { where });
  }
}

function show(value: unknown): string {
  const json = JSON.stringify(value) ?? String(value);
  return json.length > 80 ? `${json.slice(0, 77)}…` : json;
}

function runParse(parse: (text: string) => unknown, text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw new Unfit(error instanceof Error ? error.message : String(error));
  }
}

function looksLikeJson(text: string, type: "json" | "map" | "strings"): boolean {
  if (type === "strings") return text.startsWith("[") && text.endsWith("]");
  if (type === "map") return text.startsWith("{");
  return true;
}

function tryJson(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

interface Fitting {
  note(text: string): void;
  readonly typed: boolean;
}

function fitValue(spec: OptionSpec, value: unknown, how: Fitting): unknown {
  switch (spec.type) {
    case "string":
      return inChoices(spec, fitString(value));
    case "boolean":
      return fitBoolean(value, how);
    case "integer":
      return inRange(spec, fitInteger(spec, value, how), String);
    case "number":
      return inRange(spec, fitNumber(spec, value, how), String);
    case "duration":
      return inRange(spec, fitDuration(value, how), (ms) => `${ms} ms`);
    case "size":
      return inRange(spec, fitSize(value), (bytes) => `${bytes} bytes`);
    case "strings":
      return (Array.isArray(value) ? value : [value]).map((item) =>
        inChoices(spec, fitString(item, "a list of texts")),
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
function fitString(value: unknown, allowed = "a text"): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return JSON.stringify(value);
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

const range = (spec: OptionSpec, unit: (n: number) => string): string =>
  spec.min !== undefined && spec.max !== undefined
    ? ` from ${unit(spec.min)} to ${unit(spec.max)}`
    : spec.min !== undefined
      ? ` of at least ${unit(spec.min)}`
      : spec.max !== undefined
        ? ` of at most ${unit(spec.max)}`
        : "";

const kinds: Readonly<Record<string, string>> = {
  integer: "a whole number",
  number: "a number",
  duration: "a duration",
  size: "a size",
  integers: "whole numbers",
};

function inRange(spec: OptionSpec, value: number, unit: (n: number) => string): number {
  if ((spec.min === undefined || value >= spec.min) && (spec.max === undefined || value <= spec.max)) return value;
  throw new Unfit(`${kinds[spec.type]}${range(spec, unit)}`);
}

function fitInteger(spec: OptionSpec, value: unknown, how: Fitting): number {
  if (typeof value === "number" && Number.isSafeInteger(value)) return value;
  const read = typeof value === "string" ? parseInteger(value) : undefined;
  if (read === undefined) throw new Unfit(`a whole number${range(spec, String)}`);
  if (read.note) how.note(read.note);
  return read.value;
}

function fitNumber(spec: OptionSpec, value: unknown, how: Fitting): number {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  const read = typeof value === "string" ? (parseNumber(value) ?? parseInteger(value)) : undefined;
  if (read === undefined) throw new Unfit(`a number${range(spec, String)}`);
  if (read.note) how.note(read.note);
  return read.value;
}

function fitDuration(value: unknown, how: Fitting): number {
  const ms =
    typeof value === "number"
      ? how.typed
        ? value
        : value * 1000
      : typeof value === "string"
        ? parseDuration(value)
        : undefined;
  if (ms === undefined || !Number.isFinite(ms) || ms < 0) {
    throw new Unfit('a duration like "500ms", "60s", "30m" or "1h" (a plain number is seconds)');
  }
  return ms;
}

function fitSize(value: unknown): number {
  const bytes = typeof value === "number" ? value : typeof value === "string" ? parseSize(value) : undefined;
  if (bytes === undefined || !Number.isSafeInteger(bytes) || bytes < 0) {
    throw new Unfit('a size like "64KB", "2GiB" or "10k" (a plain number is bytes)');
  }
  return bytes;
}

const MAX_RANGE = 100_000;

function fitIntegers(spec: OptionSpec, value: unknown, how: Fitting): number | number[] {
  const one = (item: unknown): number => inRange(spec, fitInteger(spec, item, how), String);
  if (Array.isArray(value)) return value.flatMap((item) => fitIntegers(spec, item, how));
  if (typeof value !== "string" || !/[,-]/.test(value.slice(1))) return one(value);
  const all = value
    .trim()
    .replace(/^\[(.*)\]$/, "$1")
    .split(",")
    .flatMap((piece) => {
      const between = /^\s*(\d+)\s*-\s*(\d+)\s*$/.exec(piece);
      if (!between) return [one(piece.trim())];
      const [from, to] = [one(between[1]!), one(between[2]!)];
      if (to < from || to - from >= MAX_RANGE) throw new Unfit('whole numbers like "3", "0,2" or "0-9"');
      return Array.from({ length: to - from + 1 }, (_, index) => from + index);
    });
  return all;
}

function fitMap(value: unknown): Record<string, string> {
  const pairs: (readonly [string, unknown])[] = [];
  const words = Array.isArray(value) ? value : typeof value === "string" ? [value] : undefined;
  if (words) {
    for (const word of words) {
      const at = typeof word === "string" ? word.indexOf("=") : -1;
      if (at < 1) throw new Unfit("a mapping: key=value words, or JSON");
      pairs.push([(word as string).slice(0, at), (word as string).slice(at + 1)]);
    }
  } else if (typeof value === "object" && value !== null) {
    pairs.push(...Object.entries(value));
  } else {
    throw new Unfit("a mapping: key=value words, or JSON");
  }
  const map = Object.create(null) as Record<string, string>;
  for (const [key, item] of pairs) {
    refuseForbiddenKey(key, "a mapping");
    if (typeof item === "object" || item === undefined) throw new Unfit("a mapping whose values are texts");
    map[key] = fitString(item);
  }
  return map;
}

function fitJson(value: unknown): unknown {
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") {
    if (Number.isFinite(value)) return value;
    throw new Unfit("something JSON can say (no NaN, no infinity)");
  }
  if (Array.isArray(value)) return value.map(fitJson);
  if (typeof value !== "object") throw new Unfit("something JSON can say");
  const object = Object.create(null) as Record<string, unknown>;
  for (const [key, item] of Object.entries(value)) {
    refuseForbiddenKey(key, "JSON");
    if (item !== undefined) object[key] = fitJson(item);
  }
  return object;
}
