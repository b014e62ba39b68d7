import { lstatSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import type { TaskContext } from "kagurazaka";
import { hashOfUrl } from "./name.js";
import { shown } from "./source.js";

interface Meta {
  /** Which URL it is, without what is secret in it. */
  readonly url: string;
  /** A strong ETag, with its quotes, or a date of Last-Modified: proves that the file has not changed since. */
  readonly validator: string | null;
  /** Length of the whole file, where it is known. */
  readonly total: number | null;
}

/**
 * The first bytes of a file, and a description of that file, in the item's kept directory. The description is written before the
 * first byte, when the old part is removed: a kill leaves a part with its own description, or none.
 */
export class KeptPart {
  readonly #ctx: Pick<TaskContext, "hasKept" | "keptDir">;
  readonly #url: string;
  #meta: Meta;

  /** Looks for a part. The directory is made when a part begins: most files are too small to be kept. */
  constructor(ctx: Pick<TaskContext, "hasKept" | "keptDir">, url: URL) {
    this.#ctx = ctx;
    this.#url = nameOf(url);
    const isPlain = ctx.hasKept && [this.path, this.#metaPath].every(isPlainOrNone);
    this.#meta = (isPlain && readMeta(this.#metaPath)) || nothing(this.#url);
    if (!isPlain || this.#meta.url !== this.#url || (this.#hasOtherNames && !this.complete)) this.drop();
  }

  get path(): string {
    return join(this.#ctx.keptDir, "part");
  }

  get #metaPath(): string {
    return join(this.#ctx.keptDir, "part.json");
  }

  /** Bytes on disk. */
  get size(): number {
    return this.#ctx.hasKept ? (statSync(this.path, { throwIfNoEntry: false })?.size ?? 0) : 0;
  }

  /** Of a part that is whole it is the output. */
  get #hasOtherNames(): boolean {
    return (statSync(this.path, { throwIfNoEntry: false })?.nlink ?? 1) > 1;
  }

  get total(): number | null {
    return this.#meta.total;
  }

  get complete(): boolean {
    return this.#meta.total !== null && this.size === this.#meta.total;
  }

  /** The headers that ask for the rest. `If-Range` makes the server send the whole when the file has changed. */
  rangeHeaders(): Record<string, string> {
    const { size } = this;
    if (size === 0) return {};
    const { validator } = this.#meta;
    return { range: `bytes=${size}-`, ...(validator === null ? {} : { "if-range": validator }) };
  }

  /** Begins a new part of the answer's file. */
  begin(response: IncomingMessage): void {
    this.drop();
    const length = response.headers["content-length"];
    this.#meta = {
      url: this.#url,
      validator: validatorOf(response),
      total: length === undefined ? null : Number(length),
    };
    writeFileSync(this.#metaPath, JSON.stringify(this.#meta));
  }

  /**
   * Whether the answer's bytes belong right behind the part. Finds changed files also where the server ignores `If-Range`; a
   * length of the whole that only this answer has is taken from it.
   */
  continueWith(response: IncomingMessage): boolean {
    const { headers } = response;
    const range = parseContentRange(headers["content-range"]);
    if (range?.first !== this.size || isEncoded(response)) return false;
    const { validator, total } = this.#meta;
    const now = validator?.startsWith('"') ? headers.etag : headers["last-modified"];
    if (validator !== null && now !== undefined && now !== validator) return false;
    if (total !== null && range.total !== null && total !== range.total) return false;
    this.#meta = { ...this.#meta, total: total ?? range.total };
    return true;
  }

  /** Whether the part is the whole file, where the server has nothing behind it (416). */
  isEndedBy(response: IncomingMessage): boolean {
    const total = parseContentRange(response.headers["content-range"])?.total;
    return total === this.size && (this.#meta.total === null || this.#meta.total === total);
  }

  drop(): void {
    this.#meta = nothing(this.#url);
    if (!this.#ctx.hasKept) return;
    rmSync(this.path, { force: true });
    rmSync(this.#metaPath, { force: true });
  }
}

/** The output root may have come with an archive: what is written here must not go elsewhere through a link. */
const isPlainOrNone = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false })?.isFile() ?? true;

const nothing = (url: string): Meta => ({ url, validator: null, total: null });

const MIN_KEPT_BYTES = 256 * 1024;

/**
 * Whether the rest of this answer could be asked for later, and is worth it. Without a validator a checksum of the list will
 * do: parts of two versions do not match it.
 */
export function isWorthKeeping(response: IncomingMessage, hasSum: boolean): boolean {
  const { headers } = response;
  if (isEncoded(response) || headers["accept-ranges"]?.trim() === "none") return false;
  if (Number(headers["content-length"] ?? Number.POSITIVE_INFINITY) < MIN_KEPT_BYTES) return false;
  return hasSum || validatorOf(response) !== null;
}

/** The encoding of the content, which some servers send unasked. */
export function encodingOf({ headers }: IncomingMessage): string | undefined {
  const encoding = headers["content-encoding"]?.trim().toLowerCase();
  return encoding === "" || encoding === "identity" ? undefined : encoding;
}

const isEncoded = (response: IncomingMessage): boolean => encodingOf(response) !== undefined;

/**
 * Proves that two answers have the same bytes (RFC 9110, 8.8): a strong ETag, else a Last-Modified at least one second before
 * the answer.
 */
function validatorOf({ headers }: IncomingMessage): string | null {
  const { etag, date } = headers;
  const modified = headers["last-modified"];
  if (etag !== undefined) return /^"[^"]*"$/.test(etag) ? etag : null;
  if (modified === undefined || date === undefined) return null;
  return Date.parse(date) - Date.parse(modified) >= 1000 ? modified : null;
}

/** `bytes 5-9/10`, `bytes 5-9/*` and, behind the end, `bytes * /10` without the blank. */
function parseContentRange(text: string | undefined): { first: number | null; total: number | null } | undefined {
  const [, first, total] = /^\s*bytes\s+(?:(\d+)-\d+|\*)\/(\d+|\*)\s*$/i.exec(text ?? "") ?? [];
  if (total === undefined) return undefined;
  return { first: first === undefined ? null : Number(first), total: total === "*" ? null : Number(total) };
}

/** URLs that differ in a secret alone are others: `?key=` may name the file. */
function nameOf(url: URL): string {
  const open = shown(url);
  return open === url.href ? open : `${open}#${hashOfUrl(url)}`;
}

function readMeta(path: string): Meta | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Meta;
  } catch {
    // There is none, or a kill cut it off: then the part cannot be used.
    return undefined;
  }
}
