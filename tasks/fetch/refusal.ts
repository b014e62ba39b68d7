import type { IncomingMessage } from "node:http";
import { PermanentError } from "kagurazaka";
import { shown } from "./source.js";

/** Another time it may go well. */
const passing = new Set([408, 421, 425, 429]);

/** What an answer means that brings no file. */
export function refusalOf(response: IncomingMessage, url: URL): Error {
  const status = response.statusCode!;
  const message = `HTTP ${`${status} ${response.statusMessage ?? ""}`.trim()} (${shown(url)})`;
  const kind = status >= 500 || passing.has(status) ? Error : PermanentError;
  return withCode(new kind(message), `HTTP_${status}`);
}

/** For how long the server wants to be left alone: the seconds or the date of Retry-After; undefined when it does not say. */
export function patienceOf({ statusCode, headers }: IncomingMessage): number | undefined {
  const text = headers["retry-after"]?.trim();
  if ((statusCode !== 429 && statusCode !== 503) || text === undefined) return undefined;
  if (/^\d+(?:\.\d+)?$/.test(text)) return atLeastOne(Number(text) * 1000);
  // By the server's own clock, where it shows it.
  const now = Date.parse(headers.date ?? "") || Date.now();
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : atLeastOne(at - now);
}

/** "Now" is no patience, and asking at once would be asking for ever: waiting costs no retry. */
const atLeastOne = (ms: number): number => Math.max(1000, ms);

/** A new certificate, a smaller header or another list would be needed, not another try. */
const hopeless = /^(?:CERT_|ERR_TLS_CERT_|ERR_INVALID_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HPE_HEADER_OVERFLOW)/;

/** What went wrong on the way, with the URL; the cause's code stays, by which a full disk is told. */
export function troubleOf(thrown: unknown, url: URL, progress = ""): Error {
  const cause = thrown as Error & { code?: string; errors?: readonly Error[] };
  // Where several addresses were tried, each has its own error and the whole has no message.
  const why = cause.message || cause.errors?.[0]?.message || cause.code || String(thrown);
  const kind = hopeless.test(cause.code ?? "") ? PermanentError : Error;
  const error = new kind(`${why}${progress} (${shown(url)})`, { cause });
  return cause.code === undefined ? error : withCode(error, cause.code);
}

function withCode(error: Error, code: string): Error {
  return Object.assign(error, { code });
}
