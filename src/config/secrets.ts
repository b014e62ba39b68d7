import { HIDDEN, maskSecret, maskText, maskUser } from "../base/mask.js";
import { secrecyOf } from "../base/secret-names.js";
import type { ConfigEntry } from "../contracts/run-config.js";

/** A number of these is no secret: `max_tokens: 512` counts tokens, `password: 1234` is a password. */
const counted = /tokens|keys|sessions|pass(?:es)?$/i;

/** Whether a value of this (dotted) name must not be shown. Our own settings (`run.keys`) are known to be none. */
export function isSecretName(path: string): boolean {
  return !path.startsWith("run.") && path.split(".").some((name) => secrecyOf(name) !== "no");
}

/** A value as it may be shown, with what is secret by name or by form hidden. */
export function maskValue(path: string, value: unknown, isSecret = isSecretName(path)): unknown {
  if (typeof value === "string") return isSecret ? maskSecret(value) : maskJson(value);
  if (typeof value === "number") return isSecret && !counted.test(path) ? HIDDEN : value;
  if (Array.isArray(value)) return maskList(path, value, isSecret);
  if (typeof value !== "object" || value === null) return value;
  const masked = Object.create(null) as Record<string, unknown>;
  // `{ name: Authorization, value: … }`
  const named = Object.entries(value).find(([key]) => /^(?:name|key|header)$/i.test(key))?.[1] as unknown;
  const isNamed = typeof named === "string" && isSecretName(named);
  for (const [key, child] of Object.entries(value)) {
    const hides = isSecret || (isNamed && /^value$/i.test(key)) || isSecretName(key);
    masked[key] = child === named && isNamed && !isSecret ? child : maskValue(key, child, hides);
  }
  return masked;
}

/** Also what stands behind its name: `["--token", "…"]`, `["Authorization", "…"]`, `["curl", "-u", "user:…"]`. */
function maskList(path: string, list: readonly unknown[], isSecret: boolean): unknown[] {
  const curl = list.findIndex((item) => typeof item === "string" && /(?:^|[/\\])curl(?:\.exe)?$/.test(item));
  return list.map((item, index) => {
    const before: unknown = index === 0 ? undefined : list[index - 1];
    const isName = typeof before === "string" && /^[\w-]{1,100}$/.test(before);
    const isFlag = isName && before.startsWith("-");
    const isPair = isName && (isFlag || (list.length === 2 && typeof item === "string"));
    if (typeof item === "string" && curl >= 0 && curl < index && !isSecret) {
      if (isName && /^(?:-[uU]|--(?:proxy-)?user)$/.test(before)) return maskUser(item);
      const [, flag, login] = /^(-[uU])(.+)$/s.exec(item) ?? [];
      if (flag !== undefined && login !== undefined) return `${flag}${maskUser(login)}`;
    }
    const secrecy = isPair ? secrecyOf(before) : "no";
    return maskValue(path, item, isSecret || secrecy === "certain" || (isFlag && secrecy === "likely"));
  });
}

/** A text, which may be the JSON of a map or a list. */
function maskJson(text: string): string {
  if (/^\s*[[{]/.test(text)) {
    try {
      const value: unknown = JSON.parse(text);
      const masked = JSON.stringify(maskValue("", value, false));
      return masked === JSON.stringify(value) ? text : masked;
    } catch (error) {
      if (error instanceof RangeError) return HIDDEN;
    }
  }
  return maskText(text);
}

/** The entry of an option that is declared to be secret, whether or not its name shows it. */
export function hideEntry(entry: ConfigEntry): ConfigEntry {
  return { ...entry, value: maskValue(entry.path, entry.value, true) };
}

/** An entry as it may be shown and stored. */
export function maskEntry<E extends Pick<ConfigEntry, "path" | "value">>(entry: E): E {
  return { ...entry, value: maskValue(entry.path, entry.value) };
}
