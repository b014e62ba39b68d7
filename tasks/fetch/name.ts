import { createHash } from "node:crypto";

/**
 * The file of a URL, below the output root: host, then path, as people read it.
 *
 *   https://host/a/b.jpg            host/a/b.jpg
 *   https://host:8080/%E3%81%82/    host+8080/あ/index.html
 *   https://host/b.jpg?w=100        host/b~3f0c9d5e8a7b6c1d.jpg
 *   https://host/docs               host/docs~91b2…
 *
 * Behind ~ stands a hash of the whole URL: where host and path alone would give two URLs one name, and where the name has no
 * extension, for a file `docs` would block the folder of `docs/intro.html`. http and https give one name.
 */
export function pathOfUrl(url: URL): string {
  const parts = url.pathname.slice(1).split("/");
  const last = parts.pop()!;
  const folders = [folderOfHost(url), ...parts.filter((part) => part !== "").map((part) => shortened(readable(part)))];
  const exact = url.search === "" && url.username === "" && !parts.includes("");
  const name = last === "" ? "index.html" : readable(last);
  const path = [...folders, exact && hasExtension(name) && fits(name) ? name : withHash(name, url)].join("/");
  return Buffer.byteLength(path) <= MAX_PATH_BYTES ? path : `${folders[0]}/${withHash(name, url)}`;
}

/** Hashes as names, spread over 256 folders: `3f/3f0c9d5e8a7b6c1d….jpg`. For lists of many millions. */
export function hashOfUrl(url: URL): string {
  const name = hashOf(withoutPassword(url), 32);
  return `${name.slice(0, 2)}/${name}${extensionOf(readable(url.pathname.split("/").at(-1)!))}`;
}

/** File systems allow 255; side files and temporary names need some of them. */
const MAX_NAME_BYTES = 220;
const MAX_PATH_BYTES = 1000;
const HASH_DIGITS = 16;

/** With the port. IPv6 addresses lose the characters that are special in paths and patterns; no host becomes a hidden folder. */
function folderOfHost({ host }: URL): string {
  return shortened(
    host
      .replace(/^\[(.*)\]/, (_, address: string) => address.replaceAll(":", "_"))
      .replace(":", "+")
      .replace(/^\.+/, "_"),
  );
}

/**
 * A segment with its percent-encoding undone, except for separators, characters of patterns, those that other systems refuse
 * in names, and the percent sign itself, so that different segments stay different.
 */
function readable(segment: string): string {
  const decoded = segment.replace(/(?:%[\da-f]{2})+/gi, (run) => {
    try {
      return decodeURIComponent(run).replace(/[\0-\x1f\x7f-\x9f/\\%?*:"<>|]/g, encodeURIComponent);
    } catch {
      return run.toUpperCase();
    }
  });
  return decoded.replace(/[*:"<>|\\]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

const fits = (name: string): boolean => Buffer.byteLength(name) <= MAX_NAME_BYTES;
const hasExtension = (name: string): boolean => extensionOf(name) !== "";

/** With its dot; of `archive.tar.gz` both. More than 12 characters behind a dot are no extension. */
function extensionOf(name: string): string {
  return /(?!^)(?:\.tar)?\.[\p{L}\p{N}]{1,12}$/u.exec(name)?.[0] ?? "";
}

function withHash(name: string, url: URL): string {
  const ext = extensionOf(name);
  const stem = name.slice(0, name.length - ext.length);
  return `${cut(stem, MAX_NAME_BYTES - HASH_DIGITS - 1 - Buffer.byteLength(ext))}~${hashOf(withoutPassword(url), HASH_DIGITS)}${ext}`;
}

function shortened(name: string): string {
  return fits(name) ? name : `${cut(name, MAX_NAME_BYTES - HASH_DIGITS - 1)}~${hashOf(name, HASH_DIGITS)}`;
}

/** At most so many bytes, never half a character. */
function cut(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return text;
  let end = maxBytes;
  while ((bytes[end]! & 0xc0) === 0x80) end--;
  return bytes.toString("utf8", 0, end);
}

/** The user is part of the name, the password is not. */
function withoutPassword(url: URL): string {
  const open = new URL(url);
  open.password = "";
  return open.href;
}

function hashOf(text: string, digits: number): string {
  return createHash("sha256").update(text).digest("hex").slice(0, digits);
}
