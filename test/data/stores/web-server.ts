import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A server on this machine, which keeps what it was asked for. */
export interface WebServer extends AsyncDisposable {
  readonly url: string;
  readonly asked: IncomingMessage[];
}

export async function serve(answer: (ask: IncomingMessage, reply: ServerResponse) => void): Promise<WebServer> {
  const asked: IncomingMessage[] = [];
  const server: Server = createServer((ask, reply) => {
    asked.push(ask);
    answer(ask, reply);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Answers as a server of files does. @param cutAt ends the connection after so many bytes of the body */
export function sendFile(
  ask: IncomingMessage,
  reply: ServerResponse,
  bytes: Buffer,
  etag?: string,
  cutAt = Infinity,
): void {
  const range = /^bytes=(\d+)-(\d*)$/.exec(ask.headers.range ?? "");
  const tag = etag === undefined ? {} : { etag };
  if (range && Number(range[1]) >= bytes.length) {
    reply.writeHead(416, { "content-range": `bytes */${bytes.length}`, ...tag }).end();
    return;
  }
  const from = range ? Number(range[1]) : 0;
  const to = range?.[2] ? Math.min(bytes.length, Number(range[2]) + 1) : bytes.length;
  const part = range ? { "content-range": `bytes ${from}-${to - 1}/${bytes.length}` } : {};
  reply.writeHead(range ? 206 : 200, { "content-length": to - from, ...part, ...tag });
  if (to - from <= cutAt) reply.end(bytes.subarray(from, to));
  else reply.write(bytes.subarray(from, from + cutAt), () => reply.destroy());
}
