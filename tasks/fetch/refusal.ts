import type { IncomingMessage } from "node:http";
import { PermanentError } from "kagurazaka";
import { shown } from "./source.js";

/** Another time it may go well. 206 is an answer to a question nobody asked. */
const passing = new Set([206, 408, 421, 425, 429]);

/** What an answer means that brings no file. */
export function refusalOf(response: IncomingMessage, url: URL): Error {
  const status = response.statusCode!;
  const says = `HTTP ${status} ${response.statusMessage ?? ""}`.trim();
  return failure(says, url, { code: `HTTP_${status}`, permanent: status < 500 && !passing.has(status) });
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

/** What went wrong on the way; the cause's code stays, by which a full disk is told. */
export function troubleOf(thrown: unknown, url: URL, progress = ""): Error {
  const { code, message, errors } = thrown as Error & { code?: string; errors?: readonly Error[] };
  // Where several addresses were tried, each has its own error and the whole has no message.
  const why = unreachable.get(code) ?? (message || errors?.[0]?.message || code || String(thrown));
  return failure(`${why}${progress}`, url, { code, permanent: hopeless.test(code ?? "") });
}

/** Node's words for these name the host, and a thousand dead hosts would be a thousand kinds of failure. */
const unreachable: ReadonlyMap<string | undefined, string> = new Map([
  ["ENOTFOUND", "no host of this name"],
  ["EAI_AGAIN", "the name of the host cannot be looked up now"],
  ["ECONNREFUSED", "the host refused the connection"],
]);

/**
 * An error with the URL, in quotes: what stands in quotes does not make another kind of failure. Without a stack, which
 * would be the same for all and say nothing about a server.
 */
export function failure(
  what: string,
  url: URL,
  { code, permanent = true }: { code?: string | undefined; permanent?: boolean } = {},
): Error {
  const error = new (permanent ? PermanentError : Error)(`${what}: "${shown(url)}"`);
  return Object.assign(error, { stack: undefined }, code === undefined ? {} : { code });
}
