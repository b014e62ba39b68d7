import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll } from "vitest";

/** One request as the server saw it. */
export interface Seen {
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly atMs: number;
  /** Bytes of the body that were handed to the socket. */
  sent: number;
}

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** 1 for the first request of this path. */
  readonly times: number;
}

export type Behaviour = (exchange: Exchange) => void;

export interface Server {
  /** Without a slash at its end. */
  readonly origin: string;
  readonly host: string;
  readonly seen: Seen[];
  /** Most requests that were open at once. */
  readonly mostAtOnce: number;
  seenOf(path: string): Seen[];
}

/** A real server on loopback; what is asked of a path, its behaviour does. It goes when the test file has ended. */
export async function startServer(behaviours: Readonly<Record<string, Behaviour>>): Promise<Server> {
  const seen: Seen[] = [];
  let open = 0;
  let most = 0;
  const server = createServer((request, response) => {
    const path = request.url!;
    const entry: Seen = { path, headers: request.headers, atMs: performance.now(), sent: 0 };
    seen.push(entry);
    most = Math.max(most, ++open);
    response.on("close", () => open--);
    for (const method of ["write", "end"] as const) {
      const original = response[method];
      response[method] = (...args: unknown[]) => {
        if (args[0] instanceof Uint8Array || typeof args[0] === "string") entry.sent += Buffer.byteLength(args[0]);
        return Reflect.apply(original, response, args);
      };
    }
    const behave = behaviours[path] ?? behaviours["*"] ?? refuse(404);
    behave({ request, response, times: seen.filter((one) => one.path === path).length });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    host: `127.0.0.1+${port}`,
    seen,
    get mostAtOnce() {
      return most;
    },
    seenOf: (path) => seen.filter((one) => one.path === path),
  };
}

/** Bytes that repeat nowhere, so that a wrong place is a wrong byte. */
export function bytesOf(length: number, seed = 1): Buffer {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = seed;
  for (let i = 0; i < words.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    words[i] = state;
  }
  return Buffer.from(words.buffer, 0, length);
}

export const refuse =
  (status: number, headers: Readonly<Record<string, string>> = {}): Behaviour =>
  ({ response }) =>
    void response.writeHead(status, headers).end("no");

/** All of it, whatever range is asked for. */
export const whole =
  (body: Uint8Array, headers: Readonly<Record<string, string>> = {}): Behaviour =>
  ({ response }) =>
    void response.writeHead(200, { "content-length": body.length, ...headers }).end(body);

/** As a good server does it: ranges, and `If-Range` with the ETag or the date. */
export const ranged =
  (body: Buffer, validators: Readonly<Record<string, string>>): Behaviour =>
  ({ request, response }) => {
    const known = Object.values(validators);
    const ifRange = request.headers["if-range"];
    const first = firstOf(request);
    const headers = { "accept-ranges": "bytes", ...validators };
    if (first === 0 || (ifRange !== undefined && !known.includes(String(ifRange))))
      return whole(body, headers)({ request, response, times: 0 });
    if (first >= body.length)
      return refuse(416, { "content-range": `bytes */${body.length}` })({ request, response, times: 0 });
    const rest = body.subarray(first);
    response.writeHead(206, {
      ...headers,
      "content-length": rest.length,
      "content-range": `bytes ${first}-${body.length - 1}/${body.length}`,
    });
    response.end(rest);
  };

/** Where the range that was asked for begins; 0 where none was. */
export const firstOf = (request: Pick<IncomingMessage, "headers">): number =>
  Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);

/** Promises all of it and hangs up in the middle. */
export const cut =
  (body: Uint8Array, at: number, headers: Readonly<Record<string, string>> = {}): Behaviour =>
  ({ response }) => {
    response.writeHead(200, { "content-length": body.length, ...headers });
    // What is still on its way when the connection goes is lost; most of it has arrived by then.
    response.write(body.subarray(0, at), () => setTimeout(() => response.socket?.destroySoon(), 100));
  };

/** Hangs up in the middle without having said how much it would be. */
export const cutChunked =
  (body: Uint8Array, at: number, headers: Readonly<Record<string, string>> = {}): Behaviour =>
  ({ response }) => {
    response.writeHead(200, headers);
    response.write(body.subarray(0, at), () => setTimeout(() => response.socket?.destroySoon(), 100));
  };

/** One behaviour for each request in turn; the last one from then on. */
export const inTurn =
  (...behaviours: readonly Behaviour[]): Behaviour =>
  (exchange) =>
    behaviours[Math.min(exchange.times, behaviours.length) - 1]!(exchange);
