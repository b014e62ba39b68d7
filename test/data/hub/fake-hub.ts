import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { sendFile, serve, type WebServer } from "../stores/web-server.js";

export const TOKEN = "hf_veryprivate";
export const COMMIT = "a".repeat(40);

export interface FakeHub extends AsyncDisposable {
  readonly url: string;
  /** Paths that were asked for, with the query. */
  readonly asked: () => string[];
  readonly askedOfCdn: () => IncomingMessage[];
  readonly files: Map<string, Buffer>;
  /** Answers in place of the hub where it returns true. */
  instead: (ask: IncomingMessage, reply: ServerResponse, path: string) => boolean;
  /** The same for the server that large files are on. */
  insteadOfCdn: (ask: IncomingMessage, reply: ServerResponse) => boolean;
}

const isLarge = (name: string): boolean => /\.(?:parquet|bin)$/.test(name);

/** What the list says that a file hashes to. */
export function hashOf(name: string, bytes: Buffer): string {
  const hash = isLarge(name) ? createHash("sha256") : createHash("sha1").update(`blob ${bytes.length}\0`);
  return hash.update(bytes).digest("hex");
}

const PAGE = 2;

/**
 * What `@huggingface/hub` and the download of files use of the hub, for the dataset `org/set`: the revision, the tree (in pages), and
 * files, of which the large ones (by name) are on another host. `org/secret` is there for the token only, `org/gated` for nobody.
 */
export async function fakeHub(contents: Readonly<Record<string, string | Buffer>>): Promise<FakeHub> {
  const files = new Map(Object.entries(contents).map(([name, text]) => [name, Buffer.from(text)]));
  const cdn = await serve((ask, reply) => {
    if (hub.insteadOfCdn(ask, reply)) return;
    const name = decodeURIComponent(ask.url!.slice(1));
    sendFile(ask, reply, files.get(name)!, `"${hashOf(name, files.get(name)!)}"`);
  });
  const server: WebServer = await serve((ask, reply) => {
    const url = new URL(ask.url!, "http://hub");
    if (!hub.instead(ask, reply, url.pathname)) answer(ask, reply, url, files, { cdn: cdn.url, self: server.url });
  });
  const hub: FakeHub = {
    url: server.url,
    asked: () => server.asked.map(({ url }) => url!),
    askedOfCdn: () => cdn.asked,
    files,
    instead: () => false,
    insteadOfCdn: () => false,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await cdn[Symbol.asyncDispose]();
    },
  };
  return hub;
}

export const refuse = (
  reply: ServerResponse,
  status: number,
  code?: string,
  headers: Record<string, string> = {},
): true => {
  const more = code === undefined ? {} : { "x-error-code": code };
  reply.writeHead(status, { "content-type": "application/json", ...more, ...headers }).end('{"error":"no"}');
  return true;
};

function answer(
  ask: IncomingMessage,
  reply: ServerResponse,
  { pathname, searchParams }: URL,
  files: ReadonlyMap<string, Buffer>,
  urls: { cdn: string; self: string },
): unknown {
  const json = (value: unknown, headers: Record<string, string> = {}) =>
    reply.writeHead(200, { "content-type": "application/json", ...headers }).end(JSON.stringify(value));
  const [, api, name, kind, rest = ""] =
    /^\/(api\/)?datasets\/([^/]+\/[^/]+)\/(revision|tree|resolve)\/(.*)$/.exec(pathname) ?? [];
  const isMine = name === "org/secret" && ask.headers.authorization === `Bearer ${TOKEN}`;
  if (name !== "org/set" && name !== "org/gated" && !isMine) return refuse(reply, 401, "RepoNotFound");
  if (api && kind === "revision") {
    if (!["main", "HEAD", "refs/pr/1", COMMIT].includes(decodeURIComponent(rest)))
      return refuse(reply, 404, "RevisionNotFound");
    return json({
      _id: "1",
      id: name,
      private: false,
      gated: false,
      lastModified: "2026-01-01T00:00:00Z",
      sha: COMMIT,
    });
  }
  if (api && kind === "tree") {
    if (rest !== COMMIT) return refuse(reply, 404, "RevisionNotFound");
    const from = Number(searchParams.get("cursor") ?? 0);
    const entries = [
      { type: "directory", path: "data", size: 0, oid: "d" },
      ...[...files].map(([path, bytes]) => entry(path, bytes)),
    ];
    const next = `<${urls.self}${pathname}?recursive=true&expand=false&cursor=${from + PAGE}>; rel="next"`;
    return json(entries.slice(from, from + PAGE), from + PAGE < entries.length ? { link: next } : {});
  }
  if (name === "org/gated") return refuse(reply, 401, "GatedRepo");
  const path = decodeURIComponent(rest.slice(COMMIT.length + 1));
  const bytes = files.get(path);
  if (!bytes || !rest.startsWith(COMMIT)) return refuse(reply, 404, "EntryNotFound");
  const commit = { "x-repo-commit": COMMIT };
  if (isLarge(path))
    return reply.writeHead(302, { location: `${urls.cdn}/${encodeURIComponent(path)}`, ...commit }).end();
  return sendFile(ask, reply, bytes, `"${hashOf(path, bytes)}"`);
}

function entry(path: string, bytes: Buffer): object {
  const oid = hashOf(path, bytes);
  if (!isLarge(path)) return { type: "file", path, size: bytes.length, oid };
  return {
    type: "file",
    path,
    size: bytes.length,
    oid: "b".repeat(40),
    lfs: { oid, size: bytes.length, pointerSize: 130 },
  };
}
