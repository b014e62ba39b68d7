import { readFileSync } from "node:fs";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { FleetControl } from "../contracts/fleet-control.js";
import type { EventStream } from "./event-stream.js";
import type { Feed } from "./feed.js";
import { type Access, refusalOf } from "./guard.js";
import { formatMetrics } from "./metrics.js";
import { type FleetPoller, messageOf } from "./poller.js";
import { boundText } from "./view.js";

/** Another page of the dashboard, which answers by itself whatever is asked below its path. */
export interface DashboardMount {
  /** As `/queues`. */
  readonly path: string;
  /**
   * Gets requests with their whole path, when host and origin have been checked; other methods than GET and HEAD where the
   * dashboard may cancel. The headers for security are set, and may be set again: its scripts and styles are files below the path.
   */
  handle(req: IncomingMessage, res: ServerResponse): void;
}

interface RouteContext {
  readonly control: FleetControl;
  readonly poller: FleetPoller;
  readonly feed: Feed;
  readonly events: EventStream;
  readonly allowCancel: boolean;
  readonly allowedHosts: readonly string[];
  readonly mount: DashboardMount | undefined;
}

/** Nothing from anywhere else, no code but the files of the page. */
const OWN_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
const MOUNT_POLICY =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

const securityHeaders = {
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-store",
};

const READ_ONLY = "the dashboard is read-only: start it with --allow-cancel";

const types = {
  css: "text/css; charset=utf-8",
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
};

/** The files of the page, by path. */
function readPage(): ReadonlyMap<string, { readonly type: string; readonly body: Buffer }> {
  const names = ["page.html", "style.css", "cards.css", "tables.css", "icon.svg"];
  names.push(...["app", "curve", "dom", "format", "run-card", "stream", "tables"].map((name) => `${name}.js`));
  return new Map(
    names.map((name) => [
      name === "page.html" ? "/" : `/assets/${name}`,
      {
        type: types[name.split(".")[1] as keyof typeof types],
        body: readFileSync(new URL(`./page/${name}`, import.meta.url)),
      },
    ]),
  );
}

/** What each path answers, and who may ask. */
export function createHandler(context: RouteContext): RequestListener {
  const { control, poller, feed, events, allowCancel, allowedHosts, mount } = context;
  const page = readPage();

  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const path = (req.url ?? "/").split("?", 1)[0]!;
    const isRead = req.method === "GET" || req.method === "HEAD";
    const isMount = mount !== undefined && (path === mount.path || path.startsWith(`${mount.path}/`));
    const run = /^\/api\/runs\/([^/]{1,600})\/cancel$/.exec(path)?.[1];
    const file = page.get(path);
    const access: Access = !isRead ? "change" : isMount || file !== undefined ? "page" : "data";
    for (const [name, value] of Object.entries(securityHeaders)) res.setHeader(name, value);
    res.setHeader("content-security-policy", isMount ? MOUNT_POLICY : OWN_POLICY);
    const refusal = refusalOf(req.headers, access, allowedHosts);
    if (refusal !== undefined) return fail(res, refusal.status, refusal.message);
    if (isMount) return isRead || allowCancel ? mount.handle(req, res) : fail(res, 403, READ_ONLY);
    if (run !== undefined) return cancel(req, res, run);
    const isKnown = file !== undefined || ["/metrics", "/api/state", "/api/events"].includes(path);
    if (!isKnown) return fail(res, 404, "there is nothing at this path");
    if (!isRead) {
      res.setHeader("allow", "GET, HEAD");
      return fail(res, 405, "this path is only read");
    }
    if (file !== undefined) return send(res, 200, file.type, file.body);
    if (path === "/api/events") return req.method === "HEAD" ? send(res, 200, "text/event-stream", "") : listen(res);
    const state = await poller.read();
    if (path === "/metrics") return send(res, 200, "text/plain; version=0.0.4; charset=utf-8", formatMetrics(state));
    send(res, 200, "application/json; charset=utf-8", JSON.stringify(feed.view(state)));
  }

  async function listen(res: ServerResponse): Promise<void> {
    if (events.isFull) return fail(res, 503, "too many pages are open");
    await poller.read();
    // No await in between: what is told next is what has changed since.
    events.add(res, "all", { ...feed.all(), allowCancel, mount: mount?.path });
  }

  async function cancel(req: IncomingMessage, res: ServerResponse, encoded: string): Promise<void> {
    // The body is not read.
    res.setHeader("connection", "close");
    if (req.method !== "POST") {
      res.setHeader("allow", "POST");
      return fail(res, 405, "a run is cancelled by POST");
    }
    if (!allowCancel) return fail(res, 403, READ_ONLY);
    const run = decode(encoded);
    if (run === undefined) return fail(res, 400, "the name of the run is not encoded as in a URL");
    if (!(await control.cancel(run))) return fail(res, 409, "the run is not running");
    send(res, 200, "application/json; charset=utf-8", JSON.stringify({ run, cancelled: true }));
  }

  return (req, res) => {
    answer(req, res).catch((error: unknown) => {
      if (res.headersSent) res.destroy();
      else fail(res, 503, boundText(messageOf(error)));
    });
  };
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function fail(res: ServerResponse, status: number, error: string): void {
  send(res, status, "application/json; charset=utf-8", JSON.stringify({ error }));
}

/** Node leaves the body of an answer to HEAD out. */
function send(res: ServerResponse, status: number, type: string, body: string | Buffer): void {
  res.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(body) });
  res.end(body);
}
