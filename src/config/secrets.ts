import type { ConfigEntry } from "../contracts/run-config.js";

const HIDDEN = "***";
const looksSecret = /KEY|TOKEN|SECRET|PASS/i;
/** Names that carry the words and no secret; our own settings (`run.keys`) are known not to. */
const harmless = /tokeni[sz]|^key_?field$|^(run|.*\.run)\.|^passes$/i;
const counted = /tokens|keys|pass(es)?$/i;

/** Whether a value of this (dotted) name must not be shown. */
export function isSecretName(path: string): boolean {
  if (path.startsWith("run.")) return false;
  return path.split(".").some((name) => looksSecret.test(name) && !harmless.test(name));
}

/** `scheme://user:password@host` without its password, a header that proves who asks without its value, and the default of a secret environment variable hidden. */
function maskText(text: string): string {
  return text
    .replace(
      /^(\s*(?:(?:proxy-)?authorization|cookie|x-auth[\w-]*)\s*:\s*|\s*[\w-]*(?:key|token|secret)[\w-]*\s*:\s+)(?!.*\$\{)\S.*/is,
      `$1${HIDDEN}`,
    )
    .replace(/([a-z][a-z0-9+.-]*:\/\/[^\s:@/]*):[^\s@/]*@/gi, `$1:${HIDDEN}@`)
    .replace(/(\$\{\s*oc\.env:\s*([\w.-]+)\s*),[^{}]*\}/g, (all, head: string, name: string) =>
      looksSecret.test(name) ? `${head},${HIDDEN}}` : all,
    );
}

/** An expression that holds nothing but references says where a secret is, not what it is. */
const onlyReferences = /^(\s*\$\{[^{},]*\}\s*)+$/;

function maskValue(path: string, value: unknown, secret: boolean): unknown {
  const hide = secret || isSecretName(path);
  if (typeof value === "string") {
    if (hide && value !== "" && value !== "???" && !onlyReferences.test(value))
      return /^\$\{oc\.env:/.test(value) ? maskText(value) : HIDDEN;
    return maskText(value);
  }
  // `max_tokens: 512` is a number of tokens; `password: 1234` is a password.
  if (typeof value === "number") return hide && !counted.test(path) ? HIDDEN : value;
  if (Array.isArray(value)) return value.map((item) => maskValue(path, item, hide));
  if (typeof value === "object" && value !== null) {
    const masked = Object.create(null) as Record<string, unknown>;
    for (const [key, child] of Object.entries(value)) masked[key] = maskValue(key, child, hide);
    return masked;
  }
  return value;
}

/** The entry of an option that is declared to be secret, whether or not its name shows it. */
export function hideEntry(entry: ConfigEntry): ConfigEntry {
  return { ...entry, value: maskValue(entry.path, entry.value, true) };
}

/** An entry as it may be shown and stored: secrets and passwords in URLs masked. */
export function maskEntry(entry: ConfigEntry): ConfigEntry {
  return { ...entry, value: maskValue(entry.path, entry.value, false) };
}
