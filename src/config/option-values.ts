import { KagurazakaError } from "../base/errors.js";
import { parseJson, stringifyJson } from "../base/exact-json.js";
import { didYouMean } from "../base/nearest.js";
import type { OptionSpec } from "../base/option-spec.js";
import { isSecretName, maskValue } from "./secrets.js";
import { type Fitting, fitValue, Unfit } from "./text/fit.js";

/** Which value it is, and how messages speak of it. */
interface ValueContext {
  readonly name: string;
  /** file:line:column or the flag. */
  readonly where: string;
  /** Gets what is worth a line but no error: YAML 1.1 spellings. */
  readonly note?: (text: string) => void;
  /** What messages show in place of the value: the expression it came from. */
  readonly shown?: string | undefined;
}

/**
 * The typed value of what was written on a command line.
 * @throws KagurazakaError "bad-value" naming what, where and what is allowed
 */
export function parseOptionText(text: string, spec: OptionSpec, context: ValueContext): unknown {
  return guard({ ...context, spec, value: text }, (how) => {
    if (spec.parse) return runParse(spec.parse, text);
    if (spec.type === "json" || spec.type === "map" || spec.type === "strings") {
      const trimmed = text.trim();
      const parsed = looksLikeJson(trimmed, spec.type) ? tryJson(trimmed) : undefined;
      if (parsed !== undefined) return fitValue(spec, parsed.value, how);
      if (spec.type === "json" && /^[[{]/.test(trimmed)) throw new Unfit("JSON");
    }
    return fitValue(spec, text, how);
  });
}

/** The same for a value that already has a type, from YAML or from code. */
export function checkOptionValue(value: unknown, spec: OptionSpec, context: ValueContext): unknown {
  return guard({ ...context, spec, value }, (how) => {
    if (value === null && (spec.nullable || spec.type === "json")) return null;
    // What takes a text gets one, also for a mapping or a list: its JSON.
    if (spec.parse && value !== null)
      return runParse(spec.parse, typeof value === "object" ? stringifyJson(value) : String(value));
    return fitValue(spec, value, how);
  });
}

interface Written extends ValueContext {
  readonly spec: OptionSpec;
  readonly value: unknown;
}

function guard(written: Written, read: (how: Fitting) => unknown): unknown {
  const { name, spec, value, where } = written;
  const isSecret = spec.secret || isSecretName(name);
  const note = (text: string): void => written.note?.(`${name} (${where}): ${text}`);
  try {
    return read({ note, hidden: isSecret || written.shown !== undefined });
  } catch (error) {
    if (!(error instanceof Unfit)) throw error;
    const shown = shownOf(written, isSecret);
    const near = spec.choices && typeof value === "string" ? didYouMean(value, spec.choices) : "";
    const end = near === "" ? "" : `.${near}`;
    throw new KagurazakaError("bad-value", `${name} must be ${error.message}, not ${shown}${end}`, { where });
  }
}

function shownOf({ name, shown, value }: Written, isSecret: boolean): string {
  if (shown !== undefined) return String(maskValue(name, shown, isSecret));
  return isSecret ? "something else" : show(maskValue(name, value));
}

function show(value: unknown): string {
  const json = stringifyJson(value) ?? String(value);
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
    return { value: parseJson(text) };
  } catch {
    return undefined;
  }
}
