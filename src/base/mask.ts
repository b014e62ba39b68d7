import { secrecyOf } from "./secret-names.js";

export const HIDDEN = "***";

/** An expression that holds nothing but references says where a secret is, not what it is. */
const onlyReferences = /^\s*(?:\$\{[^{},]*\}\s*)+$/;

/** The value of a secret name. */
export function maskSecret(text: string): string {
  if (text === "" || text === "???" || onlyReferences.test(text)) return text;
  const [, head] = /^\s*(\$\{\s*oc\.env:\s*[\w.-]+\s*),/.exec(text) ?? [];
  return head !== undefined && endOfReference(text, text.indexOf("${")) === text.trimEnd().length
    ? `${head},${HIDDEN}}`
    : HIDDEN;
}

/**
 * A text of any name with what is secret in it hidden: passwords in URLs, parameters, headers and `name=value` of secret
 * names, private keys, defaults of secret environment variables. In linear time.
 */
export function maskText(text: string): string {
  return maskLogins(maskPairs(maskDefaults(text)))
    .replace(/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*-----|$)/g, HIDDEN)
    .replace(/\bBearer[ \t]+(?!\$\{|\*\*\*)[^\s"',;]+/g, `Bearer ${HIDDEN}`)
    .replace(/^(\s*Basic[ \t]+)[A-Za-z0-9+/]+=*\s*$/, `$1${HIDDEN}`)
    .replace(/\/\/([^\s/?#"'<>]*)@/g, (_, user: string, at: number, all: string) => {
      const isWeb = /https?:$/i.test(all.slice(Math.max(0, at - 6), at));
      return `//${maskUser(user, isWeb)}@`;
    })
    .replace(/^(?!mailto:)([\w.+-]+):[^\s@/:$]+@(?=[\w[])(?!sha\d+:)/, `$1:${HIDDEN}@`);
}

/** `user:password`; on the web, a name alone is a token, and so is one with no password of its own. */
export function maskUser(user: string, isWeb = false): string {
  const colon = user.indexOf(":");
  if (onlyReferences.test(user)) return user;
  if (colon < 0) return isWeb ? HIDDEN : user;
  const [name, password] = [user.slice(0, colon), user.slice(colon + 1)];
  if (onlyReferences.test(password)) return user;
  return isWeb && (password === "" || password === "x-oauth-basic") ? HIDDEN : `${name}:${HIDDEN}`;
}

/** `-u user:password` of a text that speaks of curl. For others, as docker, `-u` has no password. */
function maskLogins(text: string): string {
  if (!/\bcurl\b/.test(text)) return text;
  const login = /((?:^|[\s;&|(])(?:-[uU]|--(?:proxy-)?user)[ \t=]*["']?)([^\s"'=:]+:[^\s"']+)/g;
  return text.replace(login, (_, flag: string, user: string) => flag + maskUser(user));
}

/** `name=value`, `name: value` and `"name": "value"` of secret names. */
function maskPairs(text: string): string {
  const pair = /(?<![\w.%-])(-{0,2})([A-Za-z_][\w.%-]*)(?:\[\])?\\?["']?[ \t]*([=:])[ \t]*/g;
  let masked = "";
  let from = 0;
  for (let found = pair.exec(text); found; found = pair.exec(text)) {
    const [all, dashes, name = "", separator] = found;
    const before = text[found.index - 1] ?? "";
    const isFirst = /^\s*$/.test(text.slice(Math.max(0, found.index - 8), found.index));
    const isParameter = separator === "=" && /[?&#;]/.test(before);
    const isKeyOfJson = separator === ":" && /["']/.test(before) && /["'][ \t]*:/.test(all);
    const secrecy = isParameter && name === "code" ? ["certain"] : name.split(".").map(secrecyOf);
    const isPlain = !isFirst && !isParameter && !isKeyOfJson;
    if (!secrecy.includes("certain") && (isPlain || !secrecy.includes("likely"))) continue;
    const start = found.index + all.length;
    // Values of headers, and a value behind a name that begins the text, may have blanks.
    const isHeader = separator === ":" || /authorization|cookie/i.test(name);
    const isWhole = !isParameter && !isKeyOfJson && ((isFirst && dashes === "") || isHeader);
    const end = endOfValue(text, start, isWhole);
    const value = text.slice(start, end).replace(/^\\?["']/, "");
    if (value.trim() === "" || onlyReferences.test(value.replace(/^(?:Bearer|Basic|Token)\s/i, ""))) continue;
    masked += `${text.slice(from, start)}${/^\\?["']?/.exec(text.slice(start, start + 2))![0]}${HIDDEN}`;
    from = pair.lastIndex = end;
  }
  return masked + text.slice(from);
}

/** Where the value that begins here ends. References are skipped as a whole, and so are lists and mappings. */
function endOfValue(text: string, start: number, isWhole: boolean): number {
  const quote = /^\\?(["'])/.exec(text.slice(start, start + 2));
  const stops = quote ? quote[1]! : isWhole ? "\n\"'" : " \t\n\r&;,\"')}]#";
  const inner = /[[{]/.test(text[start] ?? "") ? endOfBrackets(text, start) : start + (quote ? quote[0].length : 0);
  for (let i = inner; i < text.length; i++) {
    if (text.startsWith("${", i)) i = endOfReference(text, i) - 1;
    else if (quote?.[0] === '"' && text[i] === "\\") i++;
    else if (stops.includes(text[i]!)) return quote?.[0].startsWith("\\") ? i - 1 : i;
  }
  return text.length;
}

/** The index behind the list or mapping that begins at `start`. */
function endOfBrackets(text: string, start: number): number {
  let depth = 0;
  let isQuoted = false;
  for (let i = start; i < text.length; i++) {
    if (text[i] === '"') isQuoted = !isQuoted;
    else if (isQuoted && text[i] === "\\") i++;
    else if (!isQuoted && /[[{]/.test(text[i]!)) depth++;
    else if (!isQuoted && /[\]}]/.test(text[i]!) && --depth === 0) return i + 1;
  }
  return text.length;
}

/** The index behind a `${…}` that begins at `start`. */
function endOfReference(text: string, start: number): number {
  let depth = 0;
  for (let i = start; i < text.length; i++) {
    if (text.startsWith("${", i)) depth++;
    else if (text[i] === "}" && --depth === 0) return i + 1;
  }
  return text.length;
}

/** `${oc.env:MY_TOKEN,default}` without its default. */
function maskDefaults(text: string): string {
  const reference = /\$\{\s*oc\.env:\s*([\w.-]+)\s*,/g;
  let masked = "";
  let from = 0;
  for (let found = reference.exec(text); found; found = reference.exec(text)) {
    if (secrecyOf(found[1]!) === "no") continue;
    masked += `${text.slice(from, found.index + found[0].length)}${HIDDEN}}`;
    from = reference.lastIndex = endOfReference(text, found.index);
  }
  return masked + text.slice(from);
}

/**
 * Lines of YAML, which may be broken, as they may be shown: nothing behind the first key of a line that is a secret's, nor
 * any line from there to the next key that does not stand below it.
 */
export function maskLines(lines: readonly string[]): string[] {
  let below = -1;
  return lines.map((line) => {
    const indent = line.search(/\S/);
    const isKey = /^\s*(?:- +)*["']?[\w.-]+["']?\s*:/.test(line);
    if (below >= 0 && indent >= 0 && !(isKey && indent <= below)) return line.slice(0, indent) + HIDDEN;
    if (indent >= 0) below = -1;
    for (const { index, 0: key, 1: name = "" } of line.matchAll(/(?<![\w.-])([\w.-]+)["']?\s*:\s*/g)) {
      if (!name.split(".").some((part) => secrecyOf(part) !== "no")) continue;
      below = indent;
      const start = index + key.length;
      return start < line.length ? line.slice(0, start) + HIDDEN : line;
    }
    return maskText(line);
  });
}
