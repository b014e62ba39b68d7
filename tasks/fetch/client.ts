import * as http from "node:http";
import * as https from "node:https";
import type { HostGates, Visitor } from "./host-gates.js";
import { failure, refusalOf, troubleOf } from "./refusal.js";
import { checkScheme, shown } from "./source.js";

interface ClientOptions {
  /** From the request until there is a connection. */
  readonly connectTimeoutMs: number;
  /** Longest time without a byte in either direction. */
  readonly idleTimeoutMs: number;
  readonly userAgent: string;
  /** `Name: value`, sent to the hosts of the list, not to where they redirect. */
  readonly headers: readonly string[];
  readonly allowDowngrade: boolean;
}

/** The response after redirects. It counts as a request to its host until it is closed: read to its end, or discarded. */
export interface Answer {
  readonly response: http.IncomingMessage;
  readonly url: URL;
}

const MAX_REDIRECTS = 10;
const MAX_HEADER_BYTES = 64 * 1024;
/** A shorter body is read to its end, so that the connection can be used again. */
const MAX_DISCARDED_BYTES = 64 * 1024;
/** A list may name more hosts than a process may have open sockets. */
const FREE_SOCKET_MS = 5000;

/**
 * GET over HTTP/1.1, which leaves the bytes as they are: `fetch` would unpack bodies whose length and ranges count packed
 * bytes, and has no time limits for connecting and for silence.
 */
export class Client {
  readonly #options: ClientOptions;
  readonly #gates: HostGates;
  readonly #own: Readonly<Record<string, string>>;
  readonly #agents: { readonly "http:": http.Agent; readonly "https:": https.Agent };

  constructor(options: ClientOptions, gates: HostGates) {
    // Where a host has several addresses, the next is tried after this time; Node's own 250 ms is less than a far host needs.
    const agent = { keepAlive: true, timeout: FREE_SOCKET_MS, autoSelectFamilyAttemptTimeout: 1000 };
    this.#options = options;
    this.#gates = gates;
    this.#own = readHeaders(options.headers);
    this.#agents = { "http:": new http.Agent(agent), "https:": new https.Agent(agent) };
  }

  close(): void {
    for (const agent of Object.values(this.#agents)) agent.destroy();
  }

  /** Follows redirects; each host on the way gets no more requests than it may. */
  async get(start: URL, headers: Readonly<Record<string, string>>, visitor: Visitor): Promise<Answer> {
    let url = start;
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      const own = url.origin === start.origin ? this.#own : {};
      const response = await this.#enterAndSend(url, { ...headers, ...own }, visitor);
      if (!isRedirect(response)) return { response, url };
      discard(response);
      url = this.#nextOf(response, url);
    }
    throw failure(`more than ${MAX_REDIRECTS} redirects`, start);
  }

  async #enterAndSend(url: URL, headers: http.OutgoingHttpHeaders, visitor: Visitor): Promise<http.IncomingMessage> {
    const leave = await this.#gates.enter(url.host, visitor);
    try {
      const response = await this.#send(url, headers, visitor.signal);
      response.once("close", leave);
      return response;
    } catch (thrown) {
      leave();
      throw thrown;
    }
  }

  #nextOf(response: http.IncomingMessage, url: URL): URL {
    const location = utf8Of(response.headers.location);
    if (location === undefined || !URL.canParse(location, url.href)) throw refusalOf(response, url);
    const next = checkScheme(new URL(location, url));
    next.hash = "";
    if (url.protocol === "https:" && next.protocol === "http:" && !this.#options.allowDowngrade)
      throw failure(`redirected from https to "${shown(next)}", where --allow_downgrade would follow`, url);
    return next;
  }

  async #send(url: URL, headers: http.OutgoingHttpHeaders, signal: AbortSignal): Promise<http.IncomingMessage> {
    for (;;) {
      const { outcome, reused } = await this.#sendOnce(url, headers, signal);
      if (!(outcome instanceof Error)) return outcome;
      if (signal.aborted) throw signal.reason;
      // The server closed an idle connection while it was taken up again: the request was not sent yet.
      if (!(reused && (outcome as NodeJS.ErrnoException).code === "ECONNRESET")) throw troubleOf(outcome, url);
    }
  }

  #sendOnce(
    url: URL,
    headers: http.OutgoingHttpHeaders,
    signal: AbortSignal,
  ): Promise<{ outcome: http.IncomingMessage | Error; reused: boolean }> {
    const { connectTimeoutMs, idleTimeoutMs, userAgent } = this.#options;
    const secure = url.protocol === "https:";
    return new Promise((resolve) => {
      const options = {
        headers: { "user-agent": userAgent, accept: "*/*", "accept-encoding": "identity", ...headers },
        timeout: idleTimeoutMs,
        maxHeaderSize: MAX_HEADER_BYTES,
      };
      const request = secure
        ? https.get(url, { ...options, agent: this.#agents["https:"] })
        : http.get(url, { ...options, agent: this.#agents["http:"] });
      let response: http.IncomingMessage | undefined;
      const connecting = setTimeout(
        () => request.destroy(new Error(`no connection within ${connectTimeoutMs / 1000} s`)),
        connectTimeoutMs,
      );
      const onAbort = (): void => void request.destroy(signal.reason as Error);
      const settle = (outcome: http.IncomingMessage | Error): void => {
        clearTimeout(connecting);
        signal.removeEventListener("abort", onAbort);
        resolve({ outcome, reused: request.reusedSocket });
      };
      signal.addEventListener("abort", onAbort, { once: true });
      request.on("socket", (socket) => {
        if (socket.connecting) socket.once(secure ? "secureConnect" : "connect", () => clearTimeout(connecting));
        else clearTimeout(connecting);
      });
      request.on("timeout", () => {
        const silent = new Error(`no byte for ${idleTimeoutMs / 1000} s`);
        if (response) response.destroy(silent);
        else if (!request.socket?.connecting) request.destroy(silent);
      });
      request.on("error", settle);
      request.on("response", (answer) => {
        response = answer;
        // Without a listener an error before the body is read would end the process; a reader gets it as well.
        answer.on("error", () => {});
        settle(answer);
      });
    });
  }
}

const isRedirect = ({ statusCode }: http.IncomingMessage): boolean => [301, 302, 303, 307, 308].includes(statusCode!);

/** Closes a response whose body is not needed. */
export function discard(response: http.IncomingMessage): void {
  const length = Number(response.headers["content-length"] ?? Number.POSITIVE_INFINITY);
  if (length <= MAX_DISCARDED_BYTES) response.resume();
  else response.destroy();
}

/** @throws Error, while the worker is set up, for what is no header */
function readHeaders(lines: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = Object.create(null);
  for (const line of lines) {
    const [, name, value] = /^\s*([^\s:]+)\s*:\s*(.*?)\s*$/s.exec(line) ?? [];
    if (name === undefined) throw new Error('a --header is written "Name: value"');
    http.validateHeaderName(name);
    http.validateHeaderValue(name, value!);
    headers[name.toLowerCase()] = value!;
  }
  return headers;
}

/** Many servers send other letters than ASCII as bare UTF-8; Node reads headers as Latin-1. */
function utf8Of(header: string | undefined): string | undefined {
  if (header === undefined || /^[\x00-\x7f]*$/.test(header)) return header;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(header, "latin1"));
  } catch {
    return header;
  }
}
