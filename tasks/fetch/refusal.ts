import type { IncomingMessage } from "node:http";
import { PermanentError } from "kagurazaka";
import { shown } from "./source.js";

/** Statuses after which another try may succeed. 206 is an answer to a range that was not asked for. */
const passing = new Set([206, 408, 421, 425, 429]);

/** The error for an answer without the file. */
export function refusalOf(response: IncomingMessage, url: URL): Error {
  const status = response.statusCode!;
  const says = `HTTP ${status} ${response.statusMessage ?? ""}`.trim();
  return failure(says, url, { code: `HTTP_${status}`, permanent: status < 500 && !passing.has(status) });
}

/** For how long the server asks for no requests: the seconds or the date of Retry-After; undefined without one. */
export function patienceOf({ statusCode, headers }: IncomingMessage): number | undefined {
  const text = headers["retry-after"]?.trim();
  if ((statusCode !== 429 && statusCode !== 503) || text === undefined) return undefined;
  if (/^\d+(?:\.\d+)?$/.test(text)) return atLeastOne(Number(text) * 1000);
  // By the server's own clock, where it shows it.
  const now = Date.parse(headers.date ?? "") || Date.now();
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : atLeastOne(at - now);
}

/** At least a second: waiting costs no retry, so a server that says "now" could be asked for ever. */
const atLeastOne = (ms: number): number => Math.max(1000, ms);

/** Codes that another try does not change: bad certificates, headers that are too large or wrong. */
const hopeless = /^(?:CERT_|ERR_TLS_CERT_|ERR_INVALID_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HPE_HEADER_OVERFLOW)/;

/** The error of a request that broke. The cause keeps its code, by which the runner recognises a full disk. */
export function troubleOf(thrown: unknown, url: URL, progress = ""): Error {
  const { code, message, errors } = thrown as Error & { code?: string; errors?: readonly Error[] };
  // Where several addresses were tried, each has its own error, and the error of all has no message.
  const why = unreachable.get(code) ?? (message || errors?.[0]?.message || code || String(thrown));
  return failure(`${why}${progress}`, url, { code, permanent: hopeless.test(code ?? "") });
}

/** Node's messages for these have the name of the host: a thousand dead hosts would be a thousand classes of failure. */
const unreachable: ReadonlyMap<string | undefined, string> = new Map([
  ["ENOTFOUND", "no host of this name"],
  ["EAI_AGAIN", "the name of the host cannot be looked up now"],
  ["ECONNREFUSED", "the host refused the connection"],
]);

/**
 * An error with the URL in quotes, because quoted text does not make another class of failure. Without a stack, which would
 * be the same for all servers.
 */
export function failure(
  what: string,
  url: URL,
  { code, permanent = true }: { code?: string | undefined; permanent?: boolean } = {},
): Error {
  const error = new (permanent ? PermanentError : Error)(`${what}: "${shown(url)}"`);
  return Object.assign(error, { stack: undefined }, code === undefined ? {} : { code });
}
