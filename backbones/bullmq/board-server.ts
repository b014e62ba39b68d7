import { readdirSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname, join } from "node:path";
import type {
  AppControllerRoute,
  AppViewRoute,
  BullBoardQueues,
  ControllerHandlerReturnType,
  IServerAdapter,
  UIConfig,
} from "@bull-board/api/typings/app";

interface Route<Handler> {
  readonly method: string;
  readonly pattern: RegExp;
  readonly handler: Handler;
}

const MAX_BODY_BYTES = 1024 * 1024;
/** Commands wait while Redis cannot be reached. A request does not wait for ever. */
const ANSWER_WITHIN_MS = 10_000;

const types: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".ico": "image/x-icon",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml",
};

/** Serves bull-board over `node:http`. bull-board's own adapters need a framework each. */
export class BoardServer implements IServerAdapter {
  readonly #basePath: string;
  readonly #beforeApi: () => Promise<void>;
  #queues: BullBoardQueues = new Map();
  #uiConfig: UIConfig = {};
  #viewsDir = "";
  #apiRoutes: Route<AppControllerRoute["handler"]>[] = [];
  #pageRoutes: Route<AppViewRoute["handler"]>[] = [];
  #onError: ((error: Error) => ControllerHandlerReturnType) | undefined;
  /** Path below the base → file. What is not in here is not served. */
  readonly #files = new Map<string, string>();

  /** @param beforeApi brings the queues up to date */
  constructor(basePath: string, beforeApi: () => Promise<void>) {
    this.#basePath = basePath;
    this.#beforeApi = beforeApi;
  }

  setQueues(queues: BullBoardQueues): this {
    this.#queues = queues;
    return this;
  }

  setViewsPath(dir: string): this {
    this.#viewsDir = dir;
    return this;
  }

  setStaticPath(path: string, dir: string): this {
    for (const entry of readdirSync(dir, { recursive: true, encoding: "utf8" })) {
      const name = entry.replaceAll("\\", "/");
      if (Object.hasOwn(types, extname(name))) this.#files.set(`${path}/${name}`, join(dir, name));
    }
    return this;
  }

  setEntryRoute({ method, route, handler }: AppViewRoute): this {
    this.#pageRoutes = compile(method, route, handler);
    return this;
  }

  setErrorHandler(handler: (error: Error) => ControllerHandlerReturnType): this {
    this.#onError = handler;
    return this;
  }

  setApiRoutes(routes: AppControllerRoute[]): this {
    this.#apiRoutes = routes.flatMap(({ method, route, handler }) => compile(method, route, handler));
    return this;
  }

  setUIConfig(config: UIConfig): this {
    this.#uiConfig = config;
    return this;
  }

  handle(req: IncomingMessage, res: ServerResponse): void {
    const timer = setTimeout(() => fail(res, 503, "Redis does not answer"), ANSWER_WITHIN_MS);
    this.#answer(req, res)
      .catch((error: Error) => {
        const status = error instanceof TooLarge ? 413 : 503;
        fail(res, status, error.message);
      })
      .finally(() => clearTimeout(timer));
  }

  async #answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const url = new URL(req.url ?? "/", "http://localhost");
    const path = url.pathname.slice(this.#basePath.length) || "/";
    const method = req.method === "HEAD" ? "get" : (req.method ?? "").toLowerCase();
    const file = this.#files.get(path);
    if (file !== undefined && method === "get") return send(res, 200, types[extname(file)]!, await readFile(file));
    const page = this.#pageRoutes.find((route) => route.method === method && route.pattern.test(path));
    if (page) return send(res, 200, "text/html; charset=utf-8", this.#render(page.handler));
    for (const { pattern, handler, ...route } of this.#apiRoutes) {
      const params = route.method === method ? pattern.exec(path)?.groups : undefined;
      if (params === undefined) continue;
      const body = method === "get" ? {} : await readJson(req);
      const { status = 200, body: answer } = await this.#call(handler, url, params, body, req);
      if (status === 204) return void res.writeHead(204).end();
      return typeof answer === "string"
        ? send(res, status, "text/plain; charset=utf-8", answer)
        : send(res, status, types[".json"]!, JSON.stringify(answer));
    }
    fail(res, 404, "there is nothing at this path");
  }

  async #call(
    handler: AppControllerRoute["handler"],
    url: URL,
    groups: Readonly<Record<string, string>>,
    body: Record<string, unknown>,
    req: IncomingMessage,
  ): Promise<ControllerHandlerReturnType> {
    await this.#beforeApi();
    const params = Object.fromEntries(Object.entries(groups).map(([name, text]) => [name, decode(text)]));
    const query = Object.fromEntries(url.searchParams);
    const headers = req.headers as Record<string, string | undefined>;
    try {
      return await handler({ queues: this.#queues, uiConfig: this.#uiConfig, query, params, body, headers });
    } catch (error) {
      if (this.#onError === undefined) throw error;
      return this.#onError(error as Error);
    }
  }

  /** Fills the page. It is a template of EJS that has values and no code. Files of other hosts (fonts) are left out. */
  #render(handler: AppViewRoute["handler"]): string {
    const { name, params } = handler({ basePath: this.#basePath, uiConfig: this.#uiConfig });
    const page = readFileSync(join(this.#viewsDir, name), "utf8")
      .replace(/<link\b[^>]*\bhref="https?:[^>]*>\s*/g, "")
      .replace(/<%([=-])\s*(\w+)\s*%>/g, (_, kind: string, key: string) =>
        kind === "-" ? (params[key] ?? "") : escapeHtml(params[key] ?? ""),
      );
    if (page.includes("<%")) throw new Error("this version of bull-board has a page that kagurazaka cannot fill");
    return page;
  }
}

class TooLarge extends Error {}

/** @returns one route for each method and path. `:name` in a path is one segment of it. */
function compile<Handler>(methods: string | string[], paths: string | string[], handler: Handler): Route<Handler>[] {
  return [paths].flat().flatMap((path) => {
    const pattern = new RegExp(`^(?<_>)${path.replace(/:(\w+)/g, "(?<$1>[^/]+)")}/?$`);
    return [methods].flat().map((method) => ({ method, pattern, handler }));
  });
}

async function readJson(req: IncomingMessage): Promise<Record<string, unknown>> {
  const parts: Buffer[] = [];
  let sizeBytes = 0;
  for await (const part of req as AsyncIterable<Buffer>) {
    sizeBytes += part.length;
    if (sizeBytes > MAX_BODY_BYTES) throw new TooLarge("the request is larger than 1 MiB");
    parts.push(part);
  }
  try {
    const body: unknown = JSON.parse(Buffer.concat(parts).toString());
    return typeof body === "object" && body !== null ? (body as Record<string, unknown>) : {};
  } catch {
    // Most requests of the page have no body.
    return {};
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&#34;",
  "'": "&#39;",
};
const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => entities[character]!);

function fail(res: ServerResponse, status: number, error: string): void {
  send(res, status, types[".json"]!, JSON.stringify({ error }));
}

/** Does nothing where the request was answered before. */
function send(res: ServerResponse, status: number, type: string, body: string | Buffer): void {
  if (res.headersSent || res.destroyed) return;
  res.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(body) });
  res.end(body);
}
