import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import type { TaskContext } from "kagurazaka";
import { shown } from "./source.js";

interface Meta {
  readonly url: string;
  /** A strong ETag, with its quotes, or a date of Last-Modified: the file is still the one the part is of. */
  readonly validator: string | null;
  /** Length of the whole file, where it is known. */
  readonly total: number | null;
}

/**
 * The first bytes of a file and what they are the first bytes of, in the item's kept directory. The description is written
 * before the first byte, when the old part is gone: a kill leaves a part that fits, or none.
 */
export class KeptPart {
  readonly #ctx: Pick<TaskContext, "hasKept" | "keptDir">;
  readonly #url: string;
  #meta: Meta;

  /** Looks for one. The directory is made when a part begins: most files are too small to be kept. */
  constructor(ctx: Pick<TaskContext, "hasKept" | "keptDir">, url: URL) {
    this.#ctx = ctx;
    this.#url = shown(url);
    this.#meta = (ctx.hasKept && readMeta(this.#metaPath)) || nothing(this.#url);
    if (this.#meta.url !== this.#url) this.drop();
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

  get total(): number | null {
    return this.#meta.total;
  }

  get complete(): boolean {
    return this.#meta.total !== null && this.size === this.#meta.total;
  }

  /** What asks for the rest. `If-Range` makes the server send the whole when the file has changed. */
  rangeHeaders(): Record<string, string> {
    const { size } = this;
    if (size === 0) return {};
    const { validator } = this.#meta;
    return { range: `bytes=${size}-`, ...(validator === null ? {} : { "if-range": validator }) };
  }

  /** A new part, of what the answer brings. */
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
   * Whether the answer's bytes belong right behind the part. A server that does not know `If-Range` is found out here; one
   * that says now how long the whole is, is believed.
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

  /** "There is nothing behind the part" (416): is it all? */
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

const nothing = (url: string): Meta => ({ url, validator: null, total: null });

const MIN_KEPT_BYTES = 256 * 1024;

/**
 * Whether the rest of this answer could be asked for later, and is worth it. A checksum in the list does as well as a
 * validator: what does not fit together fails it.
 */
export function isWorthKeeping(response: IncomingMessage, hasSum: boolean): boolean {
  const { headers } = response;
  if (isEncoded(response) || headers["accept-ranges"]?.trim() === "none") return false;
  if (Number(headers["content-length"] ?? Number.POSITIVE_INFINITY) < MIN_KEPT_BYTES) return false;
  return hasSum || validatorOf(response) !== null;
}

/** The content's encoding, where it has one although none was asked for. */
export function encodingOf({ headers }: IncomingMessage): string | undefined {
  const encoding = headers["content-encoding"]?.trim().toLowerCase();
  return encoding === "" || encoding === "identity" ? undefined : encoding;
}

const isEncoded = (response: IncomingMessage): boolean => encodingOf(response) !== undefined;

/**
 * What proves that two answers are of the same bytes (RFC 9110, 8.8): a strong ETag, else a time of change that had passed
 * by a second at least when the server answered.
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

function readMeta(path: string): Meta | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Meta;
  } catch {
    // None, or a kill cut it: the part is not known then.
    return undefined;
  }
}
